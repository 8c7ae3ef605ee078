"""Offers: capabilities of which one is chosen, by name, alias or URL scheme, and only then imported."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from typing import Generic, TypeVar

from msgspec import Struct, field

from flower_plugins.options import Settings

__all__ = ["Broker", "Offer", "OfferContext"]

T_co = TypeVar("T_co", covariant=True)


class Offer(Struct, Generic[T_co], frozen=True):
    """Name a class that core may load.

    `load` is "package.module:Class". `aliases` are further names a user may write, among them dotted
    paths of older Flowers. `schemes` are broker URL schemes the class serves. `when` is the option
    whose setting chooses this offer, or several of which each does. `unavailable` is a sentence:
    choosing the offer stops the start.
    """

    name: str
    load: str
    label: str = ""
    aliases: Sequence[str] = ()
    schemes: Sequence[str] = ()
    when: str | Sequence[str] = ""
    unavailable: str = ""

    @property
    def asked_by(self) -> tuple[str, ...]:
        """The options of which each chooses this offer."""
        return tuple(filter(None, (self.when,) if isinstance(self.when, str) else self.when))


class Broker(Struct, frozen=True):
    """The broker as the Celery app is configured: `url` holds credentials and is never logged.

    `event_options` are the app's settings that an event source needs, by Celery's own names where they
    differ from Celery's defaults: event_exchange, event_queue_prefix, event_queue_ttl,
    event_queue_expires, event_queue_exclusive, event_queue_durable, control_exchange,
    broker_login_method, broker_failover_strategy.
    """

    url: str
    scheme: str
    safe_url: str
    transport_options: dict[str, object]
    use_ssl: object = None
    event_options: Mapping[str, object] = field(default_factory=dict)


class OfferContext(Struct, frozen=True):
    """What a chosen class is called with: `Class(context)`."""

    settings: Settings
    broker: Broker
    log: logging.Logger
