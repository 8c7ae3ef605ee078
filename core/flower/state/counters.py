"""The metric families Flower has always had, counted as events are applied and bounded in number."""

from __future__ import annotations

import math
import time
from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

from flower.events.event import Event
from flower.state.rollups.tallies import Tallies, Tally
from flower.state.tasks import TaskRecord
from flower.state.workers import WorkerRecord
from flower_plugins import HistogramSample, MetricFamily, MetricSource, Sample

__all__ = ["CLIENT", "DEFAULT_BUCKETS", "OTHER", "Counters"]

DEFAULT_BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1.0, 2.5, 5.0, 7.5, 10.0)
CLIENT = "client"
OTHER = "__other__"

_MAX_NAMES = 500
_MAX_TIMED_NAMES = 250
_MAX_TYPES = 60
_MAX_PAIRS = 2000
_MAX_QUEUES = 500


class _Cell:
    __slots__ = ("count", "created", "queue", "tally")

    def __init__(self, tally: Tally, created: float) -> None:
        self.count = 0
        self.created = created
        self.tally = tally
        self.queue: str | None = None
        """The queue of the last task that was counted here: mostly that of the next one as well."""


class _Histogram:
    __slots__ = ("counts", "created", "sum")

    def __init__(self, size: int, created: float) -> None:
        self.counts = [0] * size
        self.sum = 0.0
        self.created = created


class _Series:
    """The series of one `worker` label, so that they can be dropped together."""

    __slots__ = ("events", "prefetched", "runtimes", "waits")

    def __init__(self) -> None:
        self.events: dict[tuple[str, str], _Cell] = {}
        """By (task, type)."""
        self.runtimes: dict[str, _Histogram] = {}
        self.waits: dict[str, float] = {}
        self.prefetched: dict[str, int] = {}


