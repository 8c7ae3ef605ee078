"""The workers page: totals, and one row per worker, those in trouble first."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from flower_dashboard.clocks import skew
from flower_dashboard.formats import count, number, text, whole
from flower_dashboard.orders import ORDERS
from flower_dashboard.params import STATUSES
from flower_dashboard.views.paging import Pager, pager
from flower_dashboard.views.sorting import Heading, heading, split
from flower_plugins import Host, Worker

__all__ = ["COLUMNS", "Chip", "Choice", "WorkerRow", "WorkersView", "worker_row", "workers_view"]

COLUMNS = (
    ("worker", "Worker", "text"),
    ("status", "Status", "state"),
    ("active", "Active", "number"),
    ("processed", "Processed", "number"),
    ("failed", "Failed", "number"),
    ("succeeded", "Succeeded", "number"),
    ("loadavg", "Load Average", "number"),
)


@dataclass(frozen=True, slots=True)
class WorkerRow:
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

    def key(self, column: str) -> tuple[Any, ...]:
        """Return what the row is sorted by."""
        if column == "worker":
            return (self.name.casefold(),)
        if column == "status":
            return (self.online, self.name.casefold())
        if column == "loadavg":
            return (self.load[:1] or (-1.0,), self.name.casefold())
        return (getattr(self, column), self.name.casefold())


@dataclass(frozen=True, slots=True)
class Chip:
    """A filter with the number of workers behind it."""

    label: str
    href: str
    number: int
    chosen: bool


@dataclass(frozen=True, slots=True)
class Choice:
    """An order that can be given to several workers."""

    slug: str
    label: str


@dataclass(frozen=True, slots=True)
class WorkersView:
    """What the workers page shows. `totals` are over all matching workers, not the page alone."""

    headings: Sequence[Heading]
    rows: Sequence[WorkerRow]
    pager: Pager
    totals: Mapping[str, int]
    known: int
    search: str
    status: str
    chips: Sequence[Chip]
    orders: Sequence[Choice]
    sort_by: str
    announcement: str


def worker_row(worker: Worker) -> WorkerRow:
    """Return one worker's row."""
    counts = worker.counts
    load = [number(part) for part in worker.loadavg] if isinstance(worker.loadavg, (list, tuple)) else []
    return WorkerRow(
        name=text(worker.hostname),
        online=worker.online is True,
        last_seen=number(worker.last_seen),
        active=whole(worker.active),
        processed=whole(counts.get("task-received")),
        failed=whole(counts.get("task-failed")),
        succeeded=whole(counts.get("task-succeeded")),
        load=tuple(part for part in load if part is not None)[:3],
        skew=skew(worker),
    )


def workers_view(host: Host, *, search: str, sort_by: str, offset: int, limit: int, status: str = "") -> WorkersView:
    """Return the page of workers whose name contains `search` and who are online, offline, or either for ""."""
    everyone = [worker_row(worker) for worker in host.workers.all()]
    wanted = search.strip().casefold()
    named = [row for row in everyone if wanted in row.name.casefold()]
    rows = [row for row in named if not status or row.online == (status == "online")]
    column, descending = split(sort_by)
    if column not in {slug for slug, _, _ in COLUMNS}:
        sort_by, column, descending = "status", "status", False
    rows.sort(key=lambda row: row.key(column), reverse=descending)
    shown = rows[offset : offset + limit]
    totals = {
        "online": sum(row.online for row in rows),
        **{name: sum(getattr(row, name) for row in rows) for name in ("active", "processed", "failed", "succeeded")},
    }

    def link(order: str = sort_by, at: int = 0, size: int = limit, of: str = status) -> str:
        return host.url(
            "/workers", search=search or None, status=of or None, sort_by=order, offset=at or None, limit=size
        )

    online = sum(row.online for row in named)
    numbers = {"": len(named), "online": online, "offline": len(named) - online}

    return WorkersView(
        headings=[heading(slug, title, kind, sort_by, link) for slug, title, kind in COLUMNS],
        rows=shown,
        pager=pager(
            lambda at, size: link(at=at, size=size), offset=offset, limit=limit, shown=len(shown), total=len(rows)
        ),
        totals=totals,
        known=len(everyone),
        search=search,
        status=status,
        chips=[Chip(label, link(of=slug), numbers[slug], slug == status) for slug, label in STATUSES.items()],
        orders=[Choice(order.slug, _choice(order.button)) for order in ORDERS.values()],
        sort_by=sort_by,
        announcement=f"{totals['online']} of {len(rows)} workers online, {count(totals['active'])} tasks active, "
        f"{count(totals['failed'])} failed",
    )


def _choice(button: str) -> str:
    """Return a button's words without what the worker's name would follow."""
    return re.sub(r" (of|to|at)$", "", button)
