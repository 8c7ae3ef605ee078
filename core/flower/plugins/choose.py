"""Chooses one of several offers, and imports the class it names."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

from flower.plugins.faults import FAULTS, describe, suggestion
from flower_plugins import ConfigurationError, Offer

__all__ = ["BROKER_EXTRAS", "PROVIDER_EXTRAS", "by_name", "by_option", "by_scheme", "is_offered", "load_class"]

T = TypeVar("T")
Offers = Sequence[tuple[str, Offer[Any]]]

PROVIDER_EXTRAS: Mapping[str, str] = {
    "google": "google",
    "github": "github",
    "gitlab": "gitlab",
    "okta": "okta",
    "flower.views.auth.GoogleAuth2LoginHandler": "google",
    "flower.views.auth.GithubLoginHandler": "github",
    "flower.views.auth.GitLabLoginHandler": "gitlab",
    "flower.views.auth.OktaLoginHandler": "okta",
}
BROKER_EXTRAS: Mapping[str, str] = {
    "redis": "redis",
    "rediss": "redis",
    "redis+socket": "redis",
    "sentinel": "redis",
    "amqp": "rabbitmq",
    "amqps": "rabbitmq",
    "pyamqp": "rabbitmq",
    "rabbitmq": "rabbitmq",
}


def by_name(offers: Offers, name: str, *, what: str, setting: str, extras: Mapping[str, str]) -> Offer[Any]:
    """Return the offer with that name or alias. Raise ConfigurationError where there is none, or it is not available.

    `what` ("login provider") and `setting` ("--auth_provider") go into messages, `extras` maps names
    and class paths to the extra of Flower that brings them.
    """
    present = [offer for _, offer in offers]
    for offer in present:
        if _normal(name) in {_normal(each) for each in (offer.name, *offer.aliases)}:
            return _available(offer, setting)
    raise _missing(name, present, what=what, setting=setting, extras=extras)


def is_offered(offers: Offers, name: str, extras: Mapping[str, str]) -> bool:
    """Tell whether a name is one of the offers', or of those that an extra of Flower brings."""
    known = [each for _, offer in offers for each in (offer.name, *offer.aliases)]
    return _normal(name) in {_normal(each) for each in (*known, *extras)}


def by_option(offers: Offers, wanted: Callable[[str], bool]) -> Offer[Any] | None:
    """Return the first offer that a wanted option asks for. Raise ConfigurationError when it is not available."""
    for _, offer in offers:
        for option in offer.asked_by:
            if wanted(option):
                return _available(offer, f"--{option}")
    return None


def by_scheme(offers: Offers, scheme: str) -> Offer[Any] | None:
    """Return the first available offer that serves the URL scheme."""
    return next((offer for _, offer in offers if scheme in offer.schemes and not offer.unavailable), None)


def load_class(offer: Offer[T], base: type[Any]) -> type[T]:
    """Import the class that an offer names. Raise ConfigurationError when that fails or it is not a `base`."""
    module, _, name = offer.load.partition(":")
    try:
        loaded = getattr(importlib.import_module(module), name)
    except FAULTS as error:  # the plugin boundary: an import runs foreign code
        raise ConfigurationError(f"Cannot load {offer.load!r} for {offer.name!r}: {describe(error)}") from error
    if not isinstance(loaded, type) or not issubclass(loaded, base):
        raise ConfigurationError(f"{offer.load!r}, offered as {offer.name!r}, is not a subclass of {base.__name__}")
    return loaded


def _available(offer: Offer[Any], setting: str) -> Offer[Any]:
    if offer.unavailable:
        raise ConfigurationError(offer.unavailable, where=setting)
    return offer


def _missing(
    name: str, present: Sequence[Offer[Any]], *, what: str, setting: str, extras: Mapping[str, str]
) -> ConfigurationError:
    names = sorted(offer.name for offer in present)
    for known, extra in extras.items():
        if _normal(known) == _normal(name) and extra not in names:
            return ConfigurationError(
                f"The {what} {name!r} is not installed", where=setting, mend=f"Run: pip install 'flower[{extra}]'"
            )
    there = f"There is: {', '.join(names)}." if names else "None is installed."
    mend = " ".join(filter(None, (suggestion(name, names), there)))
    return ConfigurationError(f"No {what} is called {name!r}", where=setting, mend=mend)


def _normal(name: str) -> str:
    return name.strip().replace(":", ".").lower()
