"""What is remembered across restarts: from the store into the state at the start, and back while it changes."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping, Sequence
from typing import Any, cast

import msgspec

from flower.history import Recorder
from flower.state import State, WorkerRecord
from flower_plugins import Banner, HistoryStore, Worker

__all__ = ["Memory"]

log = logging.getLogger("flower")

_STOP_SECONDS = 10.0


class Memory:
    """Connects a state with a history store."""

    def __init__(self, state: State, store: HistoryStore, *, interval: float, max_tasks: int, max_workers: int) -> None:
        """`interval` is how many seconds of history a crash may cost."""
        self._state = state
        self._max_tasks, self._max_workers = max_tasks, max_workers
        self._recorder = Recorder(store, dump_task=msgspec.to_builtins, dump_worker=_dump_worker, interval=interval)

    def banners(self) -> Sequence[Banner]:
        """Say when history is not being kept."""
        problem = self._recorder.problem
        return [Banner("warning", problem)] if problem else []

    async def start(self) -> None:
        """Recall what an earlier run kept, then begin to keep. Raise ConfigurationError when there is no place to."""
        kept = await self._recorder.load(tasks=self._max_tasks, workers=self._max_workers)
        self._state.restore_workers(row.fields for row in kept.workers)
        tasks = self._state.restore(row.fields for row in kept.tasks)
        log.info("Recalled %d tasks and %d workers", tasks, len(kept.workers))
        self._state.subscribe(self._recorder.on_changes)
        self._state.on_removed(lambda kind, key: self._recorder.on_removed(kind, (key,)))
        await self._recorder.start()

    async def stop(self) -> None:
        """Keep what changed last; a disk that hangs does not hold up the end for ever."""
        try:
            await asyncio.wait_for(self._recorder.stop(), _STOP_SECONDS)
        except asyncio.TimeoutError:
            log.error("The last changes could not be kept within %d s", _STOP_SECONDS)


def _dump_worker(worker: Worker) -> Mapping[str, Any]:
    return cast(WorkerRecord, worker).dump()  # the state's own, which plugins know as Worker
