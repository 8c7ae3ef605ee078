"""Looks at the queues now and then, so that their lengths have a history."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Sequence
from typing import Protocol

from flower_plugins import QueueStats, Service

__all__ = ["QueueHistory"]

_PERIOD = 10.0
_SHARE = 0.02


class _Queues(Protocol):
    took: float

    def names(self) -> Sequence[str]: ...
    async def sample(self, max_age: float) -> None: ...


class _Lengths(Protocol):
    def note_length(self, queue: str, messages: int) -> None: ...
    def queues(self) -> Iterable[str]: ...


class QueueHistory(Service):
    """Asks every 10 s, while events arrive, so that a broker that is gone is left alone.

    Where there is neither a worker nor a task (`inhabited`), and no message waits in the queues that somebody looked
    at last, lengths do not change and nobody is asked. Where answers take long, it asks so seldom that the broker
    spends 2 % of the time on it. What others asked for counts as well.
    """

    name = "queue history"

    def __init__(
        self,
        lengths: _Lengths,
        *,
        up: Callable[[], bool],
        inhabited: Callable[[], bool],
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._lengths, self._sleep = lengths, sleep
        self._up, self._inhabited = up, inhabited
        self._waiting = False
        self._queues: _Queues | None = None
        self._task: asyncio.Task[None] | None = None

    def attach(self, queues: _Queues) -> None:
        """Say whom to ask, who says in turn what was seen."""
        self._queues = queues

    def watched(self) -> Iterable[str]:
        """Return the queues that tasks were sent to lately, whether or not anybody consumes from them."""
        return self._lengths.queues()

    def seen(self, rows: Sequence[QueueStats]) -> None:
        """Note the lengths that the broker told; of queues nobody consumes from, as long as they hold messages."""
        names = frozenset(self._queues.names() if self._queues else ())
        self._waiting = False
        for row in rows:
            messages = row.ready if row.messages is None else row.messages
            self._waiting = self._waiting or bool(messages)
            if messages is not None and (messages or row.name in names):
                self._lengths.note_length(row.name, messages)

    async def start(self) -> None:
        """Begin."""
        if self._task is None and self._queues is not None:
            self._task = asyncio.ensure_future(self._repeat(self._queues))

    async def stop(self) -> None:
        """End."""
        task, self._task = self._task, None
        if task is not None:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    async def _repeat(self, queues: _Queues) -> None:
        while True:
            if self._up() and (self._waiting or self._inhabited()):
                await queues.sample(_PERIOD / 2)
            await self._sleep(max(_PERIOD, queues.took / _SHARE))
