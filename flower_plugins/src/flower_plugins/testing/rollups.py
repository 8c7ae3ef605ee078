"""Rollups over plain observations: what a page about the last hours is tested with."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Literal, NamedTuple

from flower_plugins.errors import QueryError
from flower_plugins.rollups import OTHER, FailureGroup, Quantiles, Series, TaskSummary

__all__ = ["FakeRollups"]

_DAY = 86_400
_WINDOWS = (300, 3600, _DAY)
_SPARKS = 30


class _Seen(NamedTuple):
    at: float
    type: str
    task: str
    worker: str
    queue: str
    number: int


class _Measured(NamedTuple):
    at: float
    of: str
    task: str
    seconds: float


class FakeRollups:
    """Answers from what `add`, `measure` and `length` were told, as of `now`; `groups` is what `failures` returns.

    Before the last `known_seconds` nothing is known, as before a start.
    """

    def __init__(self, now: float = 1_800_000_000.0) -> None:
        self.now = now
        self.groups: list[FailureGroup] = []
        self.known_seconds = float(_DAY)
        self._seen: list[_Seen] = []
        self._measured: list[_Measured] = []
        self._lengths: list[tuple[float, str, int]] = []

    def add(
        self, kind: str, *, task: str = "", worker: str = "", queue: str = "", number: int = 1, ago: float = 0.0
    ) -> None:
        """Note events of a type that came so many seconds ago."""
        self._seen.append(_Seen(self.now - ago, kind, task, worker, queue, number))

    def measure(self, of: Literal["runtime", "wait"], seconds: float, *, task: str = "", ago: float = 0.0) -> None:
        """Note one task's runtime or wait."""
        self._measured.append(_Measured(self.now - ago, of, task, seconds))

    def length(self, queue: str, messages: int, *, ago: float = 0.0) -> None:
        """Note how long a queue was."""
        self._lengths.append((self.now - ago, queue, messages))

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
        one = [name for name in (task, worker, queue) if name is not None]
        if len(one) > 1 or (one and by != "type"):
            raise QueryError("Counts are kept by type of one task, worker or queue, or by one of these.")
        span = _checked(span)
        step, size = _resolution(span, 1 if by == "type" and not one else 10)
        first = self._first(step, size)
        since = self.now - self.known_seconds
        nothing = [0.0 if first + (place + 1) * step > since else None for place in range(size)]
        values: dict[str, list[float | None]] = {}
        for seen in self._seen:
            place = int((seen.at - first) // step)
            wanted = task in (None, seen.task) and worker in (None, seen.worker) and queue in (None, seen.queue)
            label = str(getattr(seen, by))
            if 0 <= place < size and wanted and label and (types is None or seen.type in types):
                row = values.setdefault(label, list(nothing))
                row[place] = (row[place] or 0) + seen.number
        return Series(first, step, values if by == "type" else _busiest(values, limit, size))

    def percentiles(
        self,
        of: Literal["runtime", "wait"],
        span: float,
        quantiles: Sequence[float] = (0.5, 0.95, 0.99),
        *,
        by: Literal["task"] | None = None,
        task: str | None = None,
        limit: int = 10,
    ) -> Series:
        span = _checked(span)
        if any(not 0 <= quantile <= 1 for quantile in quantiles):
            raise QueryError("A quantile is a number from 0 to 1, such as 0.95.")
        if by is not None and (task is not None or len(quantiles) != 1):
            raise QueryError("Percentiles by task take one quantile and no task.")
        single = by is not None or task is not None
        step, size = (60, _buckets(span, 60)) if single and span <= 3600 else _resolution(span, 1)
        if single and span > 3600:
            step, size = 600, _buckets(span, 600)
        first = self._first(step, size)
        found: dict[str, list[list[float]]] = {}
        for one in self._measured:
            place = int((one.at - first) // step)
            if 0 <= place < size and one.of == of and task in (None, one.task):
                found.setdefault(one.task if by else "", [[] for _ in range(size)])[place].append(one.seconds)
        if by:
            busiest = sorted(found, key=lambda name: (-sum(map(len, found[name])), name))[:limit]
            return Series(
                first, step, {name: [_quantile(each, quantiles[0]) for each in found[name]] for name in busiest}
            )
        rows = found.get("", [[]] * size)
        return Series(
            first, step, {f"p{100 * each:g}": [_quantile(seconds, each) for seconds in rows] for each in quantiles}
        )

    def summary(self, span: float, *, task: str | None = None) -> Sequence[TaskSummary]:
        window = _window(_checked(span))
        names = {seen.task for seen in self._seen if seen.task and seen.at > self.now - window}
        if task is not None:
            names &= {task}
        return [self._summary(name, window) for name in sorted(names)]

    def overall(self, span: float) -> TaskSummary:
        return self._summary("", _window(_checked(span)))

    def queue_lengths(self, span: float, queue: str | None = None, *, limit: int = 20) -> Series:
        step, size = _resolution(_checked(span), 10)
        first = self._first(step, size)
        values: dict[str, list[float | None]] = {}
        last = {name: messages for _, name, messages in sorted(self._lengths)}
        longest = sorted(last, key=lambda name: (-last[name], name))[:limit]
        for at, name, messages in self._lengths:
            place = int((at - first) // step)
            if 0 <= place < size and queue in (None, name):
                row = values.setdefault(name, [None] * size)
                row[place] = max(row[place] or 0, messages)
        return Series(first, step, {name: values[name] for name in sorted(values) if queue or name in longest})

    def failures(self, limit: int = 20) -> Sequence[FailureGroup]:
        return sorted(self.groups, key=lambda group: -group.last_seen)[:limit]

    def _first(self, step: int, size: int) -> float:
        return (math.floor(self.now / step) - size + 1) * float(step)

    def _summary(self, name: str, window: int) -> TaskSummary:
        since = self.now - window
        counts: dict[str, int] = {}
        sparks: list[float | None] = [0.0] * _SPARKS
        for seen in self._seen:
            if seen.at > since and name in ("", seen.task):
                counts[seen.type] = counts.get(seen.type, 0) + seen.number
                if seen.type in ("task-succeeded", "task-failed"):
                    place = min(int((seen.at - since) * _SPARKS / window), _SPARKS - 1)
                    sparks[place] = (sparks[place] or 0) + seen.number
        failed = [seen.at for seen in self._seen if seen.type == "task-failed" and name in ("", seen.task)]
        ended = counts.get("task-succeeded", 0) + counts.get("task-failed", 0)
        return TaskSummary(
            name,
            window,
            counts,
            ended / window,
            self._quantiles("runtime", name, since),
            self._quantiles("wait", name, since),
            max(failed, default=None),
            sparks,
        )

    def _quantiles(self, of: str, name: str, since: float) -> Quantiles:
        found = [one.seconds for one in self._measured if one.of == of and one.at > since and name in ("", one.task)]
        return Quantiles(len(found), *(_quantile(found, each) for each in (0.5, 0.95, 0.99)))


def _checked(span: float) -> float:
    if not 0 < span <= _DAY:
        raise QueryError(f"A span is a number of seconds up to a day ({_DAY}), not {span!r}.")
    return span


def _resolution(span: float, finest: int) -> tuple[int, int]:
    step = max(1 if span <= 300 else 10 if span <= 3600 else 60, finest)
    return step, _buckets(span, step)


def _buckets(span: float, step: int) -> int:
    return max(math.ceil(span / step), 1)


def _window(span: float) -> int:
    return next(window for window in _WINDOWS if span <= window)


def _quantile(values: Sequence[float], quantile: float) -> float | None:
    ordered = sorted(values)
    return ordered[max(math.ceil(quantile * len(ordered)) - 1, 0)] if ordered else None


def _busiest(values: dict[str, list[float | None]], limit: int, size: int) -> dict[str, list[float | None]]:
    order = sorted(values, key=lambda label: (label == OTHER, -sum(value or 0 for value in values[label]), label))
    shown = {label: values[label] for label in order[:limit] if label != OTHER}
    rest = [values[label] for label in order if label not in shown]
    if rest:
        shown[OTHER] = [sum(row[place] or 0 for row in rest) for place in range(size)]
    return shown
