"""One worker in numbers, wherever a list shows it."""

from __future__ import annotations

from msgspec import Struct

from flower_dashboard.clocks import skew
from flower_dashboard.formats import number, text, whole
from flower_plugins import Worker

__all__ = ["WorkerRow", "worker_row"]


class WorkerRow(Struct, frozen=True):
    """One worker in numbers; the counts are of events seen here. `skew` says how far its clock is off, if it is."""

    name: str
    online: bool
    last_seen: float | None
    active: int
    processed: int
    failed: int
    succeeded: int
    load: tuple[float, ...]
    skew: str


def worker_row(worker: Worker) -> WorkerRow:
    """Return one worker's row."""
    counts = worker.counts
    load = [number(part) for part in worker.loadavg] if isinstance(worker.loadavg, (list, tuple)) else []
    return WorkerRow(
        name=text(worker.hostname),
        online=worker.online is True,
        last_seen=number(worker.last_seen),
        active=whole(worker.active) if worker.online is True else 0,
        processed=whole(counts.get("task-received")),
        failed=whole(counts.get("task-failed")),
        succeeded=whole(counts.get("task-succeeded")),
        load=tuple(part for part in load if part is not None)[:3],
        skew=skew(worker),
    )
