"""Task types: one row per task name, in numbers of the last hours."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from msgspec import Struct

from flower_dashboard.charts import spark
from flower_dashboard.formats import rough
from flower_dashboard.params import SPANS
from flower_dashboard.views.sorting import Heading, heading, split
from flower_plugins import Host, TaskSummary
from flower_plugins.rollups import OTHER

__all__ = ["COLUMNS", "TaskTypesView", "TypeRow", "task_types_view"]

COLUMNS = (
    ("name", "Task", "text"),
    ("ended", "Ended", "number"),
    ("failed", "Failed", "number"),
    ("retried", "Retried", "number"),
    ("rate", "Rate", "number"),
    ("median", "Runtime p50", "number"),
    ("runtime", "p95", "number"),
    ("slowest", "p99", "number"),
    ("wait", "Wait p95", "number"),
    ("last_failure", "Last failure", "time"),
)


class TypeRow(Struct, frozen=True):
    """One task name; durations in words, "" where nothing was measured."""

    summary: TaskSummary
    label: str
    rate: str
    failed: int
    share: str
    retried: int
    p50: str
    p95: str
    p99: str
    wait: str
    spark: str
    width: int
    href: str
    failures: str


class TaskTypesView(Struct, frozen=True):
    """What the page shows."""

    rows: Sequence[TypeRow]
    headings: Sequence[Heading]
    spans: Sequence[tuple[str, str, bool]]
    known: int
    search: str
    sort_by: str
    span: str


def task_types_view(host: Host, *, search: str, sort_by: str, span: str) -> TaskTypesView:
    """Return the page of the task names that contain `search`."""
    everything = [row for row in host.rollups.summary(SPANS[span][1]) if row.name and any(row.counts.values())]
    wanted = search.strip().casefold()
    rows = [row for row in everything if wanted in row.name.casefold()]
    column, descending = split(sort_by)
    if column not in {slug for slug, _, _ in COLUMNS}:
        sort_by, column, descending = "-ended", "ended", True
    rows.sort(key=lambda row: row.name.casefold())
    rows.sort(key=lambda row: _key(row, column), reverse=descending)

    def link(order: str = sort_by, of: str = span) -> str:
        return host.url("/task-types", search=search or None, sort_by=order, span=of)

    return TaskTypesView(
        rows=[_row(host, row) for row in rows],
        headings=[heading(slug, title, kind, sort_by, link) for slug, title, kind in COLUMNS],
        spans=[(words, link(of=slug), slug == span) for slug, (words, _) in SPANS.items()],
        known=len(everything),
        search=search,
        sort_by=sort_by,
        span=span,
    )


def _key(row: TaskSummary, column: str) -> Any:
    values: dict[str, Any] = {
        "name": row.name.casefold(),
        "ended": row.ended,
        "failed": row.counts.get("task-failed", 0),
        "retried": row.counts.get("task-retried", 0),
        "rate": row.rate,
        "median": row.runtime.p50 or 0.0,
        "runtime": row.runtime.p95 or 0.0,
        "slowest": row.runtime.p99 or 0.0,
        "wait": row.wait.p95 or 0.0,
        "last_failure": row.last_failure or 0.0,
    }
    return values[column]


def _row(host: Host, row: TaskSummary) -> TypeRow:
    other = row.name == OTHER
    return TypeRow(
        summary=row,
        label="All others" if other else row.name,
        rate=f"{_figure(row.rate)}/s" if row.rate >= 1 else f"{_figure(row.rate * 60)}/min",
        failed=row.counts.get("task-failed", 0),
        share="" if not row.failure_rate else f"{_figure(row.failure_rate * 100, 2)} %",
        retried=row.counts.get("task-retried", 0),
        p50=rough(row.runtime.p50),
        p95=rough(row.runtime.p95),
        p99=rough(row.runtime.p99),
        wait=rough(row.wait.p95),
        spark=spark(row.sparkline),
        width=max(len(row.sparkline), 1),
        href="" if other else host.url("/tasks", name=row.name),
        failures="" if other else host.url("/tasks", name=row.name, state="FAILURE"),
    )


def _figure(value: float, digits: int = 3) -> str:
    """Return a number with so many digits, and never fewer than it has before the point."""
    return f"{value:,.0f}" if value >= 10 ** (digits - 1) else f"{value:.{digits}g}"
