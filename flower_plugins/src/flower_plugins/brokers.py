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

    async def others(self) -> Sequence[str]:
        """Return names of queues that may exist besides those that workers or the app name; none by default.

        Called before each `queues`, so that it must not take long, and may learn of them bit by bit. Of those, only
        queues with messages are shown: nobody may be left to consume from them.
        """
        return ()

    async def close(self) -> None:
        """Release connections."""
