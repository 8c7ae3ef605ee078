"""The Host's `rollups`: takes what the event path left, keeps it by time, answers.

In memory alone: a restart forgets it. Only the event loop touches it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from operator import sub
from typing import Literal, NamedTuple

from flower.state.rollups.counts import ALL, Counts
from flower.state.rollups.durations import BINS, HistogramRing, bins, counted_quantiles
from flower.state.rollups.failures import Failures
from flower.state.rollups.lengths import Lengths
from flower.state.rollups.tallies import KINDS, Tallies
from flower.state.rollups.task_durations import TaskDurations
from flower.state.rollups.timeline import Level, Timeline
from flower_plugins import OTHER, FailureGroup, Gap, Quantiles, QueryError, Series, TaskSummary

__all__ = ["MAX_QUEUES", "MAX_TASKS", "MAX_WORKERS", "Comparison", "RollupStore"]

MAX_TASKS, MAX_QUEUES, MAX_WORKERS = 200, 200, 500
"""How many names have series of their own."""

_DAY = 86_400
_WINDOWS = (300, 3600, _DAY)
_FAILED = "task-failed"
_ENDED = ("task-succeeded", "task-failed")
_QUANTILES = (0.5, 0.95, 0.99)
_ALL_KINDS = (*KINDS, OTHER)

Of = Literal["runtime", "wait"]


class _Outcome(NamedTuple):
    """How many failed, and how many ended at all."""

    failed: int
    ended: int

    @property
    def rate(self) -> float:
        return self.failed / self.ended if self.ended else 0.0


class Comparison(NamedTuple):
    """What a task name did in the last 5 minutes, and in the hour before."""

    name: str
    now: _Outcome
    before: _Outcome
    wait_now: Quantiles
    wait_before: Quantiles


class RollupStore:
    """Implements `flower_plugins.Rollups` over `tallies`; `gaps` returns the times without events."""

    def __init__(
        self,
        tallies: Tallies,
        *,
        gaps: Callable[[], Sequence[Gap]],
        now: Callable[[], float],
        monotonic: Callable[[], float],
    ) -> None:
        self.failed = Failures()
        self._tallies, self._gaps, self._now = tallies, gaps, now
        seconds, tens, minutes = self._levels = Level(1, 300), Level(10, 360), Level(60, 1440)
        hour, day, sparks = Level(60, 60), Level(600, 144), Level(1800, 48)
        self._totals = [Counts(level, 0) for level in self._levels]
        self._tasks = [Counts(level, MAX_TASKS) for level in (tens, minutes, sparks)]
        self._workers = [Counts(level, MAX_WORKERS) for level in (tens, minutes)]
        self._queues = [Counts(level, MAX_QUEUES) for level in (tens, minutes)]
        self._lengths = [Lengths(level) for level in (tens, minutes)]
        self._times = {of: self._histograms() for of in ("runtime", "wait")}
        self._task_times = {of: TaskDurations(hour, day, MAX_TASKS) for of in ("runtime", "wait")}
        self._sums: dict[str, int] = {}
        self._settled = 0, 0
        """The batch that everything is up to date with, and up to which step."""
        self._timeline = Timeline(
            (seconds, tens, minutes, hour, day, sparks), before=self._close, now=now, monotonic=monotonic
        )

    @property
    def due(self) -> float:
        """When `tick` is due, by the monotonic clock."""
        return self._timeline.due

    def tick(self, *, listening: bool) -> None:
        """Sort what came into the open buckets and close those that are over; to be called with every tick."""
        self._settle_totals()
        self._timeline.update(listening)

    def note_length(self, queue: str, messages: int) -> None:
        """Note how long a queue is now."""
        for lengths in self._lengths:
            lengths.note(queue, messages)

    def counts(
        self,
        span: float,
        *,
        by: Literal["type", "task", "worker", "queue"] = "type",
        task: str | None = None,
        worker: str | None = None,
        queue: str | None = None,
        types: Sequence[str] | None = None,
        limit: int = 10,
    ) -> Series:
        """Return events per bucket."""
        named = [(which, name) for which, name in zip("twq", (task, worker, queue), strict=True) if name is not None]
        if len(named) > 1 or (named and by != "type"):
            raise QueryError("Counts are kept by type of one task, worker or queue, or by one of these three.")
        self._settle(10 if span <= 3600 else 60)
        if by == "worker" or worker is not None:
            self._settle_workers()
        if by == "type":
            return self._by_type(span, named[0] if named else None, types)
        places = {"task": self._tasks, "worker": self._workers, "queue": self._queues}
        if by not in places:
            raise QueryError(f"Counts are kept by type, task, worker and queue, not by {by!r}.")
        counts, number = _chosen(places[by], span)
        rows = counts.busiest(_kinds(types), number, max(limit, 0))
        return self._series(counts.level, number, rows)

    def percentiles(
        self,
        of: Of,
        span: float,
        quantiles: Sequence[float] = _QUANTILES,
        *,
        by: Literal["task"] | None = None,
        task: str | None = None,
        limit: int = 10,
    ) -> Series:
        """Return runtimes or waits per bucket."""
        self._check(of, quantiles)
        if by not in (None, "task") or (by and (task is not None or len(quantiles) != 1)):
            raise QueryError("Percentiles by task take one quantile and no task.")
        self._settle()
        if by is None and task is None:
            level, number = _level(self._levels, span)
            rows = self._times[of][self._levels.index(level)].rows(quantiles, number)
            return Series(level.first(number), level.step, _labelled(quantiles, rows))
        times = self._task_times[of]
        level, number = _level(times.levels, span)
        if task is not None:
            rows = times.rows(task, level, quantiles, number)
            return Series(level.first(number), level.step, _labelled(quantiles, rows))
        found = {name: times.rows(name, level, quantiles, number) for name in times.busiest(level, max(limit, 0))}
        series = {name: [row[0] for row in rows] for name, rows in found.items()}
        return Series(level.first(number), level.step, series)

    def summary(self, span: float, *, task: str | None = None) -> Sequence[TaskSummary]:
        """Return a row per task name, or the one of `task`."""
        window = _window(span)
        self._settle()
        counts, number = (self._tasks[0], window // 10) if window <= 3600 else (self._tasks[1], window // 60)
        names = sorted(counts.labels()) if task is None else (task,)
        found = ((name, counts.kinds(name, number)) for name in names)
        known = self._known(counts.level, number)
        return [self._row(name, window, known, kinds) for name, kinds in found if kinds]

    def overall(self, span: float) -> TaskSummary:
        """Return a row for all tasks."""
        window = _window(span)
        self._settle()
        place = _WINDOWS.index(window)
        counts = self._totals[place]
        times = {of: rings[place].window(counts.level.length) for of, rings in self._times.items()}
        kinds, known = counts.kinds(None, counts.level.length), self._known(counts.level, counts.level.length)
        return self._row("", window, known, kinds, times)

    def queue_lengths(self, span: float, queue: str | None = None, *, limit: int = 20) -> Series:
        """Return messages in queues."""
        level, number = _level(self._levels[1:], span)
        rows = self._lengths[0 if level is self._levels[1] else 1].rows(number, queue, max(limit, 0))
        return Series(level.first(number), level.step, rows)

    def failures(self, limit: int = 20) -> Sequence[FailureGroup]:
        """Return groups of failures."""
        return self.failed.groups(limit)

    def queues(self) -> Iterable[str]:
        """Return the queues that tasks were sent to in the last hour."""
        return [label for label in self._queues[0].labels() if label != OTHER]

    def comparisons(self) -> Iterable[Comparison]:
        """Yield each task name's last 5 minutes beside the rest of the hour, those with failures or waits lately."""
        self._settle()
        counts, waits = self._tasks[0], self._task_times["wait"]
        for name in list(counts.labels()):
            now = counts.kinds(name, 30)
            if not now:
                continue
            hour = counts.kinds(name, counts.level.length)
            recent, whole = waits.window(name, 300), waits.window(name, 3600)
            yield Comparison(
                name,
                _Outcome(now.get(_FAILED, 0), sum(now.get(kind, 0) for kind in _ENDED)),
                _Outcome(
                    hour.get(_FAILED, 0) - now.get(_FAILED, 0),
                    sum(hour.get(kind, 0) - now.get(kind, 0) for kind in _ENDED),
                ),
                _quantiles(recent),
                _quantiles(list(map(sub, whole, recent))),
            )

    def _histograms(self) -> list[HistogramRing]:
        rings = [HistogramRing(level, (level.length,), kept=BINS) for level in self._levels]
        for level, ring in zip(self._levels, rings, strict=True):
            level.add(ring)
        return rings

    def _by_type(self, span: float, named: tuple[str, str] | None, types: Sequence[str] | None) -> Series:
        label = None
        if named is None:
            counts, number = _chosen(self._totals, span)
        else:
            which, label = named
            counts, number = _chosen({"t": self._tasks, "w": self._workers, "q": self._queues}[which], span)
        sums = counts.kinds(label, number)
        shown = [kind for kind in _ALL_KINDS if (kind in sums if types is None else kind in types)]
        return self._series(counts.level, number, {kind: counts.row(label, (kind,), number) for kind in shown})

    def _series(self, level: Level, number: int, rows: dict[str, list[int]]) -> Series:
        """Make a series of counts, in which 0 is None where nothing can be known."""
        first = level.first(number)
        values: dict[str, Sequence[float | None]] = dict(rows)
        unknown = self._unknown(level, number)
        if unknown:
            for label, row in rows.items():
                values[label] = _masked(row, unknown)
        return Series(first, level.step, values)

    def _unknown(self, level: Level, number: int) -> Sequence[int]:
        unknown, first, step = set(level.unknown(number)), level.first(number), level.step
        for gap in self._gaps():
            begin = int((gap.start - first) // step)
            end = number - 1 if gap.end is None else int((gap.end - first) // step)
            unknown.update(range(max(begin, 0), min(end, number - 1) + 1))
        return sorted(unknown)

    def _known(self, level: Level, number: int) -> int:
        """Return how many of the seconds are known."""
        return max(number - len(level.unknown(number)), 1) * level.step

    def _row(
        self,
        name: str,
        window: int,
        known: int,
        kinds: dict[str, int],
        times: dict[str, Sequence[int]] | None = None,
    ) -> TaskSummary:
        if times is None:
            times = {of: each.window(name, window) for of, each in self._task_times.items()}
        ended = sum(kinds.get(kind, 0) for kind in _ENDED)
        return TaskSummary(
            name,
            window,
            kinds,
            ended / known,
            _quantiles(times["runtime"]),
            _quantiles(times["wait"]),
            self.failed.last_of(name),
            self._sparkline(name or None, window),
        )

    def _sparkline(self, name: str | None, window: int) -> Sequence[float | None]:
        if window == _DAY:
            counts, number = self._tasks[2], 48
        else:
            counts, number = (self._tasks[0], 30) if window == 300 else (self._tasks[1], 60)
        row = counts.row(name, _ENDED, number)
        return row if counts.level.whole else _masked(row, counts.level.unknown(number))

    def _check(self, of: str, quantiles: Sequence[float]) -> None:
        if of not in self._times:
            raise QueryError(f"Percentiles are kept of runtime and wait, not of {of!r}.")
        if not quantiles or any(not 0 <= each <= 1 for each in quantiles):
            raise QueryError("A quantile is a number from 0 to 1, such as 0.95.")

    def _close(self, step: int) -> None:
        self._settle(step)
        self._settle_workers()

    def _settle_totals(self) -> None:
        """Bring the sums of everything up to date, which go by the second."""
        sums = self._tallies.sums()
        since = {kind: total - self._sums.get(kind, 0) for kind, total in sums.items()}
        for counts in self._totals:
            counts.add_all(since)
        self._sums = sums
        for of, waiting in (("runtime", self._tallies.runtimes), ("wait", self._tallies.waits)):
            if waiting:
                raw = self._task_times[of].take(waiting)
                waiting.clear()
                found = bins(raw)
                for ring in self._times[of]:
                    ring.add(found)

    def _settle(self, step: int = 60) -> None:
        """Bring everything up to date whose buckets are not longer than `step`, the totals in any case.

        A page asks half a dozen questions of one moment: only the first of them finds something to do.
        """
        batch = self._tallies.batch
        if batch and self._settled[0] == batch and self._settled[1] >= step:
            return
        self._settled = batch, step
        self._settle_totals()
        named = (self._tasks, self._queues)
        for places, taken in zip(named, self._tallies.take_fine(), strict=True):
            places[0].add(taken)
        if step < 60:
            return
        for places, taken in zip(named, self._tallies.take_coarse(), strict=True):
            for counts in places[1:]:
                counts.add(taken)
        for times in self._task_times.values():
            times.settle()

    def _settle_workers(self) -> None:
        """Bring the workers up to date: there may be thousands of them, and most answers are of something else."""
        taken = self._tallies.take_workers()
        for counts in self._workers:
            counts.add(taken)


def _checked(span: float) -> float:
    if not 0 < span <= _DAY:
        raise QueryError(f"A span is a number of seconds up to a day ({_DAY}), not {span!r}.")
    return span


def _level(levels: Sequence[Level], span: float) -> tuple[Level, int]:
    """Return the finest level that holds the span, and how many of its buckets."""
    _checked(span)
    level = next(level for level in levels if span <= level.step * level.length)
    return level, -int(-span // level.step)


def _chosen(places: Sequence[Counts], span: float) -> tuple[Counts, int]:
    level, number = _level([counts.level for counts in places], span)
    return next(counts for counts in places if counts.level is level), number


def _window(span: float) -> int:
    return next(window for window in _WINDOWS if _checked(span) <= window)


def _kinds(types: Sequence[str] | None) -> Sequence[str]:
    return (ALL,) if types is None else [kind for kind in _ALL_KINDS if kind in types]


def _labelled(wanted: Sequence[float], rows: Iterable[Sequence[float | None]]) -> dict[str, Sequence[float | None]]:
    columns = list(zip(*rows, strict=True))
    return {f"p{100 * each:g}": column for each, column in zip(wanted, columns, strict=True)}


def _masked(row: Sequence[int], unknown: Sequence[int]) -> Sequence[float | None]:
    """Return a row in which 0 is None where nothing is known."""
    masked: list[float | None] = list(row)
    for place in unknown:
        masked[place] = masked[place] or None
    return masked


def _quantiles(counts: Sequence[int]) -> Quantiles:
    number, found = counted_quantiles(counts, _QUANTILES)
    return Quantiles(number, *found)
