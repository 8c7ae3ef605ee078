"""The only door for events: whatever a broker delivers leaves here as a typed Event or a counted rejection.

One bad message costs itself and nothing else: nothing raises, nothing is evaluated, no key of an
event becomes an attribute of anything.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping
from itertools import islice
from types import MappingProxyType
from typing import Any

from kombu.serialization import registry

from flower.events import fields, wire
from flower.events.event import Event
from flower.events.typed import (
    BATCH_LIMIT,
    FREQ_LIMIT,
    NAME_LIMIT,
    RUNTIME_LIMIT,
    TYPE_LIMIT,
    TypedEvent,
    TypedReader,
    is_typed,
)
from flower.quiet import QuietLog, one_line
from flower_plugins import Messages

__all__ = ["Gateway"]

logger = logging.getLogger(__name__)

_BODY_LIMIT = 16 * 2**20
_FIELDS_LIMIT = 256
_FUTURE = 86_400.0

_TEXTS: dict[str, Callable[[Any, int], str]] = {
    "name": fields.short,
    "args": fields.text,
    "kwargs": fields.text,
    "result": fields.text,
    "exception": fields.text,
    "traceback": fields.text,
    "eta": fields.short,
    "expires": fields.short,
    "root_id": fields.short,
    "parent_id": fields.short,
    "queue": fields.short,
    "exchange": fields.short,
    "routing_key": fields.short,
    "sw_ident": fields.short,
    "sw_ver": fields.short,
    "sw_sys": fields.short,
}

_NUMBERS: dict[str, Callable[[Any], Any]] = {
    "pid": fields.count,
    "retries": fields.count,
    "active": fields.count,
    "processed": fields.count,
    "runtime": lambda value: fields.amount(value, RUNTIME_LIMIT),
    "freq": lambda value: fields.amount(value, FREQ_LIMIT) or fields.INVALID,
    "loadavg": fields.averages,
}

# Read apart from the others. `utcoffset` is left unread on purpose: `timestamp` counts seconds since
# the epoch in every time zone, and Celery's own correction by it only adds mistakes.
_APART = frozenset(("type", "hostname", "timestamp", "clock", "uuid", "utcoffset"))


class Gateway:
    """Decodes batches of messages; used by one thread at a time.

    `accept` names content types, or serializers as Celery's `accept_content` does: pass also the app's
    `event_serializer`. JSON, msgpack and yaml are read by means that cannot run code; anything else goes
    to kombu, and only when named here.
    Texts are cut at `value_limit` characters. `accepted` plus the sum of `rejected` is the number of
    events seen, where a message that cannot be decoded counts as one.
    """

    def __init__(
        self,
        *,
        accept: frozenset[str] = frozenset(("application/json", "application/x-msgpack")),
        now: Callable[[], float] = time.time,
        value_limit: int = 65_536,
        log: logging.Logger = logger,
    ) -> None:
        self.accepted = 0
        self._rejected: dict[str, int] = {}
        self._accept = frozenset(registry.name_to_type.get(name, name) for name in accept)
        self._now = now
        self._value_limit = value_limit
        self._log = QuietLog(log)

    @property
    def rejected(self) -> Mapping[str, int]:
        """A live view of how many events were rejected, by reason: a bounded set of words."""
        return MappingProxyType(self._rejected)

    def decode(self, messages: Messages) -> list[Event]:
        """Return the events of these messages, in order. Never raises."""
        received_at = self._now()
        events: list[Event] = []
        if "application/json" in self._accept and is_typed(messages, self._value_limit):
            reader = TypedReader(received_at, received_at + _FUTURE, self._value_limit)
            if not reader.read_all(messages.bodies, events):
                read = reader.read
                for body in messages.bodies:
                    if not read(body, events):
                        self._read(body, messages, received_at, events)
        else:
            for body in messages.bodies:
                self._read(body, messages, received_at, events)
        self.accepted += len(events)
        return events

    def _read(self, body: Any, messages: Messages, received_at: float, events: list[Event]) -> None:
        try:
            payload = self._payload(body, messages)
        except wire.RefusedError as refusal:
            self._reject(refusal.reason, refusal.detail)
        except Exception as error:  # guards the stream: whatever this message is, the next one is read
            self._reject("undecodable", type(error).__name__)
        else:
            self._collect(payload, received_at, events)

    def _payload(self, body: Any, messages: Messages) -> Any:
        """Return what the body stands for; a body that is no text or bytes was decoded by its transport."""
        if isinstance(body, (bytearray, memoryview)):
            body = bytes(body)
        if not isinstance(body, (bytes, str)):
            return body
        content_type = messages.content_type
        if content_type not in self._accept:
            raise wire.RefusedError("content_type", content_type)
        if len(body) > _BODY_LIMIT:
            raise wire.RefusedError("too_large", f"{len(body)} bytes")
        if messages.compression:
            raw = body.encode("latin-1") if isinstance(body, str) else body
            body = wire.uncompressed(raw, messages.compression, _BODY_LIMIT)
        return wire.loads(body, content_type, messages.content_encoding)

    def _collect(self, payload: Any, received_at: float, events: list[Event]) -> None:
        """Append the event, or those of a `task-multi` message: on the wire that is a plain list."""
        if not isinstance(payload, (list, tuple)):
            self._append(payload, received_at, events)
            return
        for item in islice(payload, BATCH_LIMIT):
            self._append(item, received_at, events)
        surplus = len(payload) - BATCH_LIMIT
        if surplus > 0:
            self._reject("too_many", f"{len(payload)} events in one message", surplus)

    def _append(self, item: Any, received_at: float, events: list[Event]) -> None:
        try:
            event = self._event(item, received_at)
        except wire.RefusedError as refusal:
            self._reject(refusal.reason, refusal.detail)
        except Exception as error:  # guards the rest of the batch against one event nobody foresaw
            self._reject("undecodable", type(error).__name__)
        else:
            events.append(event)

    def _event(self, item: Any, received_at: float) -> Event:
        if not isinstance(item, Mapping):
            raise wire.RefusedError("not_an_event", type(item).__name__)
        # A worker's event has about 15 fields; of a monster, look only at the known ones and a few more.
        source: Mapping[Any, Any] = item if len(item) <= _FIELDS_LIMIT else _head(item)
        type_ = _required(source, "type", TYPE_LIMIT)
        hostname = _required(source, "hostname", NAME_LIMIT)
        invalid: list[str] = []
        uuid = self._uuid(source, type_, invalid)
        timestamp = _timestamp(source.get("timestamp"), received_at, invalid)
        values: dict[str, Any] = {}
        unknown: dict[str, Any] = {}
        limit = self._value_limit
        for key, value in source.items():
            if key in _TEXTS:
                if value is not None:
                    values[key] = _TEXTS[key](value, limit)
            elif key in _NUMBERS:
                if value is not None:
                    values[key] = number = _NUMBERS[key](value)
                    if number is fields.INVALID:
                        del values[key]
                        invalid.append(key)
            elif key not in _APART:
                unknown[key] = value
        return TypedEvent(
            type=type_,
            hostname=hostname,
            timestamp=timestamp,
            received_at=received_at,  # type: ignore[arg-type]
            uuid=uuid,
            clock=fields.lamport(source.get("clock")),
            invalid=tuple(invalid),  # type: ignore[arg-type]
            extra=fields.extras(unknown, limit) if unknown else None,  # type: ignore[arg-type]
            **values,
        )

    def _uuid(self, source: Mapping[Any, Any], type_: str, invalid: list[str]) -> str:
        """Return the task id, which `task-*` events must have and others may."""
        if type_.startswith("task-"):
            return _required(source, "uuid", NAME_LIMIT)
        value = source.get("uuid")
        if value is None:
            return ""
        uuid = fields.identifier(value, NAME_LIMIT)
        if uuid is fields.INVALID:
            invalid.append("uuid")
            return ""
        return str(uuid)

    def _reject(self, reason: str, detail: object, number: int = 1) -> None:
        self._rejected[reason] = self._rejected.get(reason, 0) + number
        self._log.warning(reason, f"Rejected an event: {reason}: {one_line(detail)}")


def _required(source: Mapping[Any, Any], name: str, limit: int) -> str:
    value = fields.identifier(source.get(name), limit)
    if value is fields.INVALID:
        problem = f"of type {type(source[name]).__name__}, or its length" if name in source else "missing"
        raise wire.RefusedError(name, f"{name} is {problem}, in an event of type {_brief(source.get('type'))}")
    return str(value)


def _timestamp(value: Any, received_at: float, invalid: list[str]) -> float:
    """Return when the event was made; a missing or absurd time becomes the time of arrival.

    Up to a day ahead may be a wrong clock, which readers want to see. More would sort before everything
    that follows, for as long as it is kept.
    """
    if value is None:
        return received_at
    timestamp = fields.amount(value, received_at + _FUTURE)
    if timestamp is fields.INVALID or timestamp <= 0:
        invalid.append("timestamp")
        return received_at
    return float(timestamp)


def _head(item: Mapping[Any, Any]) -> dict[Any, Any]:
    head = {name: item[name] for name in (*_APART, *_TEXTS, *_NUMBERS) if name in item}
    return {**dict(islice(item.items(), _FIELDS_LIMIT)), **head}


def _brief(value: Any) -> str:
    return repr(value[:TYPE_LIMIT]) if isinstance(value, str) else type(value).__name__
