"""Tasks that workers hold, as they say when asked: makes good what no event told, and overrules no event."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Set
from typing import Any, NamedTuple

from flower.masking import mask
from flower.state.counters import Counters
from flower.state.formatters import Data, Formatters
from flower.state.losses import Losses
from flower.state.sharing import Shared
from flower.state.store import Position, TaskStore
from flower.state.tasks import TaskRecord
from flower.state.workers import WorkerStore
from flower_plugins import TaskChange

__all__ = ["CHANGE", "LOST_CHANGE", "Answer", "HeldTask", "HeldTasks", "args_text", "kwargs_text", "read_held"]

CHANGE = "task-held"
"""The type of changes that come from what workers say they hold."""
LOST_CHANGE = "task-lost"
"""That of changes that come from what a restarted worker does not hold."""

_MAX_ID = 1000
_MAX_CHARACTERS = 65_536
_EARLIEST = 1e9
_GAPS = ("name", "args", "kwargs", "eta", "exchange", "routing_key")
_BEHIND = {"RECEIVED": frozenset(("PENDING", "RETRY")), "STARTED": frozenset(("PENDING", "RETRY", "RECEIVED"))}


class HeldTask(NamedTuple):
    """One entry of a worker's `active` (then it is `running`), `reserved` or `scheduled`."""

    uuid: str
    hostname: str
    running: bool
    started: float | None = None
    name: str | None = None
    args: str | None = None
    kwargs: str | None = None
    eta: str | None = None
    exchange: str | None = None
    routing_key: str | None = None


class Answer(NamedTuple):
    """All that a worker holds by id, and the names of its tasks that have a rate limit.

    Those wait where none of its lists shows them.
    """

    ids: Set[str]
    rated: Set[str] = frozenset()


class HeldTasks:
    """Merges them into tasks. `as_of` is everywhere the store's version when workers were asked:

    a task that has changed since is known better by its events, so that only gaps are filled.
    """

    def __init__(
        self,
        tasks: TaskStore,
        workers: WorkerStore,
        formatters: Formatters,
        metrics: Counters,
        losses: Losses,
        *,
        now: Callable[[], float] = time.time,
    ) -> None:
        self._tasks, self._workers, self._formatters, self._metrics = tasks, workers, formatters, metrics
        self._losses, self._now = losses, now
        self._share = Shared().one

    def merge(self, held: Iterable[HeldTask], as_of: int) -> Iterator[TaskChange]:
        """Take in what workers hold; yield what changed by it."""
        for one in held:
            record = self._tasks.get(one.uuid)
            before = (
                None if record is None else (record.state, record.name, record.worker, record.received, record.queue)
            )
            if record is None:
                record = TaskRecord(one.uuid)
            if self._merge(record, one, before, as_of):
                yield TaskChange(record, None if before is None else before[0], CHANGE, one.hostname)

    def settle(self, tasks: Iterable[TaskRecord], answers: Mapping[str, Answer], as_of: int) -> Iterator[TaskChange]:
        """Correct what is believed of open tasks that their workers, who gave `answers`, do not hold.

        They do not count as prefetched. Those of which a worker told last before its process began are lost.
        """
        for task in tasks:
            if task.order > as_of:
                continue
            if task.waiting is not None:
                answer = answers.get(task.waiting[0])
                if answer is not None and task.uuid not in answer.ids and task.name not in answer.rated:
                    self._metrics.release(task)
            answer, worker = answers.get(task.worker or ""), self._workers.get(task.worker or "")
            if answer is None or worker is None or task.uuid in answer.ids or task.heard >= worker.began:
                continue
            if self._losses.abandon(task):
                yield TaskChange(task, task.state, LOST_CHANGE, worker.hostname)

    def _merge(self, record: TaskRecord, held: HeldTask, before: Position | None, as_of: int) -> bool:
        """Return whether the record changed; a new one is taken into the store."""
        raw = Data.of(record)
        newer = before is not None and record.order > as_of
        changed = self._fill(record, held)
        advanced = not newer and self._advance(record, held, new=before is None)
        if changed:
            self._formatters.apply(record, raw)
        if changed or advanced:
            self._tasks.place(record, before)
        waits = not newer and not held.running and record.state == "RECEIVED" and record.worker == held.hostname
        if advanced or (waits and record.waiting is None):
            self._metrics.hold(record)
        return changed or advanced

    def _fill(self, record: TaskRecord, held: HeldTask) -> bool:
        changed = False
        for field in _GAPS:
            value = getattr(held, field)
            if value is not None and getattr(record, field) is None:
                setattr(record, field, self._share(value))
                changed = True
        return changed

    def _advance(self, record: TaskRecord, held: HeldTask, *, new: bool) -> bool:
        """Set state and worker, unless the record is as far, has ended, or is with another worker that lives."""
        state = "STARTED" if held.running else "RECEIVED"
        moved = record.worker != held.hostname
        if moved and record.worker is not None and self._lives(record.worker):
            return False
        behind = record.state in _BEHIND[state] or (moved and record.state in _BEHIND)
        if not behind:
            return False
        record.state = state
        if moved:
            record.worker = self._share(held.hostname)
            record.clock, record.heard, record.attempt_after = 0, 0.0, None
        if held.running and held.started is not None and (moved or record.started is None):
            record.started = held.started
        if new:
            record.timestamp = held.started if held.started is not None else self._now()
        return True

    def _lives(self, hostname: str) -> bool:
        worker = self._workers.get(hostname)
        return worker is not None and worker.online


def read_held(hostname: str, entry: Any, *, running: bool) -> HeldTask | None:
    """Read an entry of a worker's answer; None where it names no task. Secrets are masked by their names."""
    outer = entry if isinstance(entry, Mapping) else {}
    request = outer.get("request", outer)
    if not isinstance(request, Mapping):
        return None
    uuid = request.get("id")
    if not isinstance(uuid, str) or not 0 < len(uuid) <= _MAX_ID:
        return None
    started, delivery = request.get("time_start"), request.get("delivery_info")
    delivery = delivery if isinstance(delivery, Mapping) else {}
    # Workers of old take the time from a clock that does not count from the epoch.
    known = isinstance(started, (int, float)) and started > _EARLIEST
    return HeldTask(
        uuid,
        hostname,
        running,
        started=float(started) if running and known and started is not None else None,
        # Celery names the task in `name`, and before 5.1 in `type`.
        name=_word(request.get("name")) or _word(request.get("type")),
        args=args_text(mask(request.get("args"))),
        kwargs=kwargs_text(mask(request.get("kwargs"))),
        eta=_word(outer.get("eta")),
        exchange=_word(delivery.get("exchange")),
        routing_key=_word(delivery.get("routing_key")),
    )


def args_text(value: Any) -> str | None:
    """Return positional arguments as the text that events bring: over JSON a tuple arrives as a list."""
    return kwargs_text(tuple(value) if isinstance(value, list) else value)


def kwargs_text(value: Any) -> str | None:
    """Return keyword arguments as the text that events bring."""
    if value is None:
        return None
    text = value if isinstance(value, str) else repr(value)
    return text if len(text) <= _MAX_CHARACTERS else text[: _MAX_CHARACTERS - 1] + "…"


def _word(value: Any) -> str | None:
    return value[:_MAX_ID] if isinstance(value, str) else None
