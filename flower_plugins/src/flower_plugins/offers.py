"""Offers: capabilities of which one is chosen, by name, alias or URL scheme, and only then imported."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from flower_plugins.options import Settings

__all__ = ["Broker", "Offer", "OfferContext"]

T_co = TypeVar("T_co", covariant=True)


@dataclass(frozen=True)  # with slots, making an `Offer[Kind](...)` fails before Python 3.13
class Offer(Generic[T_co]):
    """Name a class that core may load.

    `load` is "package.module:Class". `aliases` are further names a user may write, among them dotted
    paths of older Flowers. `schemes` are broker URL schemes the class serves. `when` is the option
    whose setting chooses this offer. `unavailable` is a sentence: choosing the offer stops the start.
    """

    name: str
    load: str
    label: str = ""
    aliases: Sequence[str] = ()
    schemes: Sequence[str] = ()
    when: str = ""
    unavailable: str = ""


@dataclass(frozen=True, slots=True)
class Broker:
    """The broker as the Celery app is configured: `url` holds credentials and is never logged."""

    url: str
    scheme: str
    safe_url: str
    transport_options: dict[str, object]
    use_ssl: object = None


@dataclass(frozen=True, slots=True)
class OfferContext:
    """What a chosen class is called with: `Class(context)`."""

    settings: Settings
    broker: Broker
    log: logging.Logger
