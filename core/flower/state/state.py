"""The live picture of the cluster: takes events in batches, answers readers, tells subscribers.

Only the event loop touches it; there are no locks.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping, Sequence

import msgspec

from flower.events.event import Event
from flower.state.counters import DEFAULT_BUCKETS, Counters
from flower.state.formatters import Data, Formatters
from flower.state.reducer import is_client, reduce
from flower.state.store import Position, TaskStore
from flower.state.subscribers import Callback, Change, Subscriber
from flower.state.tasks import TaskRecord
from flower.state.workers import WorkerRecord, WorkerStore
from flower_plugins import TaskChange, TaskFormatter, WorkerChange

__all__ = ["State"]


class State:
    """Owns tasks, workers and metrics. Times are seconds; `purge_offline_workers` None hides no worker."""

    def __init__(
        self,
        *,
        max_tasks: int = 100_000,
        max_workers: int = 5000,
        purge_offline_workers: float | None = None,
        buckets: Sequence[float] = DEFAULT_BUCKETS,
        now: Callable[[], float] = time.time,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self.metrics = Counters(self._known_workers, buckets=buckets, now=now)
        self.tasks = TaskStore(max_tasks=max_tasks, on_evict=self._forget_task)
        self.workers = WorkerStore(
            max_workers=max_workers,
            purge_after=purge_offline_workers,
            monotonic=monotonic,
            on_evict=self._forget_worker,
        )
        self._removals: list[Callable[[str, str], None]] = []
        self.formatters = Formatters(monotonic=monotonic)
        self._subscribers: list[Subscriber] = []
        self._monotonic = monotonic

    def add_formatter(self, formatter: TaskFormatter, failed: Callable[[str], None] | None = None) -> None:
        """Run a formatter on what comes in from now on; `failed` is told in words when it first raises."""
        self.formatters.add(formatter, failed)

    def subscribe(self, callback: Callback, turned_off: Callable[[str], None] | None = None) -> Subscriber:
        """Call back after each batch with its changes, until it raises too often: `turned_off` is told so in words.

        The result tells whether it still is called.
        """
        subscriber = Subscriber(callback, self._monotonic, turned_off)
        self._subscribers.append(subscriber)
        return subscriber

    def on_removed(self, callback: Callable[[str, str], None]) -> None:
        """Call back with "task" or "worker" and a key when a record makes room for a newer one. Must not raise."""
        self._removals.append(callback)

    def apply(self, events: Iterable[Event]) -> None:
        """Merge a batch of events, then tell subscribers what changed."""
        changes: list[Change] = []
        for event in events:
            if event.type.startswith("task-"):
                change = self._apply_task(event)
                if change is not None:
                    changes.append(change)
            elif event.type.startswith("worker-"):
                changes.append(WorkerChange(self.workers.note(event), event.type))
        self._tell(changes)

    def tick(self) -> None:
        """Notice workers that fell silent; to be called once a second."""
        lost = [WorkerChange(worker, "worker-lost") for worker in self.workers.lost()]
        for worker in self.workers.purged():
            self.metrics.forget_worker(worker.hostname)
        self._tell(lost)

    def restore_workers(self, workers: Iterable[Mapping[str, object]]) -> None:
        """Take in workers kept by an earlier run, least recently heard first; offline until heard again."""
        for fields in workers:
            self.workers.restore(fields)

    def restore(self, tasks: Iterable[Mapping[str, object]]) -> int:
        """Take in tasks kept by an earlier run, oldest first, before any event; return how many could be read.

        Each is a record as `msgspec.to_builtins` gives it. Tasks known already stay as they are, and
        nobody is told: nothing has happened.
        """
        restored = 0
        for fields in tasks:
            try:
                record = msgspec.convert(fields, TaskRecord)
            except msgspec.ValidationError:
                continue
            if self.tasks.get(record.uuid) is None:
                record.waiting = None
                self.tasks.place(record, None)
                if record.parent_id is not None:
                    self.tasks.link(record.uuid, record.parent_id)
                restored += 1
        return restored

    def _apply_task(self, event: Event) -> TaskChange | None:
        if not event.uuid:
            return None
        record = self.tasks.get(event.uuid)
        before = None
        if record is None:
            record = TaskRecord(event.uuid)
        else:
            before = Position(record.state, record.name, record.worker)
        parent_id = record.parent_id
        raw = Data.of(record) if self.formatters else None
        if not reduce(record, event):
            return None
        if raw is not None:
            self.formatters.apply(record, raw)
        if event.type != "task-sent" and not is_client(event.hostname):
            self.workers.note(event)
        self.metrics.count(event, record)
        self.tasks.place(record, before)
        if record.parent_id is not None and record.parent_id != parent_id:
            self.tasks.link(record.uuid, record.parent_id)
        return TaskChange(record, before.state if before else None, event.type, event.hostname)

    def _forget_task(self, record: TaskRecord) -> None:
        self.metrics.forget_task(record)
        self._removed("task", record.uuid)

    def _forget_worker(self, hostname: str) -> None:
        self.metrics.forget_worker(hostname)
        self._removed("worker", hostname)

    def _removed(self, kind: str, key: str) -> None:
        for callback in self._removals:
            callback(kind, key)

    def _tell(self, changes: Sequence[Change]) -> None:
        if changes:
            for subscriber in self._subscribers:
                subscriber.deliver(changes)

    def _known_workers(self) -> Mapping[str, WorkerRecord]:
        return self.workers.known()
