"""The workers page: totals, and one row per worker, those in trouble first."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from msgspec import Struct

from flower_dashboard.formats import count, text, whole
from flower_dashboard.markup import Html
from flower_dashboard.orders import ORDERS
from flower_dashboard.params import STATUSES
from flower_dashboard.views.paging import Pager, pager
from flower_dashboard.views.sorting import Heading, heading, split
from flower_dashboard.views.worker_row import WorkerRow, worker_row
from flower_dashboard.views.worker_rows import WorkerRowWriter
from flower_plugins import Host, Worker

__all__ = ["COLUMNS", "Chip", "Choice", "WorkersView", "workers_view"]

COLUMNS = (
    ("worker", "Worker", "text"),
    ("status", "Status", "state"),
    ("active", "Active", "number"),
    ("processed", "Processed", "number"),
    ("failed", "Failed", "number"),
    ("succeeded", "Succeeded", "number"),
    ("loadavg", "Load Average", "number"),
)
_COUNTED = {"processed": "task-received", "failed": "task-failed", "succeeded": "task-succeeded"}
"""The event types behind the columns that count events."""


class Chip(Struct, frozen=True):
    """A filter with the number of workers behind it."""

    label: str
    href: str
    number: int
    chosen: bool


class Choice(Struct, frozen=True):
    """An order that can be given to several workers."""

    slug: str
    label: str


class WorkersView(Struct, frozen=True):
    """What the workers page shows; `table` is `rows` as HTML. `totals` are over all matching workers."""

    headings: Sequence[Heading]
    rows: Sequence[WorkerRow]
    table: Html
    pager: Pager
    totals: Mapping[str, int]
    known: int
    search: str
    status: str
    chips: Sequence[Chip]
    orders: Sequence[Choice]
    sort_by: str
    announcement: str


def workers_view(host: Host, *, search: str, sort_by: str, offset: int, limit: int, status: str = "") -> WorkersView:
    """Return the page of workers whose name contains `search` and who are online, offline, or either for ""."""
    everyone = host.workers.all()
    wanted = search.strip().casefold()
    named = [worker for worker in everyone if wanted in text(worker.hostname).casefold()] if wanted else everyone
    up = {worker.hostname: worker.online is True for worker in named}
    matching = [worker for worker in named if not status or up[worker.hostname] == (status == "online")]
    column, descending = split(sort_by)
    if column not in {slug for slug, _, _ in COLUMNS}:
        sort_by, column, descending = "status", "status", False
    matching.sort(key=lambda worker: text(worker.hostname).casefold(), reverse=descending)
    matching.sort(key=_keys(column, up), reverse=descending)
    # There may be thousands: only those that are shown become rows.
    rows = [worker_row(worker) for worker in matching[offset : offset + limit]]
    totals = {
        "online": sum(up[worker.hostname] for worker in matching),
        "active": sum(whole(worker.active) for worker in matching if up[worker.hostname]),
        **{name: sum(whole(worker.counts.get(kind)) for worker in matching) for name, kind in _COUNTED.items()},
    }

    def link(order: str = sort_by, at: int = 0, size: int = limit, of: str = status) -> str:
        return host.url(
            "/workers", search=search or None, status=of or None, sort_by=order, offset=at or None, limit=size
        )

    online = sum(up.values())
    numbers = {"": len(named), "online": online, "offline": len(named) - online}

    return WorkersView(
        headings=[heading(slug, title, kind, sort_by, link) for slug, title, kind in COLUMNS],
        rows=rows,
        table=WorkerRowWriter(host).rows(rows),
        pager=pager(
            lambda at, size: link(at=at, size=size), offset=offset, limit=limit, shown=len(rows), total=len(matching)
        ),
        totals=totals,
        known=len(everyone),
        search=search,
        status=status,
        chips=[Chip(label, link(of=slug), numbers[slug], slug == status) for slug, label in STATUSES.items()],
        orders=[Choice(order.slug, _choice(order.button)) for order in ORDERS.values()],
        sort_by=sort_by,
        announcement=f"{totals['online']} of {len(matching)} workers online, {count(totals['active'])} tasks active, "
        f"{count(totals['failed'])} failed",
    )


def _keys(column: str, up: Mapping[str, bool]) -> Callable[[Worker], Any]:
    """Return what workers are sorted by, those of equal keys staying in the order of their names."""
    kind = _COUNTED.get(column)
    if kind:
        return lambda worker: whole(worker.counts.get(kind))
    if column == "active":
        return lambda worker: whole(worker.active) if up[worker.hostname] else 0
    if column == "loadavg":
        return lambda worker: worker_row(worker).load[:1] or (-1.0,)
    return lambda worker: up[worker.hostname] if column == "status" else 0


def _choice(button: str) -> str:
    """Return a button's words without what the worker's name would follow."""
    return re.sub(r" (of|to|at)$", "", button)