class _Labels:
    """The first `limit` values of a label; all later ones are one."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._known: set[str] = set()

    def of(self, value: str) -> str:
        if value in self._known:
            return value
        if len(self._known) < self._limit:
            self._known.add(value)
            return value
        return OTHER


class Counters(MetricSource):
    """Counts by task, type and worker.

    The `worker` label of everything that `gen<pid>@host` processes send, above all `task-sent`, is
    "client". Task names and event types beyond a limit share the label "__other__". A worker's
    series vanish with the worker. The bucket for +Inf need not be given.
    """

    def __init__(
        self,
        workers: Callable[[], Mapping[str, WorkerRecord]],
        *,
        buckets: Sequence[float] = DEFAULT_BUCKETS,
        now: Callable[[], float] = time.time,
        tallies: Tallies | None = None,
    ) -> None:
        """`tallies` is told the same for the rollups."""
        self._tallies = Tallies() if tallies is None else tallies
        self._runtimes, self._waits = self._tallies.runtimes, self._tallies.waits
        self._workers = workers
        self._buckets = tuple(sorted({bound for bound in buckets if math.isfinite(bound)}))
        self._now = now
        self._series: dict[str, _Series] = {}
        self._names = _Labels(_MAX_NAMES)
        self._timed_names = _Labels(_MAX_TIMED_NAMES)
        self._types = _Labels(_MAX_TYPES)
        self._queues = _Labels(_MAX_QUEUES)

    def count(self, event: Event, record: TaskRecord, client: bool) -> None:
        """Count a `task-*` event, of a client or a worker, that has just been merged into the record."""
        kind = event.type
        worker = CLIENT if client else event.hostname
        series = self._series.get(worker)
        if series is None:
            series = self._series[worker] = _Series()
        name = event.name or record.name or ""
        cell = series.events.get((name, kind))
        if cell is None:
            cell = self._first(series, name, kind)
        cell.count += 1
        queue = record.queue or record.routing_key
        if queue is not cell.queue:
            self._route(cell, queue)
        cell.tally.count += 1
        if event.runtime:
            self._observe(series, self._timed_names.of(name), event.runtime)
            self._runtimes[name].append(event.runtime)
        if not client:
            if record.waiting is not None:
                self._unwait(record)
            if record.eta is None:
                self._follow_prefetch(event, record, series, name)

    def hold(self, record: TaskRecord) -> None:
        """Count a task as prefetched, or no longer, after a worker said that it holds it."""
        self._unwait(record)
        if record.state == "RECEIVED" and record.eta is None and record.worker is not None:
            series = self._series.get(record.worker)
            if series is None:
                series = self._series[record.worker] = _Series()
            name = self._names.of(record.name or "")
            series.prefetched[name] = series.prefetched.get(name, 0) + 1
            record.waiting = record.worker, name

    def release(self, record: TaskRecord) -> None:
        """Stop counting a task as prefetched that was evicted, or that its worker no longer holds."""
        self._unwait(record)

    def forget_worker(self, hostname: str) -> None:
        """Drop a worker's series."""
        self._series.pop(hostname, None)

    def families(self) -> Iterable[MetricFamily]:
        """Return the six families as of now."""
        series = sorted(self._series.items())
        workers = sorted((name, worker) for name, worker in self._workers().items() if not worker.purged)
        online = [(name, worker.online) for name, worker in workers]
        active = [
            Sample((name,), float(worker.active if is_online else 0))
            for (name, worker), (_, is_online) in zip(workers, online, strict=True)
            if worker.active is not None
        ]
        return (
            MetricFamily(
                "flower_events", "Number of events", "counter", ("task", "type", "worker"), list(_events(series))
            ),
            MetricFamily(
                "flower_task_runtime_seconds",
                "Task runtime",
                "histogram",
                ("task", "worker"),
                list(_runtimes(series)),
                self._buckets,
            ),
            _gauge(
                "flower_task_prefetch_time_seconds",
                "The time the task spent waiting at the celery worker to be executed.",
                ((task, worker, value) for worker, part in series for task, value in part.waits.items()),
            ),
            _gauge(
                "flower_worker_prefetched_tasks",
                "Number of tasks of given type prefetched at a worker",
                ((task, worker, float(value)) for worker, part in series for task, value in part.prefetched.items()),
            ),
            MetricFamily(
                "flower_worker_online",
                "Worker online status",
                "gauge",
                ("worker",),
                [Sample((name,), float(is_online)) for name, is_online in online],
            ),
            MetricFamily(
                "flower_worker_number_of_currently_executing_tasks",
                "Number of tasks currently executing at a worker",
                "gauge",
                ("worker",),
                active,
            ),
        )

    def _first(self, series: _Series, name: str, kind: str) -> _Cell:
        """Return the cell of a name and type that may be beyond a limit."""
        pair = self._names.of(name), self._types.of(kind)
        if pair not in series.events and len(series.events) >= _MAX_PAIRS:
            pair = OTHER, pair[1]
        cell = series.events.get(pair)
        if cell is None:
            cell = series.events[pair] = _Cell(self._tallies.of(*pair), self._now())
        return cell

    def _route(self, cell: _Cell, queue: str | None) -> None:
        """Have a cell count for another queue."""
        cell.queue = queue
        cell.tally = self._tallies.of(cell.tally.name, cell.tally.kind, self._queues.of(queue) if queue else None)

    def _observe(self, series: _Series, name: str, runtime: float) -> None:
        histogram = series.runtimes.get(name)
        if histogram is None:
            histogram = series.runtimes[name] = _Histogram(len(self._buckets) + 1, self._now())
        histogram.counts[bisect_left(self._buckets, runtime)] += 1
        histogram.sum += runtime

    def _follow_prefetch(self, event: Event, record: TaskRecord, series: _Series, name: str) -> None:
        """Count a task as prefetched from its arrival at a worker until anything else becomes of it."""
        kind = event.type
        if kind == "task-started":
            if record.started is not None and record.received is not None:
                wait = max(0.0, record.started - record.received)
                series.waits[self._names.of(name)] = wait
                if record.sent is not None:
                    # By another host's clock, which may be ahead.
                    wait = max(wait, record.started - record.sent)
                self._waits[name].append(wait)
        elif kind == "task-succeeded" or kind == "task-failed":
            series.waits[self._names.of(name)] = 0.0
        elif kind == "task-received" and record.state == "RECEIVED" and record.worker == event.hostname:
            name = self._names.of(name)
            series.prefetched[name] = series.prefetched.get(name, 0) + 1
            record.waiting = event.hostname, name

    def _unwait(self, record: TaskRecord) -> None:
        if record.waiting is None:
            return
        hostname, name = record.waiting
        record.waiting = None
        series = self._series.get(hostname)
        if series is not None and series.prefetched.get(name):
            series.prefetched[name] -= 1


def _gauge(name: str, text: str, values: Iterable[tuple[str, str, float]]) -> MetricFamily:
    return MetricFamily(
        name, text, "gauge", ("task", "worker"), [Sample((task, worker), value) for task, worker, value in values]
    )


def _events(series: Sequence[tuple[str, _Series]]) -> Iterator[Sample]:
    for worker, part in series:
        for (task, kind), cell in part.events.items():
            yield Sample((task, kind, worker), float(cell.count), cell.created)


def _runtimes(series: Sequence[tuple[str, _Series]]) -> Iterator[HistogramSample]:
    for worker, part in series:
        for task, histogram in part.runtimes.items():
            yield HistogramSample((task, worker), tuple(histogram.counts), histogram.sum, histogram.created)
