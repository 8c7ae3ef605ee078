"""Columns that plugins add to the list of tasks."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Literal

from msgspec import Struct

from flower_plugins.records import Task

__all__ = ["ColumnKind", "ColumnValue", "TaskColumn"]

ColumnKind = Literal["text", "number", "time"]
ColumnValue = str | int | float | None

_LONGEST = 1000


class TaskColumn(Struct, frozen=True):
    """A column of the tasks page, shown when it is chosen there or named in `tasks_columns`; it cannot be sorted by.

    `slug` is lower_snake and not the name of a field of tasks. `value` is called on the event loop, once a row whenever
    the page is drawn and once a task of an export, so it must be quick. `kind` says how what it returns is shown: a
    "text", a "number" (or a text to be set like one), or a "time" in seconds since the epoch. None shows as a dash.
    Whatever it returns is escaped.
    """

    slug: str
    title: str
    value: Callable[[Task], ColumnValue]
    kind: ColumnKind = "text"

    def read(self, task: Task) -> ColumnValue:
        """Return the value for a task, cut at 1000 characters. Raise what `value` raises, or TypeError."""
        value = self.value(task)
        if value is None:
            return None
        if isinstance(value, str) and self.kind != "time":
            return str.__str__(value)[:_LONGEST]
        if isinstance(value, (int, float)) and not isinstance(value, bool):
            return (float(value) if isinstance(value, float) else int(value)) if math.isfinite(value) else None
        raise TypeError(f"column {self.slug!r} of kind {self.kind!r} got {type(value).__name__}")
