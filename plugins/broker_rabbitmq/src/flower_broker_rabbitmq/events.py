"""The event source for RabbitMQ: a thread that reads the broker's socket with a frame reader of our own.

py-amqp opens the connection and declares what is needed. From the confirmed consumer on, everything on
the socket is read and written here: messages, heartbeats, and the broker's reasons for ending it.
"""

from __future__ import annotations

import asyncio
import logging
import selectors
import socket
import ssl
import struct
import threading
import time
from collections.abc import Mapping
from contextlib import suppress

from flower_broker_rabbitmq.frames import HEARTBEAT, FrameReader, Method, ProtocolError, method_frame
from flower_broker_rabbitmq.subscription import Subscription
from flower_plugins import Broker, EventSource, Messages, OfferContext, Pump, Unavailable

__all__ = ["RabbitMQEventSource"]

_CHUNK_BYTES = 256 * 1024
_GATHER_BYTES = 128 * 1024
_GATHER_SECONDS = 0.25
_BRIEF_SECONDS = 0.02
_WAIT_SECONDS = 0.5
_FAREWELL_SECONDS = 0.6
_GRACE_SECONDS = 1.25
_ENDING_SECONDS = 0.5

_CONNECTION_CLOSE, _CONNECTION_CLOSE_OK = (10, 50), (10, 51)
_CONNECTION_BLOCKED, _CONNECTION_UNBLOCKED = (10, 60), (10, 61)
_CHANNEL_CLOSE, _CHANNEL_CLOSE_OK = (20, 40), (20, 41)
_BASIC_CANCEL = (60, 30)


class RabbitMQEventSource(EventSource):
    """Consumes the event exchange of the RabbitMQ broker, or any other that speaks AMQP 0-9-1, in `context`."""

    def __init__(self, context: OfferContext) -> None:
        self._broker = context.broker
        self._log = context.log
        self._reader: _Reader | None = None

    def hurry(self) -> None:
        """Wake the thread where it lets events gather."""
        if self._reader is not None:
            self._reader.hurried.set()

    async def run(self, pump: Pump) -> None:
        """Deliver until cancelled; raise whatever ended the connection."""
        loop = asyncio.get_running_loop()
        self._reader = reader = _Reader(self._broker, _Outlet(pump), self._log)
        ended: asyncio.Future[BaseException | None] = loop.create_future()

        def read() -> None:
            error: BaseException | None = None
            try:
                reader.run()
            except BaseException as caught:  # guards the process: kombu and py-amqp may raise anything
                error = caught
            # The loop may be closed before a thread that was stuck in a name lookup comes back.
            with suppress(RuntimeError):
                loop.call_soon_threadsafe(lambda: None if ended.done() else ended.set_result(error))

        thread = threading.Thread(target=read, name="flower-events", daemon=True)
        thread.start()
        try:
            await asyncio.wait({ended})
        finally:
            reader.outlet.shut()
            reader.hurried.set()
            if not (await asyncio.wait({ended}, timeout=_GRACE_SECONDS))[0]:
                reader.cut()
                await asyncio.wait({ended}, timeout=_ENDING_SECONDS)
            # Only a name lookup cannot be cut short; the shut outlet keeps that thread from saying anything.
            if ended.done():
                thread.join()
        error = ended.result()
        if isinstance(error, Exception):
            raise error
        if error is not None:
            raise RuntimeError(f"{type(error).__name__} in the event reader") from error


class _Outlet:
    """The pump, until it is shut: after that a reader that lives on is not heard."""

    def __init__(self, pump: Pump) -> None:
        self._pump = pump
        self._lock = threading.Lock()
        self.closed = False

    def shut(self) -> None:
        with self._lock:
            self.closed = True

    def offer(self, batch: Messages) -> None:
        with self._lock:
            if not self.closed:
                self._pump.offer(batch)

    def connected(self, detail: Mapping[str, str]) -> None:
        with self._lock:
            if not self.closed:
                self._pump.connected(detail)


