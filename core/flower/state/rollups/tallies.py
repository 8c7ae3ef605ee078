"""What the event path leaves for the rollups: bare counts and durations, taken from here once in a while.

An event costs one addition and, if it tells a duration, an entry in a list; workers are counted anyway. Everything
else is done later and for many events at once.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping

from flower.state.workers import WorkerRecord
from flower_plugins import OTHER

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
_MAX_TALLIES = 20_000

Counted = defaultdict[str, defaultdict[str, int]]


def kind_of(type_: str, other: str) -> str:
    """Return the type if Celery defines it, else `other`."""
    return _KNOWN.get(type_, other)


class Tally:
    """The events of one type that came for one task name, by one queue or an unknown one, whatever their worker."""

    __slots__ = ("coarse", "count", "fine", "kind", "name", "queue")

    def __init__(self, name: str, kind: str, queue: str | None) -> None:
        self.name, self.kind, self.queue = name, kind, queue
        self.count = 0
        self.fine = self.coarse = 0
        """The count when it was last taken, for the fine level and for the coarse ones."""


class Tallies:
    """Filled by `flower.state.counters`, emptied by `RollupStore`; `workers` returns those there are, by name."""

    def __init__(self, workers: Callable[[], Mapping[str, WorkerRecord]] = dict) -> None:
        self._known_workers = workers
        self._tallies: dict[tuple[str, str, str | None], Tally] = {}
        self._heard: dict[str, dict[str, int]] = {}
        """What each worker had counted when it was last taken."""
        self.batch = 0
        """Grows when something may have been counted; 0 where nobody says so."""
        self.runtimes: defaultdict[str, list[float]] = defaultdict(list)
        """Seconds by task name."""
        self.waits: defaultdict[str, list[float]] = defaultdict(list)
        """Seconds from `task-sent` or `task-received` to `task-started`, by task name."""

    def of(self, name: str, kind: str, queue: str | None = None) -> Tally:
        """Return the tally of these; whoever asks bounds the number of each."""
        if queue is not None and len(self._tallies) >= _MAX_TALLIES:
            queue = OTHER
        key = name, kind, queue
        tally = self._tallies.get(key)
        if tally is None:
            tally = self._tallies[key] = Tally(*key)
        return tally

    def sums(self) -> dict[str, int]:
        """Return all events since the start, by type."""
        sums: dict[str, int] = {}
        for tally in self._tallies.values():
            sums[tally.kind] = sums.get(tally.kind, 0) + tally.count
        return sums

    def take_fine(self) -> tuple[Counted, Counted]:
        """Return how many events came since the last time, by task name and by queue, and by type."""
        tasks, queues = _counted(), _counted()
        for tally in self._tallies.values():
            number = tally.count - tally.fine
            if number:
                tally.fine = tally.count
                _add(tally, number, tasks, queues)
        return tasks, queues

    def take_coarse(self) -> tuple[Counted, Counted]:
        """Return what was taken as fine since the last time."""
        tasks, queues = _counted(), _counted()
        for tally in self._tallies.values():
            number = tally.fine - tally.coarse
            if number:
                tally.coarse = tally.fine
                _add(tally, number, tasks, queues)
        return tasks, queues

    def take_workers(self) -> Counted:
        """Return how many events of tasks each worker sent since the last time; clients are no workers."""
        taken, known, heard = _counted(), self._known_workers(), self._heard
        for hostname, worker in known.items():
            before = heard.get(hostname, {})
            if worker.counts == before:
                continue
            for kind, count in worker.counts.items():
                number = count - before.get(kind, 0)
                if number and kind[:5] == "task-":
                    # One that was forgotten meanwhile began to count anew.
                    taken[hostname][kind] = number if number > 0 else count
            heard[hostname] = dict(worker.counts)
        if len(heard) > len(known):
            self._heard = {hostname: counts for hostname, counts in heard.items() if hostname in known}
        return taken


def _add(tally: Tally, number: int, tasks: Counted, queues: Counted) -> None:
    tasks[tally.name][tally.kind] += number
    if tally.queue is not None:
        queues[tally.queue][tally.kind] += number


def _counted() -> Counted:
    return defaultdict(_ints)


def _ints() -> defaultdict[str, int]:
    return defaultdict(int)
