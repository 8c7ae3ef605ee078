"""One connection to Redis that is made for listening: the socket is read in slices, on the event loop.

redis-py takes 13 µs to receive a message, a slice through hiredis 1 to 3.
"""

from __future__ import annotations

import asyncio
import mmap
import os
import socket
import sys
from collections import deque
from collections.abc import Callable
from typing import Any, cast

import hiredis

__all__ = ["Connection", "RefusedError"]

# Hiredis takes any buffer and any number of words, and is annotated for less.
_pack: Any = hiredis.pack_command
_Reader: Any = hiredis.Reader

_SLICE = 256 * 1024
_PIECE = 32 * 1024
_CATCH_UP_SECONDS = 0.016
_FLOOD_SECONDS = 0.064
_GATHER_BYTES = 512 * 1024
_GATHER_SECONDS = 0.25
_PAUSE_SECONDS = 0.04
_BUSY_SECONDS = 0.3
_CLOSING_SECONDS = 1.0


class RefusedError(Exception):
    """Redis answered a command with an error; `code` is its first word, which quotes nothing."""

    def __init__(self, reply: hiredis.ReplyError) -> None:
        self.code = str(reply).split(" ", 1)[0][:20]
        super().__init__(self.code)


class Connection(asyncio.BufferedProtocol):
    """Speaks RESP2: hands what subscriptions bring to `deliver`, in one list a slice, and the rest to `ask`.

    `ended` holds the reason once the connection is gone; `heard` is the loop's time of the last byte.

    Redis cuts off a listener that lags 32 MB. So when a slice is full, more are read at once, for up to
    16 ms, twice what the pump takes for decoding before it is the socket's turn again, and when that does
    not do, for up to 64 ms. That way messages pile up where they are bounded and counted. TLS has to do
    with one slice a turn.

    Waking up costs more than reading. So while messages come often, the kernel wakes us for 512 KB only,
    and what is less is read four times a second, or when somebody is about to look (`hurry`). Where the
    kernel cannot count (TLS, Unix sockets, other systems) the socket is left alone for 40 ms at a time.
    """

    def __init__(self, deliver: Callable[[list[bytes]], None]) -> None:
        self._loop = asyncio.get_running_loop()
        self._deliver = deliver
        self._reader = _Reader()
        self._buffer = memoryview(mmap.mmap(-1, _SLICE))  # takes memory as far as it was ever filled
        self._awaited: deque[asyncio.Future[Any]] = deque()
        self._transport: asyncio.Transport | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._descriptor = -1
        self._socket: Any = None
        self._patience = _CATCH_UP_SECONDS
        self.ended: asyncio.Future[Exception] = self._loop.create_future()
        self.heard = self._loop.time()

    async def ask(self, *command: str | bytes, seconds: float) -> Any:
        """Return the answer to a command. Raise RefusedError, ConnectionError or TimeoutError."""
        answer: asyncio.Future[Any] = self._loop.create_future()
        self._awaited.append(answer)
        self.tell(*command)
        await asyncio.wait({answer, self.ended}, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
        if answer.done():
            reply = answer.result()
            if isinstance(reply, hiredis.ReplyError):
                raise RefusedError(reply)
            return reply
        if self.ended.done():
            raise ConnectionResetError("the connection ended") from self.ended.result()
        raise TimeoutError("no answer in time")

    def tell(self, *command: str | bytes) -> None:
        """Send a command whose answer is of no interest."""
        if self._transport is not None and not self.ended.done():
            self._transport.write(_pack(command))

    async def close(self) -> None:
        """Drop the connection."""
        if self._transport is not None:
            self._transport.abort()
            await asyncio.wait({self.ended}, timeout=_CLOSING_SECONDS)

    def hurry(self) -> None:
        """Read now what would be left to gather."""
        if self._timer is None:
            return
        if self._socket is not None:
            self._read_rest()
        else:
            self._timer.cancel()
            self._resume()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        if transport.get_extra_info("ssl_object") is None and hasattr(os, "readv"):
            opened = transport.get_extra_info("socket")
            self._descriptor = opened.fileno()
            if sys.platform == "linux" and opened.family in (socket.AF_INET, socket.AF_INET6):
                self._socket = opened

    def connection_lost(self, exc: Exception | None) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        self._descriptor, self._socket = -1, None
        self._end(exc or ConnectionResetError("the server closed the connection"))

    def get_buffer(self, sizehint: int) -> memoryview:
        return self._buffer

    def buffer_updated(self, nbytes: int) -> None:
        now = self._loop.time()
        soon = now - self.heard < _BUSY_SECONDS
        self.heard = now
        try:
            number = self._read(nbytes)
            drained = nbytes < _SLICE or (self._descriptor >= 0 and self._catch_up(now))
        except Exception as error:  # guards the loop: what the parser or the receiver raise ends this connection
            self._give_up(error)
            return
        if drained and self._timer is None and (number > 1 or (number and soon)):
            self._gather()

    def _gather(self) -> None:
        """Let events come together, from now on or for a moment."""
        if self._socket is not None:
            self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVLOWAT, _GATHER_BYTES)
            self._timer = self._loop.call_later(_GATHER_SECONDS, self._look)
        elif self._transport is not None and not self.ended.done():
            self._transport.pause_reading()
            self._timer = self._loop.call_later(_PAUSE_SECONDS, self._resume)

    def _look(self) -> None:
        """Read what has gathered; when that is nothing, wait for the next byte again."""
        if self._read_rest():
            self._timer = self._loop.call_later(_GATHER_SECONDS, self._look)
        else:
            self._timer = None
            if self._socket is not None:
                self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVLOWAT, 1)

    def _resume(self) -> None:
        self._timer = None
        if self._transport is not None:
            self._transport.resume_reading()

    def _read_rest(self) -> bool:
        """Read past the transport; return whether anything was there."""
        before, now = self.heard, self._loop.time()
        try:
            self._catch_up(now)
        except Exception as error:  # guards the loop, as above
            self._give_up(error)
        return self.heard > before

    def _catch_up(self, now: float) -> bool:
        """Read what is in the socket, past the transport, which reads one slice per turn of the loop.

        Return True when nothing is left.
        """
        until = now + self._patience
        while self._loop.time() < until:
            try:
                nbytes = os.readv(self._descriptor, [self._buffer])
            except BlockingIOError:
                nbytes = 0
            if nbytes:
                self.heard = now
                self._read(nbytes)
            if nbytes < _SLICE:
                self._patience = _CATCH_UP_SECONDS
                return True  # also at the end, which the transport finds out by itself
        self._patience = min(self._patience * 2, _FLOOD_SECONDS)
        return False

    def _give_up(self, error: Exception) -> None:
        self._end(error)
        if self._transport is not None:
            self._transport.abort()

    def _read(self, nbytes: int) -> int:
        """Hand on what is complete; return how many messages that were."""
        take = self._reader.gets
        payloads: list[bytes] = []
        # In pieces: hiredis moves what is left of its buffer after each reply, which a large buffer makes dear.
        for start in range(0, nbytes, _PIECE):
            self._reader.feed(self._buffer, start, min(_PIECE, nbytes - start))
            while True:
                reply = take()
                if reply is False:
                    break
                if type(reply) is list and reply[0] == b"pmessage":
                    payloads.append(reply[3])
                else:
                    self._answer(reply)
        if payloads:
            self._deliver(payloads)
        return len(payloads)

    def _answer(self, reply: Any) -> None:
        if self._awaited:
            answer = self._awaited.popleft()
            if not answer.done():
                answer.set_result(reply)

    def _end(self, reason: Exception) -> None:
        if not self.ended.done():
            self.ended.set_result(reason)
