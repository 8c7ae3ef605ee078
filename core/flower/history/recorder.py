"""The recorder: hands what changed to the history store, without ever holding up the event loop."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from typing import Any

from msgspec import Struct

from flower.history.desk import Desk
from flower_plugins import EventSink, HistoryStore, Row, Task, TaskChange, Worker, WorkerChange

__all__ = ["Recorder", "Restored"]

log = logging.getLogger(__name__)

_Key = tuple[str, str]
_Mark = tuple[int, "Task | Worker | None"]

_SLICE_SECONDS = 0.005
_CHUNK = 1_000
_LOG_SECONDS = 60.0


class Restored(Struct, frozen=True):
    """What the store held at the start, each oldest change first."""

    workers: Sequence[Row]
    tasks: Sequence[Row]


class Recorder(EventSink):
    """Remembers which records changed and saves them every `interval` seconds.

    `dump_task` and `dump_worker` turn a record into the fields of a Row. They run on the event loop,
    a few milliseconds at a time; encoding and writing run on one thread of the recorder's own. What
    cannot be saved is tried again with the next save, so `problem` is empty again once that worked.
    """

    def __init__(
        self,
        store: HistoryStore,
        *,
        dump_task: Callable[[Task], Mapping[str, Any]],
        dump_worker: Callable[[Worker], Mapping[str, Any]],
        interval: float = 2.0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.problem = ""
        """Why the last save failed, in words fit for a banner; "" while all is well."""
        self._store = store
        self._dumps: dict[str, Callable[[Any], Mapping[str, Any]]] = {"task": dump_task, "worker": dump_worker}
        self._interval = interval
        self._clock = clock
        self._desk = Desk("flower-history")
        self._marks: dict[_Key, _Mark] = {}
        self._order = 0
        self._next_log = 0.0
        self._saving: asyncio.Task[None] | None = None

    async def load(self, *, tasks: int, workers: int) -> Restored:
        """Open the store and return its newest rows. Raise ConfigurationError when it cannot be opened."""
        await self._desk.run(self._store.open)
        restored = Restored(
            workers=await self._desk.run(self._store.load, "worker", workers),
            tasks=await self._desk.run(self._store.load, "task", tasks),
        )
        self._order = max((row.order for row in (*restored.workers, *restored.tasks)), default=0)
        return restored

    async def start(self) -> None:
        """Begin to save periodically; `load` comes first."""
        self._saving = asyncio.create_task(self._save_for_ever())

    async def stop(self) -> None:
        """Save what is left and close the store. Never raises for a fault of the store."""
        if self._saving is not None:
            self._saving.cancel()
            with suppress(asyncio.CancelledError):
                await self._saving
            self._saving = None
        await self.flush()
        try:
            await self._desk.run(self._store.close)
        except Exception as error:  # the recorder's boundary: a store is a plugin
            log.error("The history store did not close: %s", error)
        self._desk.close()

    def on_changes(self, changes: Sequence[TaskChange | WorkerChange]) -> None:
        """Mark the records that changed; each is saved once however often it changes."""
        for change in changes:
            self._order += 1
            if isinstance(change, TaskChange):
                self._marks["task", change.task.uuid] = (self._order, change.task)
            else:
                self._marks["worker", change.worker.hostname] = (self._order, change.worker)

    def on_removed(self, kind: str, keys: Iterable[str]) -> None:
        """Mark records ("task" or "worker") that are no longer kept in memory, to be deleted.

        While nothing can be saved their marks are dropped instead, so that memory stays bounded; the
        store trims what this leaves behind when it is loaded.
        """
        for key in keys:
            self._order += 1
            if self.problem:
                self._marks.pop((kind, key), None)
            else:
                self._marks[kind, key] = (self._order, None)

    async def flush(self) -> None:
        """Save all that is marked now, in transactions of a bounded number of records."""
        marks, self._marks = self._marks, {}
        if not marks:
            return
        chunk: dict[_Key, _Mark] = {}
        try:
            while marks:
                await self._desk.run(self._store.save, *await self._dump(marks, chunk))
                chunk.clear()
        except Exception as error:  # the recorder's boundary: a store is a plugin
            self._note_failure(error)
        else:
            self._note_success()
        finally:
            # Also when cancelled: what may not have been written stays marked, later changes win.
            marks.update(chunk)
            marks.update(self._marks)
            self._marks = marks

    async def _save_for_ever(self) -> None:
        while True:
            await asyncio.sleep(self._interval)
            await self.flush()

    async def _dump(self, marks: dict[_Key, _Mark], chunk: dict[_Key, _Mark]) -> tuple[list[Row], list[_Key]]:
        """Move marks into `chunk` and return what a store needs to save them."""
        rows: list[Row] = []
        removed: list[_Key] = []
        until = self._clock() + _SLICE_SECONDS
        while marks and len(chunk) < _CHUNK:
            key, (order, record) = marks.popitem()
            chunk[key] = (order, record)
            if record is None:
                removed.append(key)
            else:
                rows.append(Row(*key, order, self._dumps[key[0]](record)))
            if self._clock() >= until:
                await asyncio.sleep(0)
                until = self._clock() + _SLICE_SECONDS
        return rows, removed

    def _note_failure(self, error: Exception) -> None:
        self.problem = f"History is not being saved: {error}"
        if self._clock() >= self._next_log:
            self._next_log = self._clock() + _LOG_SECONDS
            log.error("%s; trying again", self.problem)

    def _note_success(self) -> None:
        if self.problem:
            log.warning("History is being saved again")
        self.problem, self._next_log = "", 0.0
