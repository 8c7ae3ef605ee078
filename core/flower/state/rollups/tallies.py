"""What the event path leaves for the rollups: bare counts and durations, taken from here once in a while.

An event costs one addition for its task, one for its queue and, if it tells a duration, an entry in a list; its worker
is counted once a batch. Everything else is done later and for many events at once.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping

__all__ = ["KINDS", "Tallies", "Tally", "kind_of"]

KINDS = (
    "task-sent",
    "task-received",
    "task-started",
    "task-succeeded",
    "task-failed",
    "task-retried",
    "task-revoked",
    "task-rejected",
)
"""The types that have series of their own."""

_KNOWN = dict(zip(KINDS, KINDS, strict=True))
_MAX_WORKERS = 10_000

Counted = defaultdict[str, defaultdict[str, int]]


def kind_of(type_: str, other: str) -> str:
    """Return the type if Celery defines it, else `other`."""
    return _KNOWN.get(type_, other)


class Tally:
    """The events of one type that came for one task name, or one queue, whatever their worker."""

    __slots__ = ("coarse", "count", "fine", "kind", "label")

    def __init__(self, label: str, kind: str) -> None:
        self.label, self.kind = label, kind
        self.count = 0
        self.fine = self.coarse = 0
        """The count when it was last taken, for the fine level and for the coarse ones."""


class Tallies:
    """Filled by `flower.state.counters` and `flower.state.state`, emptied by `RollupStore`."""

    def __init__(self) -> None:
        self._tasks: dict[tuple[str, str], Tally] = {}
        self._queues: dict[tuple[str, str], Tally] = {}
        self._workers, self._old_workers = _counted(), _counted()
        self.runtimes: defaultdict[str, list[float]] = defaultdict(list)
        """Seconds by task name."""
        self.waits: defaultdict[str, list[float]] = defaultdict(list)
        """Seconds from `task-sent` or `task-received` to `task-started`, by task name."""

    def task(self, name: str, kind: str) -> Tally:
        """Return the tally of a task name and type; whoever asks bounds the number of both."""
        return _tally(self._tasks, name, kind)

    def queue(self, name: str, kind: str) -> Tally:
        """Return the tally of a queue and type; whoever asks bounds the number of both."""
        return _tally(self._queues, name, kind)

    def heard(self, heard: Mapping[tuple[str, str], tuple[int, float]]) -> None:
        """Count what workers sent in a batch."""
        workers = self._workers
        for (hostname, kind), (number, _) in heard.items():
            workers[hostname][kind] += number

    @property
    def crowded(self) -> bool:
        """Tell whether so many workers wait to be taken that it should not go on."""
        return len(self._workers) + len(self._old_workers) > _MAX_WORKERS

    def sums(self) -> dict[str, int]:
        """Return all events since the start, by type."""
        sums: dict[str, int] = {}
        for tally in self._tasks.values():
            sums[tally.kind] = sums.get(tally.kind, 0) + tally.count
        return sums

    def take_tasks(self) -> Counted:
        """Return how many events came since the last time, by task name and type."""
        return _fine(self._tasks)

    def take_queues(self) -> Counted:
        """Return the same by queue and type."""
        return _fine(self._queues)

    def take_workers(self) -> Counted:
        """Return the same by worker and type; clients are no workers."""
        taken, self._workers = self._workers, _counted()
        for hostname, kinds in taken.items():
            old = self._old_workers[hostname]
            for kind, number in kinds.items():
                old[kind] += number
        return taken

    def take_coarse(self) -> tuple[Counted, Counted, Counted]:
        """Return all that was taken since the last time: by task name, queue and worker."""
        workers, self._old_workers = self._old_workers, _counted()
        return _coarse(self._tasks), _coarse(self._queues), workers


def _tally(tallies: dict[tuple[str, str], Tally], label: str, kind: str) -> Tally:
    tally = tallies.get((label, kind))
    if tally is None:
        tally = tallies[label, kind] = Tally(label, kind)
    return tally


def _fine(tallies: Mapping[tuple[str, str], Tally]) -> Counted:
    taken = _counted()
    for tally in tallies.values():
        number = tally.count - tally.fine
        if number:
            tally.fine = tally.count
            taken[tally.label][tally.kind] = number
    return taken


def _coarse(tallies: Mapping[tuple[str, str], Tally]) -> Counted:
    taken = _counted()
    for tally in tallies.values():
        number = tally.fine - tally.coarse
        if number:
            tally.coarse = tally.fine
            taken[tally.label][tally.kind] = number
    return taken


def _counted() -> Counted:
    return defaultdict(_ints)


def _ints() -> defaultdict[str, int]:
    return defaultdict(int)
