"""Events as Celery puts them on the wire, encoded before anything is measured.

Redis: kombu.transport.redis publishes each message, with its body in base64, to
`/{db}.{exchange}/{routing key}`. AMQP: celery.events.dispatcher publishes to the topic exchange
`celeryev`; a message is three frames: method, content header, body (AMQP 0-9-1, 4.2.3 to 4.2.6).
"""

from __future__ import annotations

import base64
import json
import struct
from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator
from functools import lru_cache
from typing import Any

from amqp.basic_message import Message
from amqp.serialization import dumps

__all__ = ["EXCHANGE", "MULTI", "AmqpWire", "RedisWire", "Wire", "grouped"]

Event = dict[str, Any]

EXCHANGE = "celeryev"
MULTI = 24
"""Events in one `task-multi` message: Celery's `buffer_limit`."""

_ENVELOPE = (
    b'{"body": "%s", "content-encoding": "utf-8", "content-type": "application/json", "headers": {"hostname": "%s"}, '
    b'"properties": {"delivery_mode": 1, "delivery_info": {"exchange": "celeryev", "routing_key": "%s"}, '
    b'"priority": 0, "body_encoding": "base64", "delivery_tag": "%s"}}'
)
_CLASS, _PUBLISH = 60, 40
_FRAME_END = b"\xce"


class Wire(ABC):
    """Turns an event, or the list of events of a `task-multi` message, into bytes for a broker's socket."""

    def encode(self, payload: Event | list[Event]) -> bytes:
        """Return everything to write to the socket for this message."""
        if isinstance(payload, list):
            return self._message(json.dumps(payload).encode(), payload[0]["hostname"], "task.multi")
        return self._message(json.dumps(payload).encode(), payload["hostname"], payload["type"].replace("-", "."))

    @abstractmethod
    def _message(self, body: bytes, hostname: str, routing_key: str) -> bytes: ...


class RedisWire(Wire):
    """Writes `PUBLISH` commands for one database."""

    def __init__(self, database: int) -> None:
        self._database = database
        self._tags = 0

    def _message(self, body: bytes, hostname: str, routing_key: str) -> bytes:
        self._tags += 1
        tag = b"00000000-0000-4000-8000-%012x" % self._tags
        envelope = _ENVELOPE % (base64.b64encode(body), hostname.encode(), routing_key.encode(), tag)
        channel = b"/%d.%s/%s" % (self._database, EXCHANGE.encode(), routing_key.encode())
        return b"*3\r\n$7\r\nPUBLISH\r\n$%d\r\n%s\r\n$%d\r\n%s\r\n" % (len(channel), channel, len(envelope), envelope)


class AmqpWire(Wire):
    """Writes `basic.publish` on channel 1. `frame_max` is what the connection agreed on, in bytes."""

    def __init__(self, frame_max: int) -> None:
        self._room = frame_max - 8
        self._properties = lru_cache(maxsize=64)(_properties)
        self._method = lru_cache(maxsize=64)(_method)

    def _message(self, body: bytes, hostname: str, routing_key: str) -> bytes:
        header = struct.pack(">HHQ", _CLASS, 0, len(body)) + self._properties(hostname)
        pieces = [_frame(3, body[at : at + self._room]) for at in range(0, len(body), self._room)]
        return b"".join((self._method(routing_key), _frame(2, header), *pieces))


def grouped(events: Iterable[Event]) -> Iterator[Event | list[Event]]:
    """Yield messages as workers that buffer send them: lists of one worker's events; clients send singly."""
    buffers: dict[str, list[Event]] = {}
    for event in events:
        if event["type"] == "task-sent" or not event["type"].startswith("task-"):
            yield event
            continue
        buffer = buffers.setdefault(event["hostname"], [])
        buffer.append(event)
        if len(buffer) == MULTI:
            yield buffers.pop(event["hostname"])
    yield from buffers.values()


def _properties(hostname: str) -> bytes:
    message = Message(
        "",
        content_type="application/json",
        content_encoding="utf-8",
        application_headers={"hostname": hostname},
        delivery_mode=1,
        priority=0,
    )
    return bytes(message._serialize_properties())


def _method(routing_key: str) -> bytes:
    arguments = dumps("Bssbb", (0, EXCHANGE, routing_key, False, False))
    return _frame(1, struct.pack(">HH", _CLASS, _PUBLISH) + arguments)


def _frame(kind: int, payload: bytes) -> bytes:
    return struct.pack(">BHI", kind, 1, len(payload)) + payload + _FRAME_END
