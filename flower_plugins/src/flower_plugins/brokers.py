"""Broker inspectors: how many messages wait in which queue."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any

from msgspec import Struct, field

from flower_plugins.offers import OfferContext

__all__ = ["BrokerInspector", "QueueStats"]


class QueueStats(Struct, frozen=True):
    """One queue; None stands for what this broker cannot tell. `extra` is the broker's own answer."""

    name: str
    messages: int | None = None
    ready: int | None = None
    unacknowledged: int | None = None
    consumers: int | None = None
    idle_since: str | None = None
    extra: Mapping[str, Any] = field(default_factory=dict)


class BrokerInspector(ABC):
    """Asks one broker about its queues; made as `Class(OfferContext)`."""

    def __init__(self, context: OfferContext) -> None:
        """Read settings; raise ConfigurationError when they cannot work."""

    @abstractmethod
    async def queues(self, names: Sequence[str]) -> Sequence[QueueStats]:
        """Return one row per existing queue of `names`.

        Raise Unavailable when the broker is out of reach, NotFound when brokers of this kind cannot tell.
        """

    async def close(self) -> None:
        """Release connections."""
