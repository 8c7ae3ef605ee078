"""The columns of the tasks page: which there are, and which the operator chose."""

from __future__ import annotations

from typing import NamedTuple

__all__ = ["ALL", "DEFAULT", "SLUGS", "SORTABLE", "Column", "chosen"]


class Column(NamedTuple):
    """One column; `slug` is the task field it shows, `kind` chooses the cell's form in the template."""

    slug: str
    title: str
    kind: str = "text"
    sortable: bool = True


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

_BY_SLUG = {column.slug: column for column in ALL}


def chosen(setting: str) -> tuple[Column, ...]:
    """Return the columns that `tasks_columns` names, in its order.

    Blanks are trimmed, unknown and repeated names left out; "all" anywhere means every column.
    A setting that names none gives the default.
    """
    slugs = [slug.strip().lower() for slug in setting.split(",")]
    if "all" in slugs:
        return ALL
    known = dict.fromkeys(slug for slug in slugs if slug in _BY_SLUG)
    return tuple(_BY_SLUG[slug] for slug in known) or chosen(DEFAULT)