class _Reader:
    """One connection, from its opening to its end; lives on the thread, except `cut` and `hurried`."""

    def __init__(self, broker: Broker, outlet: _Outlet, log: logging.Logger) -> None:
        self.outlet = outlet
        self.hurried = threading.Event()
        """Set when events are wanted now."""
        self._log = log
        self._subscription = Subscription(broker, log)
        self._blocked = False
        self._sent = self._heard = 0.0

    def run(self) -> None:
        """Subscribe, and read until the outlet is shut or the connection ends."""
        subscription = self._subscription
        try:
            subscription.open()
            subscription.socket.settimeout(_WAIT_SECONDS)
            frames = FrameReader(subscription.channel, subscription.frame_max, offer=self.outlet.offer, obey=self._obey)
            self._sent = self._heard = time.monotonic()
            self.outlet.connected({"queue": subscription.queue, "transport": "rabbitmq"})
            self._read(frames)
            self._leave(frames)
        finally:
            subscription.close()

    def cut(self) -> None:
        """End whatever the thread waits for."""
        self._subscription.cut()

    def _read(self, frames: FrameReader) -> None:
        sock = self._subscription.socket
        with selectors.DefaultSelector() as selector:
            selector.register(sock, selectors.EVENT_READ)
            before = self._heard
            while not self.outlet.closed:
                chunk = self._receive()
                self._beat()
                frames.feed(chunk)
                if 0 < len(chunk) < _CHUNK_BYTES and not _decrypted(sock) and not selector.select(0):
                    # Few messages at a time would cost several times as much, here and on the event loop.
                    self.hurried.wait(_pause(len(chunk), self._heard - before))
                    self.hurried.clear()
                    before = self._heard

    def _receive(self) -> bytes:
        """Return what the broker sent, b"" when nothing came for a while."""
        try:
            chunk = self._subscription.socket.recv(_CHUNK_BYTES)
        except TimeoutError as error:
            if error.errno is not None:  # the kernel's timeout, which is the connection's end, not ours
                raise
            return b""
        if not chunk:
            raise Unavailable("The broker closed the connection without a word")
        self._heard = time.monotonic()
        return chunk

    def _beat(self) -> None:
        """Give a sign of life when it is time, and expect the broker's: two missed ones are the end."""
        now, interval = time.monotonic(), self._subscription.heartbeat
        if interval <= 0:
            return
        if now - self._heard > 2 * interval:
            raise Unavailable(f"The broker has been silent for {now - self._heard:.0f} seconds")
        # RabbitMQ does not read from a blocked connection: heartbeats would only fill the socket's buffer.
        if now - self._sent >= interval / 2 and not self._blocked:
            self._send(HEARTBEAT)

    def _send(self, frame: bytes) -> None:
        self._subscription.socket.sendall(frame)
        self._sent = time.monotonic()

    def _obey(self, method: Method) -> None:
        """Act on what the broker says about the connection or a channel."""
        number = method.class_id, method.method_id
        if method.channel == 0:
            self._obey_connection(number, method.arguments)
        elif method.channel == self._subscription.channel and number == _BASIC_CANCEL:
            raise Unavailable(f"The broker cancelled the consumer: queue {self._subscription.queue} is gone")
        elif method.channel == self._subscription.channel and number == _CHANNEL_CLOSE:
            raise Unavailable(f"The broker closed the channel: {_reason(method.arguments)}")
        elif method.channel == self._subscription.wake_channel and number == _CHANNEL_CLOSE:
            self._log.warning("Workers were not asked for a heartbeat: %s", _reason(method.arguments))
            self._send(method_frame(method.channel, *_CHANNEL_CLOSE_OK))
        else:
            raise _unexpected(method.channel, number)

    def _obey_connection(self, number: tuple[int, int], arguments: bytes) -> None:
        if number == _CONNECTION_CLOSE:
            with suppress(OSError):
                self._send(method_frame(0, *_CONNECTION_CLOSE_OK))
            raise Unavailable(f"The broker closed the connection: {_reason(arguments)}")
        if number == _CONNECTION_BLOCKED:
            self._blocked = True
            self._log.warning("The broker accepts no messages (%s); events still arrive", _short_text(arguments))
        elif number == _CONNECTION_UNBLOCKED:
            self._blocked = False
            self._log.info("The broker accepts messages again")
        elif number == _CONNECTION_CLOSE_OK and self.outlet.closed:
            raise _Farewell
        else:
            raise _unexpected(0, number)

    def _leave(self, frames: FrameReader) -> None:
        """Tell the broker, so that it need not wonder; give it a moment to answer."""
        deadline = time.monotonic() + _FAREWELL_SECONDS
        with suppress(OSError, Unavailable, _Farewell):
            self._send(method_frame(0, *_CONNECTION_CLOSE, struct.pack(">HBHH", 200, 0, 0, 0)))
            while time.monotonic() < deadline:
                frames.feed(self._receive())


def _pause(octets: int, seconds: float) -> float:
    """Return how long to leave a socket alone on which so much came in so long: until it is worth a turn."""
    if seconds > 2 * _GATHER_SECONDS:
        return _BRIEF_SECONDS  # what comes after silence is seldom followed by much
    return min(max(seconds * _GATHER_BYTES / octets, _BRIEF_SECONDS), _GATHER_SECONDS)


class _Farewell(Exception):
    """The broker agrees that the connection ends."""


def _decrypted(sock: socket.socket) -> int:
    """Return how many bytes wait in the TLS layer, where no selector sees them."""
    return sock.pending() if isinstance(sock, ssl.SSLSocket) else 0


def _unexpected(channel: int, number: tuple[int, int]) -> ProtocolError:
    return ProtocolError(f"The broker sent method {number[0]}.{number[1]} unexpectedly on channel {channel}")


def _reason(arguments: bytes) -> str:
    """Return the reply code and text of a `close` method."""
    if len(arguments) < 2:
        return "no reason given"
    return f"({int.from_bytes(arguments[:2], 'big')}) {_short_text(arguments[2:])}"


def _short_text(data: bytes) -> str:
    return data[1 : 1 + data[0]].decode(errors="replace") if data else ""
