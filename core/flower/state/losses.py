"""Tasks that nobody works on any more: found by way of workers, so that the number of all tasks does not matter."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

from flower.state.workers import WorkerRecord, WorkerStore

if TYPE_CHECKING:
    from flower.state.tasks import TaskRecord

__all__ = ["Losses", "open_states"]

_SILENT, _GONE = 5, 3
_DOUBTFUL_SECONDS = 20.0
_MAX_ABANDONED = 10_000
_ENDED = frozenset(("SUCCESS", "FAILURE", "REVOKED", "REJECTED"))
_WITH_NOBODY = frozenset(("PENDING", "RETRY"))
"""States of tasks that wait at the broker: no worker can lose them."""


class Losses:
    """Which open tasks nobody works on any more: those of lost workers, and those that a new process does not hold.

    A worker is lost when it was silent for five of its intervals, or three after a farewell, with events flowing
    all the while: as long as we hear nobody, nobody is lost. It is no longer when it is heard again. One that
    was removed by hand, or for there being too many, stays lost as long as tasks name it.
    """

    def __init__(self, workers: WorkerStore, named: Callable[[str], bool], *, monotonic: Callable[[], float]) -> None:
        """`named` tells whether tasks in memory name a worker."""
        self._workers, self._named, self._monotonic = workers, named, monotonic
        self._lost: dict[str, float] = {}
        """When each was found to be lost."""
        self._listening_since: float | None = None
        self._abandoned: dict[str, int] = {}
        """Ids of tasks that a worker's new process does not hold, and their order then: any change makes it void."""

    def workers(self) -> list[str]:
        """Return the names of lost workers."""
        return [hostname for hostname in self._lost if self._is_lost(hostname)]

    def of(self, task: TaskRecord) -> str:
        """Return "lost" for an open task whose worker is, "restarted" for one its worker no longer has, else ""."""
        if task.worker in self._lost and self._is_lost(task.worker) and _is_open(task):
            return "lost"
        return "restarted" if self._abandoned and self._abandoned.get(task.uuid) == task.order else ""

    def drop(self, hostname: str) -> None:
        """Take note that a worker which is offline was removed: what it holds, nobody will finish."""
        self._lost.setdefault(hostname, self._monotonic())

    def abandoned(self) -> list[str]:
        """Return the ids of tasks that may have been left behind by a restart."""
        return list(self._abandoned)

    def abandon(self, task: TaskRecord) -> bool:
        """Note that a worker's new process does not hold an open task of the one before; return whether that is new."""
        if self._abandoned.get(task.uuid) == task.order or len(self._abandoned) >= _MAX_ABANDONED:
            return False
        self._abandoned[task.uuid] = task.order
        return True

    def forget(self, find: Callable[[str], TaskRecord | None]) -> None:
        """Let go of abandoned tasks that were heard of again or are kept no more; `find` returns a task by id."""
        for uuid, order in list(self._abandoned.items()):
            task = find(uuid)
            if task is None or task.order != order:
                del self._abandoned[uuid]

    def update(self, *, listening: bool) -> list[WorkerRecord]:
        """Look at all workers, with every tick; return those that were lost or came back. `listening`: events flow."""
        now = self._monotonic()
        if listening:
            lost = self._find(now)
        else:
            # A stream breaks off some seconds before it is known to have: who fell silent then may be well.
            was = self._listening_since
            doubtful = float("inf") if was is None else now - _DOUBTFUL_SECONDS
            lost = {hostname: at for hostname, at in self._lost.items() if at < doubtful}
            self._listening_since = None
        known = self._workers.known()
        changed = [known[hostname] for hostname in self._lost.keys() ^ lost.keys() if hostname in known]
        self._lost = lost
        return changed

    def _find(self, now: float) -> dict[str, float]:
        if self._listening_since is None:
            self._listening_since = now
        known = self._workers.known()
        lost = {name: at for name, at in self._lost.items() if name not in known and self._named(name)}
        for hostname, worker in known.items():
            if worker.online:
                continue
            silent = now - max(worker.silent_since, self._listening_since)
            if hostname in self._lost or silent >= worker.interval() * (_GONE if worker.offline else _SILENT):
                lost[hostname] = self._lost.get(hostname, now)
        return lost

    def _is_lost(self, hostname: str | None) -> bool:
        worker = self._workers.get(hostname or "")
        return worker is None or not worker.online


def open_states(states: Iterable[str]) -> list[str]:
    """Return those states in which tasks are with a worker."""
    return [state for state in states if state not in _ENDED and state not in _WITH_NOBODY]


def _is_open(task: TaskRecord) -> bool:
    state = task.state
    if state == "STARTED" or state == "RECEIVED":
        return True
    return state not in _ENDED and state not in _WITH_NOBODY and task.rejected is None
