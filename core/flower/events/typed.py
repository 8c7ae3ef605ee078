"""The fast path of the gateway: a well-formed JSON message, straight from bytes to an Event, checked in C.

Whatever is odd about a message gives None, and the gateway reads it again the slow way; so the limits
here are never wider than the gateway's, and both ways make equal events. The `decode` scenario of
tests/bench measures it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any

import msgspec

from flower.events.event import Event
from flower_plugins import Messages

__all__ = [
    "BATCH_LIMIT",
    "FREQ_LIMIT",
    "NAME_LIMIT",
    "RUNTIME_LIMIT",
    "TYPE_LIMIT",
    "TypedEvent",
    "TypedReader",
    "is_typed",
]

TYPE_LIMIT = 200
NAME_LIMIT = 300
_SHORT_LIMIT = 1_000
RUNTIME_LIMIT = 1e9
FREQ_LIMIT = 86_400.0
BATCH_LIMIT = 10_000
_MAX_INTEGER = 2**53
_MAX_LOADS = 16
_ENCODINGS = frozenset(("utf-8", "utf8", "us-ascii", "ascii"))


class _Unsendable:
    """What no JSON is: a field of this type can only have its default."""


_Name = Annotated[str, msgspec.Meta(min_length=1, max_length=NAME_LIMIT)]
_Short = Annotated[str, msgspec.Meta(max_length=_SHORT_LIMIT)]
_Count = Annotated[int, msgspec.Meta(ge=0, le=_MAX_INTEGER)]
_Load = Annotated[float, msgspec.Meta(ge=0, le=float(_MAX_INTEGER))]


class TypedEvent(Event, forbid_unknown_fields=True, gc=False):
    """An Event whose types hold the gateway's limits. What only the gateway may set cannot be sent."""

    type: Annotated[str, msgspec.Meta(min_length=1, max_length=TYPE_LIMIT)]
    hostname: _Name
    timestamp: Annotated[float, msgspec.Meta(gt=0)]
    received_at: _Unsendable = 0.0  # type: ignore[assignment]
    uuid: _Name = ""
    clock: _Count = 0
    pid: _Count | None = None
    name: _Short | None = None
    runtime: Annotated[float, msgspec.Meta(ge=0, le=RUNTIME_LIMIT)] | None = None
    retries: _Count | None = None
    eta: _Short | None = None
    expires: _Short | None = None
    root_id: _Short | None = None
    parent_id: _Short | None = None
    queue: _Short | None = None
    exchange: _Short | None = None
    routing_key: _Short | None = None
    freq: Annotated[float, msgspec.Meta(gt=0, le=FREQ_LIMIT)] | None = None
    active: _Count | None = None
    processed: _Count | None = None
    loadavg: Annotated[tuple[_Load, ...], msgspec.Meta(max_length=_MAX_LOADS)] | None = None
    sw_ident: _Short | None = None
    sw_ver: _Short | None = None
    sw_sys: _Short | None = None
    invalid: _Unsendable = ()  # type: ignore[assignment]
    extra: _Unsendable = None  # type: ignore[assignment]
    utcoffset: Any = None
    """Read and forgotten: `timestamp` counts seconds since the epoch in every time zone."""


class TypedReader:
    """Reads the messages of one batch that need no second look.

    `received_at` is given to each event, times beyond `latest` are not believed, and texts have at most
    `value_limit` characters.
    """

    def __init__(self, received_at: float, latest: float, value_limit: int) -> None:
        self._received_at = received_at
        self._latest = latest
        self._limit = value_limit

    def read_all(self, bodies: Sequence[Any], events: list[Event]) -> bool:
        """Append the events of messages of one event each and return True, or leave all of them to `read`."""
        try:
            batch = list(map(_decode_one, bodies))
            is_small = max(map(len, bodies), default=0) <= self._limit
        except Exception:  # guards the fast path: whatever is wrong, the slow one says what
            return False
        latest, received_at = self._latest, self._received_at
        for event in batch:
            if event.timestamp > latest or (not event.uuid and event.type[:5] == "task-"):
                return False
            event.received_at = received_at
            event.utcoffset = None
        if not is_small and any(map(self._is_long, batch)):
            return False
        events += batch
        return True

    def read(self, body: Any, events: list[Event]) -> bool:
        """Append the event or events of a message and return True, or leave it to the slow way."""
        if type(body) is not bytes:
            return False
        try:
            event = _decode(body)
        except Exception:  # guards the fast path: whatever is wrong, the slow one says what
            return False
        if type(event) is list:
            return self._read_list(event, len(body), events)
        if event.timestamp > self._latest or (not event.uuid and event.type[:5] == "task-"):
            return False
        # A text has no more characters than its message has bytes.
        if len(body) > self._limit and self._is_long(event):
            return False
        event.received_at = self._received_at
        event.utcoffset = None
        events.append(event)
        return True

    def _read_list(self, batch: list[TypedEvent], size: int, events: list[Event]) -> bool:
        if len(batch) > BATCH_LIMIT:
            return False
        latest, received_at, is_small = self._latest, self._received_at, size <= self._limit
        for event in batch:
            if event.timestamp > latest or (not event.uuid and event.type[:5] == "task-"):
                return False
            if not is_small and self._is_long(event):
                return False
            event.received_at = received_at  # type: ignore[assignment]
            event.utcoffset = None
        events.extend(batch)
        return True

    def _is_long(self, event: Event) -> bool:
        texts = (event.args, event.kwargs, event.result, event.exception, event.traceback)
        return any(text is not None and len(text) > self._limit for text in texts)


def is_typed(messages: Messages, value_limit: int) -> bool:
    """Tell whether the messages of a batch are of the kind that can be read fast."""
    return (
        messages.content_type == "application/json"
        and not messages.compression
        and messages.content_encoding.lower() in _ENCODINGS
        and value_limit >= _SHORT_LIMIT
    )


_decode_one: Any = msgspec.json.Decoder(TypedEvent).decode
_decode: Any = msgspec.json.Decoder(TypedEvent | list[TypedEvent]).decode
