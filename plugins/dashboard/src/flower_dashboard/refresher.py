"""Asks workers about themselves beside a request, so that no page waits for a silent worker for long."""

from __future__ import annotations

import asyncio
import logging
import time
from collections import Counter, OrderedDict
from collections.abc import Coroutine
from typing import Any

from flower_plugins import FlowerError, Host

__all__ = ["Refresher"]

_log = logging.getLogger(__name__)

_INTERVAL = 5.0
_WAIT = 2.0
_REMEMBERED = 1000


class Refresher:
    """Starts inspections and remembers when; one for all requests."""

    def __init__(self, host: Host) -> None:
        self._host = host
        self._started: OrderedDict[str | None, float] = OrderedDict()
        self._running: set[asyncio.Task[None]] = set()
        self._asking: Counter[str | None] = Counter()

    def start(self, hostname: str | None = None) -> asyncio.Task[None] | None:
        """Ask one worker, or all, and return at once; None when that was done within the last five seconds."""
        if time.monotonic() - self._started.get(hostname, -_INTERVAL) < _INTERVAL:
            return None
        return self._start(hostname, self._ask(hostname))

    def changed(self, hostname: str) -> None:
        """Ask a worker whose answers an order has just made old, however recent they are, and tell open pages."""
        self._start(hostname, self._ask_anew(hostname))

    async def wait(self, hostname: str) -> None:
        """Ask a worker and give it two seconds to answer; the question goes on after that."""
        task = self.start(hostname)
        if task is not None:
            await asyncio.wait([task], timeout=_WAIT)

    def _start(self, hostname: str | None, question: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        self._started[hostname] = time.monotonic()
        self._started.move_to_end(hostname)
        while len(self._started) > _REMEMBERED:
            self._started.popitem(last=False)
        task = asyncio.ensure_future(question)
        self._running.add(task)
        task.add_done_callback(self._running.discard)
        return task

    async def _ask_anew(self, hostname: str) -> None:
        if self._asking[hostname]:
            await self._ask(hostname)  # Shares the question under way, whose answer may be from before the order.
        await self._ask(hostname)
        self._host.stream.notify("workers")

    async def _ask(self, hostname: str | None) -> None:
        self._asking[hostname] += 1
        try:
            await self._host.inspect.refresh(hostname)
        except FlowerError as error:
            _log.warning("Cannot inspect %s: %s", hostname or "workers", error.message)
        finally:
            self._asking[hostname] -= 1
            if not self._asking[hostname]:
                del self._asking[hostname]
