"""Turns offers into the objects that this run uses."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from flower.plugins import (
    BROKER_EXTRAS,
    PROVIDER_EXTRAS,
    Registry,
    by_name,
    by_option,
    by_scheme,
    is_offered,
    load_class,
)
from flower.settings import EffectiveSettings
from flower_plugins import (
    AuthProvider,
    Broker,
    BrokerInspector,
    ConfigurationError,
    EventSource,
    HistoryStore,
    LoginProvider,
    Offer,
    OfferContext,
    Renderer,
)

__all__ = ["Choices"]

log = logging.getLogger("flower")

T = TypeVar("T")

_DEFAULT_PROVIDER = "google"


class Choices:
    """Chooses by what the settings name, by the option that asks for it, or by the broker's URL scheme."""

    def __init__(self, registry: Registry, settings: EffectiveSettings, broker: Broker) -> None:
        self._registry, self._settings, self._broker = registry, settings, broker

    def providers(self) -> list[AuthProvider]:
        """Return every login provider that the settings ask for; all of them must agree on a caller.

        Raise ConfigurationError when an option that asks for a login has not led to one, so that a
        plugin's fault never leaves the door open.
        """
        offers = self._registry.offers("flower_auth_providers")
        chosen = [(plugin, offer) for plugin, offer in offers if self._asks_for(offer)]
        named = self._settings["auth_provider"] or ""
        custom = None if not named or is_offered(offers, named, PROVIDER_EXTRAS) else self._custom(named)
        if custom is None and (named or self._settings["auth"]):
            offer = by_name(
                offers,
                named or _DEFAULT_PROVIDER,
                what="login provider",
                setting=self._where("auth_provider" if named else "auth"),
                extras=PROVIDER_EXTRAS,
            )
            chosen.extend((plugin, each) for plugin, each in offers if each is offer)
        self._refuse_open_door({plugin for plugin, _ in chosen})
        for _, offer in chosen:
            if offer.unavailable:
                raise ConfigurationError(offer.unavailable, where=f"login provider {offer.name}")
        made = [self._make(offer, AuthProvider) for _, offer in chosen]
        return made if custom is None else [*made, custom]

    def event_source(self) -> tuple[str, type[EventSource]]:
        """Return the name and the class of the event source: the one named, else the scheme's, else kombu's."""
        offers = self._registry.offers("flower_event_sources")
        named = self._settings["event_source"]
        if named:
            where = self._where("event_source")
            offer = by_name(offers, named, what="event source", setting=where, extras=BROKER_EXTRAS)
        else:
            offer = by_scheme(offers, self._broker.scheme) or _named(offers, "kombu")
        return offer.name, load_class(offer, EventSource)

    def inspector(self) -> BrokerInspector:
        """Return the inspector for the broker's URL scheme, else kombu's."""
        offers = self._registry.offers("flower_broker_inspectors")
        return self._make(by_scheme(offers, self._broker.scheme) or _named(offers, "kombu"), BrokerInspector)

    def history_store(self) -> HistoryStore | None:
        """Return the store that an option asks for, None where nothing is to be kept."""
        offers = self._registry.offers("flower_history_stores")
        offer = by_option(offers, lambda option: bool(self._settings[option]))
        return None if offer is None else self._make(offer, HistoryStore)

    def renderer(self) -> Renderer | None:
        """Return the first renderer found, None where none is installed."""
        offers = self._registry.offers("flower_renderers")
        return self._make(offers[0][1], Renderer) if offers else None

    def context(self, name: str) -> OfferContext:
        """Return what an offered class is made with."""
        return OfferContext(self._settings, self._broker, log.getChild(name))

    def _custom(self, path: str) -> LoginProvider | None:
        """Return the provider that a handler's path stands for, None where it is no path."""
        from flower.web.custom import HandlerProvider, is_path, load_handler  # only where there is a login

        if not is_path(path):
            return None
        return HandlerProvider(self.context("custom"), load_handler(path, self._where("auth_provider")))

    def _asks_for(self, offer: Offer[Any]) -> bool:
        return any(self._settings[option] for option in offer.asked_by)

    def _refuse_open_door(self, providing: set[str]) -> None:
        for plugin, option in self._registry.options():
            if option.claims and self._settings.given(option.name) and plugin not in providing:
                raise ConfigurationError(
                    f"{option.name} asks for a login, and plugin {plugin} provides none",
                    where=self._where(option.name),
                    mend="celery flower --plugins says why.",
                )

    def _where(self, option: str) -> str:
        return f"{option}, {self._settings.origin(option)}"

    def _make(self, offer: Offer[Any], base: type[T]) -> T:
        made: Callable[[OfferContext], T] = load_class(offer, base)
        return made(self.context(offer.name))


def _named(offers: Sequence[tuple[str, Offer[Any]]], name: str) -> Offer[Any]:
    return next(offer for _, offer in offers if offer.name == name)
