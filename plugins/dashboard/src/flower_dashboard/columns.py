"""The columns of the tasks page: which there are, and which the operator chose."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from flower_plugins import Host, Task

__all__ = ["ALL", "DEFAULT", "SLUGS", "SORTABLE", "Column", "chosen", "every", "unknown"]


class Column(NamedTuple):
    """One column; `kind` chooses the form of its cells.

    `read` returns what it shows of a task, None for a column of ours: it shows the field that `slug` names.
    """

    slug: str
    title: str
    kind: str = "text"
    sortable: bool = True
    read: Callable[[Task], Any] | None = None


ALL = (
    Column("name", "Name", "name"),
    Column("uuid", "UUID", "uuid", sortable=False),
    Column("state", "State", "state"),
    Column("args", "args", "code"),
    Column("kwargs", "kwargs", "code"),
    Column("result", "Result", "code"),
    Column("received", "Received", "time"),
    Column("started", "Started", "time"),
    Column("runtime", "Runtime", "duration"),
    Column("worker", "Worker", "worker"),
    Column("exchange", "Exchange"),
    Column("routing_key", "Routing Key"),
    Column("retries", "Retries", "number"),
    Column("revoked", "Revoked", "time"),
    Column("exception", "Exception", "code"),
    Column("expires", "Expires"),
    Column("eta", "ETA"),
)
SLUGS = tuple(column.slug for column in ALL)
SORTABLE = frozenset(column.slug for column in ALL if column.sortable)
DEFAULT = "name,uuid,state,received,runtime,worker"


def every(host: Host) -> tuple[Column, ...]:
    """Return the columns there are: ours, then those that plugins add."""
    added = (Column(each.slug, each.title, each.kind, False, each.read) for each in host.task_columns())
    return (*ALL, *added)


def unknown(setting: str, there: Sequence[Column]) -> list[str]:
    """Return the names in `tasks_columns` that no column has."""
    known = {"", "all", *(column.slug for column in there)}
    return [slug.strip() for slug in setting.split(",") if slug.strip().lower() not in known]


def chosen(setting: str, there: Sequence[Column] = ALL) -> tuple[Column, ...]:
    """Return those columns of all `there` are that `tasks_columns` names, in its order.

    Blanks are trimmed, unknown and repeated names left out; "all" anywhere means every column.
    A setting that names none gives the default.
    """
    slugs = [slug.strip().lower() for slug in setting.split(",")]
    if "all" in slugs:
        return tuple(there)
    by_slug = {column.slug: column for column in there}
    known = dict.fromkeys(slug for slug in slugs if slug in by_slug)
    return tuple(by_slug[slug] for slug in known) or chosen(DEFAULT)
