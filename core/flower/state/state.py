"""The live picture of the cluster: takes events in batches, answers readers, tells subscribers.

Only the event loop touches it; there are no locks.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterable, Mapping, Sequence

import msgspec

from flower.events.event import Event
from flower.state.counters import DEFAULT_BUCKETS, Counters
from flower.state.formatters import Data, Formatters, hide
from flower.state.held import Answer, HeldTask, HeldTasks
from flower.state.losses import Losses
from flower.state.reducer import is_client, reduce
from flower.state.rollups import RollupStore, Tallies
from flower.state.sharing import Shared
from flower.state.store import Position, TaskStore
from flower.state.subscribers import Callback, Change, Subscriber
from flower.state.tasks import TaskRecord
from flower.state.workers import Heard, WorkerRecord, WorkerStore
from flower_plugins import Gap, TaskChange, TaskFormatter, WorkerChange

__all__ = ["State"]

_LOG_INTERVAL = 60.0
_SHORT = 8
_new = tuple.__new__  # a third of the time of calling a NamedTuple
_log = logging.getLogger(__name__)


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
        gaps: Callable[[], Sequence[Gap]] = tuple,
    ) -> None:
        """`gaps` returns the times in which events were missed."""
        self._tallies = Tallies(self._known_workers)
        self.rollups = RollupStore(self._tallies, gaps=gaps, now=now, monotonic=monotonic)
        self.metrics = Counters(self._known_workers, buckets=buckets, now=now, tallies=self._tallies)
        self.workers = WorkerStore(
            max_workers=max_workers,
            purge_after=purge_offline_workers,
            monotonic=monotonic,
            on_evict=self._forget_worker,
            on_forget=self._drop_worker,
        )
        self._losses = Losses(self.workers, self._is_named, monotonic=monotonic)
        self.tasks = TaskStore(max_tasks=max_tasks, on_evict=self._forget_task, losses=self._losses)
        self._removals: list[Callable[[str, str], None]] = []
        self.formatters = Formatters(monotonic=monotonic)
        self._held = HeldTasks(self.tasks, self.workers, self.formatters, self.metrics, self._losses, now=now)
        self._subscribers: list[Subscriber] = []
        self._monotonic = monotonic
        self.failed = 0
        """How many events could not be merged, or not wholly."""
        self._logged_at = float("-inf")
        self._shared = Shared()

    def add_formatter(self, formatter: TaskFormatter, failed: Callable[[str], None] | None = None) -> None:
        """Run a formatter on what comes in from now on; `failed` is told in words when it first raises."""
        self.formatters.add(formatter, failed)

    def subscribe(
        self, callback: Callback, turned_off: Callable[[str], None] | None = None, name: str = ""
    ) -> Subscriber:
        """Call back after each batch with its changes, until it raises too often: `turned_off` is told so in words.

        `name` stands in the log, else that of the callback. The result tells whether it still is called.
        """
        subscriber = Subscriber(callback, self._monotonic, turned_off, name)
        self._subscribers.append(subscriber)
        return subscriber

    def on_removed(self, callback: Callable[[str, str], None]) -> None:
        """Call back with "task" or "worker" and a key when a record makes room for a newer one. Must not raise."""
        self._removals.append(callback)

    def apply(self, events: Iterable[Event]) -> None:
        """Merge a batch of events, then tell subscribers what changed.

        An event that fails costs itself: it is counted in `failed`, and the others go on.
        """
        changes: list[Change] = []
        heard: Heard = {}
        if self._monotonic() >= self.rollups.due:
            self.rollups.tick(listening=True)
        for event in events:
            kind = event.type
            try:
                if kind[:5] == "task-":
                    self._apply_task(event, changes, heard)
                elif kind[:7] == "worker-":
                    self.workers.note_heard(heard)
                    changes.append(WorkerChange(self.workers.note(event), kind))
            except Exception:  # guards the batch against one event nobody foresaw
                self._fail(event)
        self.workers.note_heard(heard)
        self._tell(changes)

    def merge_held(self, held: Iterable[HeldTask], as_of: int) -> None:
        """Take in tasks that workers say they hold, asked when `tasks.version` was `as_of`; then tell subscribers."""
        self._tell(list(self._held.merge(held, as_of)))

    def settle_held(self, tasks: Iterable[TaskRecord], answers: Mapping[str, Answer], as_of: int) -> None:
        """Correct what is believed of open tasks that workers, who gave `answers`, do not hold; tell subscribers."""
        lost = list(self._held.settle(tasks, answers, as_of))
        if lost:
            self._losses.forget(self.tasks.get)
            self.tasks.touch()
            self._tell(lost)

    @property
    def inhabited(self) -> bool:
        """Tell whether there is a worker or a task: without any, `tick` has nothing to look at."""
        return bool(self.workers.known()) or len(self.tasks) > 0

    def tick(self, *, listening: bool = True) -> None:
        """Notice workers that fell silent, and tasks that they leave behind; to be called once a second.

        Less often will do where nothing is `inhabited`. `listening` is False while no events arrive, whose absence then
        means nothing.
        """
        lost = [WorkerChange(worker, "worker-lost") for worker in self.workers.lost()]
        turned = self._losses.update(listening=listening)
        if turned:
            self.tasks.touch()
            lost += [WorkerChange(worker, "worker-back" if worker.online else "worker-gone") for worker in turned]
        for worker in self.workers.purged():
            self.metrics.forget_worker(worker.hostname)
        self.tasks.tick()
        self.rollups.tick(listening=listening)
        self._tell(lost)

    def restore_workers(self, workers: Iterable[Mapping[str, object]]) -> None:
        """Take in workers kept by an earlier run, least recently heard first; offline until heard again."""
        for fields in workers:
            self.workers.restore(fields)
        self._tallies.take_workers()  # what an earlier run counted has not happened now

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
                    self.tasks.link(record)
                restored += 1
        return restored

    # The `reduce` scenario of tests/bench is this function and what it calls.
    def _apply_task(self, event: Event, changes: list[Change], heard: Heard) -> None:
        uuid = event.uuid
        if not uuid:
            return
        record = self.tasks.get(uuid)
        if record is None:
            record, before, parent_id = TaskRecord(uuid), None, None
        else:
            before = record.state, record.name, record.worker, record.received, record.queue
            parent_id = record.parent_id
        self._share_texts(event)
        if not self._merge(record, event, before):
            return
        self.tasks.place(record, before)
        if record.parent_id is not None and record.parent_id != parent_id:
            self.tasks.link(record)
        kind, hostname = event.type, event.hostname
        if self._subscribers:
            change = record, None if before is None else before[0], kind, hostname
            changes.append(_new(TaskChange, change))
        client = kind == "task-sent" or (hostname[:3] == "gen" and is_client(hostname))
        if not client:
            # Told to the worker's record once a batch.
            key = hostname, kind
            known = heard.get(key)
            heard[key] = (1 if known is None else known[0] + 1), event.received_at
        self.metrics.count(event, record, client)
        if event.exception is not None and kind == "task-failed":
            self.rollups.failed.note(record.exception, event.received_at, record.name, uuid)

    def _merge(self, record: TaskRecord, event: Event, before: Position | None) -> bool:
        """Reduce and format. A record on which that failed keeps its place and shows nothing unformatted."""
        raw = Data.of(record) if self.formatters.in_use else None
        try:
            if not reduce(record, event):
                return False
            if raw is not None:
                self.formatters.apply(record, raw)
        except Exception:
            if raw is not None:
                hide(record)
            if before is not None:
                self.tasks.place(record, before)
            raise
        return True

    def _share_texts(self, event: Event) -> None:
        """Let equal names be one object: records of a million tasks have few different ones."""
        share, known = self._shared.one, self._shared.texts.get
        event.hostname = known(event.hostname) or share(event.hostname)
        if event.name is not None:
            event.name = known(event.name) or share(event.name)
            if event.queue is not None:
                event.queue = known(event.queue) or share(event.queue)
                if event.exchange is not None:
                    event.exchange = share(event.exchange)
                if event.routing_key is not None:
                    event.routing_key = known(event.routing_key) or share(event.routing_key)
            if event.args is not None and len(event.args) < _SHORT:
                event.args = share(event.args)
            if event.kwargs is not None and len(event.kwargs) < _SHORT:
                event.kwargs = share(event.kwargs)
        elif event.result is not None and len(event.result) < _SHORT:
            event.result = share(event.result)

    def _fail(self, event: Event) -> None:
        self.failed += 1
        if self._monotonic() - self._logged_at >= _LOG_INTERVAL:
            self._logged_at = self._monotonic()
            _log.exception("An event of type %.100r could not be merged (%d so far)", event.type, self.failed)

    def _forget_task(self, record: TaskRecord) -> None:
        self.metrics.release(record)
        self._removed("task", record.uuid)

    def _forget_worker(self, hostname: str) -> None:
        self.metrics.forget_worker(hostname)
        self._removed("worker", hostname)

    def _drop_worker(self, hostname: str) -> None:
        self._forget_worker(hostname)
        if self._is_named(hostname):
            self._losses.drop(hostname)
            self.tasks.touch()

    def _is_named(self, hostname: str) -> bool:
        return hostname in self.tasks.by_worker.groups

    def _removed(self, kind: str, key: str) -> None:
        for callback in self._removals:
            callback(kind, key)

    def _tell(self, changes: Sequence[Change]) -> None:
        self._tallies.batch += 1
        if changes:
            for subscriber in self._subscribers:
                subscriber.deliver(changes)

    def _known_workers(self) -> Mapping[str, WorkerRecord]:
        return self.workers.known()
