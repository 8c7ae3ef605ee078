"""Workers send events only when told to: tell them, again and again, as new ones come."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from flower.masking import safe_error
from flower.quiet import QuietLog
from flower_plugins import Service

__all__ = ["EnableEvents"]


class _Casts(Protocol):
    async def cast(
        self, method: str, arguments: Mapping[str, Any] | None = None, destination: Sequence[str] | None = None
    ) -> None: ...


class EnableEvents(Service):
    """Broadcasts `enable_events` every `period` seconds between `start` and `stop`."""

    name = "enable events"

    def __init__(self, mailbox: _Casts, *, period: float = 5.0, log: logging.Logger | None = None) -> None:
        self._mailbox, self._period = mailbox, period
        self._quiet = QuietLog(log or logging.getLogger("flower.control"), interval=60)
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Begin, at once."""
        if self._task is None:
            self._task = asyncio.ensure_future(self._repeat())

    async def stop(self) -> None:
        """End."""
        task, self._task = self._task, None
        if task is not None:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    async def _repeat(self) -> None:
        while True:
            try:
                await self._mailbox.cast("enable_events")
            except Exception as error:  # guards the loop: a transport may raise anything, and be mended
                self._quiet.warning("enable", f"Failed to enable events: {safe_error(error)}")
            await asyncio.sleep(self._period)
