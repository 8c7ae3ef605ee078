"""Chooses one of several offers, and imports the class it names."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

from flower.plugins.faults import FAULTS, describe, suggestion
from flower_plugins import ConfigurationError, Offer

__all__ = ["BROKER_EXTRAS", "PROVIDER_EXTRAS", "choose", "find", "load_class"]

T = TypeVar("T")

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


def choose(
    offers: Sequence[tuple[str, Offer[Any]]],
    name: str | None,
    scheme: str | None,
    *,
    what: str,
    setting: str,
    extras: Mapping[str, str],
    wanted: Callable[[str], bool] | None = None,
) -> Offer[Any]:
    """Return the one offer that fits, as `find` does, and raise ConfigurationError where there is none."""
    offer = find(offers, name, scheme, what=what, setting=setting, extras=extras, wanted=wanted)
    if offer is None:
        raise _missing(scheme or "", [each for _, each in offers], what=what, setting=setting, extras=extras)
    return offer


def find(
    offers: Sequence[tuple[str, Offer[Any]]],
    name: str | None,
    scheme: str | None,
    *,
    what: str,
    setting: str,
    extras: Mapping[str, str],
    wanted: Callable[[str], bool] | None = None,
) -> Offer[Any] | None:
    """Return the offer that fits, None when nobody asked for one by name and none fits by itself.

    First comes `name`, an offer's name or alias; then the offer whose `when` option is `wanted`;
    then the first available one that serves the URL `scheme`. `what` ("login provider") and
    `setting` ("--auth_provider") go into messages, `extras` maps names, class paths and schemes to
    the extra of Flower that brings them. Raise ConfigurationError for an unknown name and for an
    offer that is not available.
    """
    present = [offer for _, offer in offers]
    if name is not None:
        for offer in present:
            if _normal(name) in {_normal(each) for each in (offer.name, *offer.aliases)}:
                return _available(offer, setting)
        raise _missing(name, present, what=what, setting=setting, extras=extras)
    for offer in present:
        if wanted is not None and offer.when and wanted(offer.when):
            return _available(offer, f"--{offer.when}")
    for offer in present:
        if scheme is not None and scheme in offer.schemes and not offer.unavailable:
            return offer
    return None


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
