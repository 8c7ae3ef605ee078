"""Event sources: where Celery's event messages come from."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Protocol

from msgspec import Struct

from flower_plugins.offers import OfferContext

__all__ = ["EventSource", "Messages", "Pump"]


class Messages(Struct, frozen=True):
    """A batch of raw event messages that share their encoding.

    Each of `bodies` is one message's payload as it stood on the wire: bytes, or, where a transport
    has decoded it already, any Python object. `compression` is the name kombu gives it, or "".

    `unwrap` is for transports that put messages into envelopes: it is called with the bodies right before they
    are read, on the event loop, and says what is in them. So a message that is dropped costs no unwrapping, and a
    source in a flood does nothing but read. It must not raise.
    """

    bodies: Sequence[Any]
    content_type: str = "application/json"
    content_encoding: str = "utf-8"
    compression: str = ""
    unwrap: Callable[[Sequence[Any]], Iterable[Messages]] | None = None

    def unwrapped(self) -> Iterable[Messages]:
        """Return the messages without their envelopes, in one or more batches."""
        return (self,) if self.unwrap is None else self.unwrap(self.bodies)


class Pump(Protocol):
    """Where a source delivers. Every method may be called from any thread."""

    def offer(self, batch: Messages) -> None:
        """Queue a batch. Never blocks: when the queue is full the oldest messages are dropped and counted."""

    def connected(self, detail: Mapping[str, str] | None = None) -> None:
        """Say that events flow from now on."""

    def lost(self, reason: str) -> None:
        """Say that the stream broke: opens a gap until `connected` is called. No secrets in `reason`."""


class EventSource(ABC):
    """Reads event messages and hands them to the pump; made as `Class(OfferContext)`, anew for each try."""

    def __init__(self, context: OfferContext) -> None:
        """Read settings; nothing is opened yet."""

    @abstractmethod
    async def run(self, pump: Pump) -> None:
        """Deliver until cancelled. Raising is allowed: core calls again after a capped, jittered delay.

        A source may own a thread; it must end that thread before this returns.
        """

    def hurry(self) -> None:
        """Hand over now what was left to gather: somebody is about to look. On the loop; must not block.

        Only a source that waits for events to come together, because batches are cheaper, has something to do here.
        """
