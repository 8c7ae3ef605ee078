"""Asks workers about themselves beside a request, so that no page waits for a silent worker for long."""

from __future__ import annotations

import asyncio
import logging
import time
from collections import OrderedDict

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

    def start(self, hostname: str | None = None) -> asyncio.Task[None] | None:
        """Ask one worker, or all, and return at once; None when that was done within the last five seconds."""
        now = time.monotonic()
        if now - self._started.get(hostname, -_INTERVAL) < _INTERVAL:
            return None
        self._started[hostname] = now
        self._started.move_to_end(hostname)
        while len(self._started) > _REMEMBERED:
            self._started.popitem(last=False)
        task = asyncio.ensure_future(self._ask(hostname))
        self._running.add(task)
        task.add_done_callback(self._running.discard)
        return task

    async def wait(self, hostname: str) -> None:
        """Ask a worker and give it two seconds to answer; the question goes on after that."""
        task = self.start(hostname)
        if task is not None:
            await asyncio.wait([task], timeout=_WAIT)

    async def _ask(self, hostname: str | None) -> None:
        try:
            await self._host.inspect.refresh(hostname)
        except FlowerError as error:
            _log.warning("Cannot inspect %s: %s", hostname or "workers", error.message)
