"""Server-sent events for open pages: which topics changed, never the data itself."""

from __future__ import annotations

import asyncio
import json
import socket
from collections.abc import AsyncIterator
from contextlib import suppress
from typing import Any

from tornado.iostream import StreamClosedError

from flower_plugins import Forbidden, InvalidParameter
from flower_plugins.web import Handler

__all__ = ["StreamHandler"]

_MOST_TOPICS = 50
_LONGEST_TOPIC = 300


class StreamHandler(Handler):
    """`/stream`: a comment every `ping` seconds, an end after `lifetime` seconds.

    Browsers reconnect by themselves; the end makes them pass the guard again, so a visitor who logged
    out does not keep listening. For who does not read, the kernel holds `unread` bytes, or twice that where it counts
    its own upkeep, and we one message; a reader who leaves that full for `patience` seconds is cut off.
    """

    ping = 15.0
    lifetime = 55.0
    patience = 10.0
    unread = 32 * 1024

    async def get(self) -> None:
        if self.foreign:
            raise Forbidden("Cross-site request forbidden")
        topics = self._topics()
        self._bound()
        self._open()
        subscription = aiter(self.host.stream.subscribe(topics))
        try:
            await self._send("retry: 1000\n\n")
            await self._relay(subscription)
        except StreamClosedError:
            return
        except asyncio.TimeoutError:
            self.detach().close()
        finally:
            close = getattr(subscription, "aclose", None)
            if close is not None:
                await close()

    def head(self) -> None:
        """Answer with the headers alone; there is no body to wait for."""
        self._open()

    def on_connection_close(self) -> None:
        """End the relay when the reader leaves."""
        super().on_connection_close()
        if self._gone is not None and not self._gone.done():
            self._gone.set_result(None)

    _gone: asyncio.Future[None] | None = None

    def _open(self) -> None:
        self.set_header("Content-Type", "text/event-stream; charset=UTF-8")
        self.set_header("Cache-Control", "no-store")
        self.set_header("X-Accel-Buffering", "no")

    def _bound(self) -> None:
        """Keep the kernel from holding megabytes for who does not read, as it does by itself."""
        taken = getattr(getattr(self.request.connection, "stream", None), "socket", None)
        if taken is not None:
            with suppress(OSError):  # the reader has left already
                taken.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, self.unread)

    def _topics(self) -> list[str]:
        topics = list(dict.fromkeys(topic for topic in self.params["topics"].split(",") if topic))
        if not topics or len(topics) > _MOST_TOPICS or any(len(topic) > _LONGEST_TOPIC for topic in topics):
            raise InvalidParameter(
                f"Invalid argument topics: name 1 to {_MOST_TOPICS} of at most {_LONGEST_TOPIC} characters"
            )
        return topics

    async def _relay(self, subscription: AsyncIterator[frozenset[str]]) -> None:
        loop = asyncio.get_running_loop()
        end = loop.time() + self.lifetime
        self._gone = loop.create_future()
        change = asyncio.ensure_future(anext(subscription))
        try:
            while not self._gone.done() and (left := end - loop.time()) > 0:
                either: set[asyncio.Future[Any]] = {change, self._gone}
                await asyncio.wait(either, timeout=min(self.ping, left), return_when=asyncio.FIRST_COMPLETED)
                if self._gone.done():
                    return
                if not change.done():
                    await self._send(": ping\n\n")
                    continue
                try:
                    topics = change.result()
                except StopAsyncIteration:
                    return
                await self._send(f"event: change\ndata: {json.dumps({'topics': sorted(topics)})}\n\n")
                change = asyncio.ensure_future(anext(subscription))
        finally:
            change.cancel()
            with suppress(asyncio.CancelledError, StopAsyncIteration):
                await change

    async def _send(self, chunk: str) -> None:
        self.write(chunk)
        await asyncio.wait_for(self.flush(), self.patience)
