"""Cuts the byte stream of an AMQP 0-9-1 connection into messages and methods, without any input or output.

py-amqp builds several objects for each frame, and for each message a dictionary of properties; this
reads the same stream in a tenth of the time, because events share a handful of property sets.
Layout: sections 2.3.5 and 4.2 of the protocol, https://www.rabbitmq.com/resources/specs/amqp0-9-1.pdf.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from typing import NamedTuple

from flower_broker_rabbitmq.properties import Encoding, read_encoding
from flower_plugins import Messages, Unavailable

__all__ = ["HEARTBEAT", "MESSAGE_LIMIT", "FrameReader", "Method", "ProtocolError", "method_frame"]

MESSAGE_LIMIT = 16 * 2**20
"""Bytes of the largest message that is kept; core refuses larger ones."""

HEARTBEAT = b"\x08\x00\x00\x00\x00\x00\x00\xce"

_METHOD, _HEADER, _BODY, _HEARTBEAT = 1, 2, 3, 8
_FRAME_END = 0xCE
_BASIC = 60
_DELIVER = (_BASIC << 16) | 60
_FRAME_HEADER = 7
_CONTENT_HEADER = 12

_KNOWN_ENCODINGS = 256
_KNOWN_BYTES = 1024

_frame_header = struct.Struct(">BHI")
_long = struct.Struct(">I").unpack_from
_content_header = struct.Struct(">HHQ").unpack_from


class ProtocolError(Unavailable):
    """Bytes that no AMQP 0-9-1 broker sends at this point; nothing after them can be trusted."""


class Method(NamedTuple):
    """A method other than basic.deliver; `arguments` is what follows its two numbers."""

    channel: int
    class_id: int
    method_id: int
    arguments: bytes


class FrameReader:
    """Reads what a broker sends once one consumer, on one channel, has subscribed.

    Messages go to `offer` in the order of arrival, those of one `feed` that share an encoding together.
    Methods go to `obey`, after the messages before them; an exception it raises ends the reading.
    A body above `message_limit` is skipped, and None offered in its place. At most one frame and one
    message are held between two calls, and every byte is copied a bounded number of times.
    """

    def __init__(
        self,
        channel: int,
        frame_max: int,
        *,
        offer: Callable[[Messages], None],
        obey: Callable[[Method], None],
        message_limit: int = MESSAGE_LIMIT,
    ) -> None:
        self._channel = channel
        self._frame_limit = min(frame_max, MESSAGE_LIMIT) if frame_max else MESSAGE_LIMIT
        self._offer = offer
        self._obey = obey
        self._message_limit = message_limit
        self._tail = bytearray()
        self._needed = 0
        self._expected = _METHOD
        self._left = 0
        self._body: bytearray | None = None
        self._skipping = False
        self._properties = b""
        self._encoding = Encoding()
        self._known: dict[bytes, Encoding] = {}
        self._bodies: list[bytes | None] = []

    def feed(self, data: bytes) -> None:
        """Take the next bytes, of any length. Raise ProtocolError, or what `obey` raises; then feed no more."""
        if self._tail:
            self._tail += data
            if len(self._tail) < self._needed:
                return
            data = bytes(self._tail)
            self._tail.clear()
        try:
            position = self._cut(data)
        finally:
            self._flush()
        if position < len(data):
            self._tail += memoryview(data)[position:]

    def _cut(self, data: bytes) -> int:
        """Handle every whole frame; return where the first incomplete one begins.

        The hot path of the event stream: three turns of this loop make one message.
        """
        position, total = 0, len(data)
        header, own, limit = _frame_header.unpack_from, self._channel, self._frame_limit
        while total - position >= _FRAME_HEADER:
            kind, channel, size = header(data, position)
            start = position + _FRAME_HEADER
            end = start + size
            if size + 8 > limit:
                raise ProtocolError(f"The broker sent a frame of {size} bytes; {limit} are agreed on")
            if end >= total:
                self._needed = size + 8
                return position
            if data[end] != _FRAME_END:
                raise ProtocolError("The broker sent a frame without an end")
            if channel == own and kind == self._expected:
                if kind == _BODY:
                    self._add(data, start, end)
                elif kind == _HEADER:
                    self._begin(data, start, end)
                elif size >= 4 and _long(data, start)[0] == _DELIVER:
                    self._expected = _HEADER
                else:
                    self._method(channel, data[start:end])
            else:
                self._other(kind, channel, data[start:end])
            position = end + 1
        self._needed = _FRAME_HEADER
        return position

    def _begin(self, data: bytes, start: int, end: int) -> None:
        """Read a content header: how long the body is, and its encoding."""
        if end - start < _CONTENT_HEADER:
            raise ProtocolError("The broker sent a content header that is too short")
        class_id, _, size = _content_header(data, start)
        if class_id != _BASIC:
            raise ProtocolError(f"The broker sent content of class {class_id}")
        properties = data[start + _CONTENT_HEADER : end]
        if properties != self._properties:
            self._turn_to(properties)
        if not size:
            self._expected = _METHOD
            self._bodies.append(b"")
            return
        self._expected, self._left = _BODY, size
        self._skipping = size > self._message_limit

    def _add(self, data: bytes, start: int, end: int) -> None:
        """Read a body frame; a message whose last it is, is complete."""
        self._left -= end - start
        if self._left > 0:
            if self._skipping:
                return
            if self._body is None:
                self._body = bytearray()
            self._body += memoryview(data)[start:end]
            return
        if self._left < 0:
            raise ProtocolError("The broker sent more of a message than it announced")
        self._expected = _METHOD
        if self._skipping:
            self._bodies.append(None)
        elif self._body is None:
            self._bodies.append(data[start:end])
        else:
            self._body += memoryview(data)[start:end]
            self._bodies.append(bytes(self._body))
            self._body = None

    def _turn_to(self, properties: bytes) -> None:
        """Change to another set of properties, and offer what came with an encoding that differs."""
        encoding = self._known.get(properties)
        if encoding is None:
            encoding = read_encoding(properties)
            if len(properties) <= _KNOWN_BYTES:
                if len(self._known) >= _KNOWN_ENCODINGS:
                    self._known.clear()
                self._known[properties] = encoding
        if encoding != self._encoding:
            self._flush()
            self._encoding = encoding
        self._properties = properties

    def _other(self, kind: int, channel: int, payload: bytes) -> None:
        """Handle a frame that is not the next one of a message."""
        if kind == _HEARTBEAT and channel == 0:
            return
        if kind != _METHOD or channel == self._channel:
            raise ProtocolError(f"The broker sent an unexpected frame of type {kind} on channel {channel}")
        self._method(channel, payload)

    def _method(self, channel: int, payload: bytes) -> None:
        if len(payload) < 4:
            raise ProtocolError("The broker sent a method without a number")
        number = _long(payload, 0)[0]
        self._flush()
        self._obey(Method(channel, number >> 16, number & 0xFFFF, payload[4:]))

    def _flush(self) -> None:
        if self._bodies:
            bodies, self._bodies = self._bodies, []
            self._offer(Messages(bodies, *self._encoding))


def method_frame(channel: int, class_id: int, method_id: int, arguments: bytes = b"") -> bytes:
    """Return the bytes of a method frame."""
    payload = struct.pack(">HH", class_id, method_id) + arguments
    return _frame_header.pack(_METHOD, channel, len(payload)) + payload + bytes([_FRAME_END])
