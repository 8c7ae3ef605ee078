"""Entry point: a column with one keyword argument of each task."""

from __future__ import annotations

import ast
import re
from collections.abc import Sequence

from flower_plugins import Host, Option, Task, TaskColumn, hookimpl

FLOWER_API_VERSION = 1


class Argument:
    """Finds one keyword argument in the text of all of them, which is foreign text and may be cut anywhere."""

    def __init__(self, name: str) -> None:
        self._find = re.compile(
            rf"""['"]{re.escape(name)}['"]: ('(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*"|[^\s,}}'"]+(?=[,}}]))"""
        ).search

    def of(self, task: Task) -> str | None:
        """Return the argument's value, None where there is none."""
        found = self._find(task.kwargs or "")
        if found is None or found[1][0] not in "'\"":
            return None if found is None else found[1]
        try:
            return str(ast.literal_eval(found[1]))  # one text as Python writes it, its escapes included
        except (ValueError, SyntaxError):
            return None


@hookimpl
def flower_options() -> Sequence[Option]:
    return [Option("customer_argument", str, "customer", "The keyword argument that the column shows")]


@hookimpl
def flower_task_columns(host: Host) -> Sequence[TaskColumn]:
    return [TaskColumn("customer", "Customer", Argument(host.settings["customer_argument"]).of)]
