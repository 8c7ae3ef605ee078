"""Entry point: a panel that leads from a task to its trace."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from urllib.parse import quote

from flower_plugins import Assets, Host, Option, Task, TaskPanel, hookimpl

FLOWER_API_VERSION = 1


class Trace:
    """Knows where the trace of a task is."""

    def __init__(self, url: str) -> None:
        self._url = url

    def of(self, task: Task) -> Mapping[str, str] | None:
        """Return the names of the template, None when nobody said where traces are."""
        if not self._url:
            return None
        return {"href": self._url.replace("{uuid}", quote(task.uuid, safe=""))}


def _web_address(value: str) -> str:
    if value and not value.startswith(("https://", "http://")):
        raise ValueError("it begins with https:// or http://")
    return value


@hookimpl
def flower_options() -> Sequence[Option]:
    return [Option("trace_url", str, "", "Where traces are; {uuid} stands for the task's id", check=_web_address)]


@hookimpl
def flower_assets() -> Sequence[Assets]:
    return [Assets(templates=Path(__file__).parent / "templates")]


@hookimpl
def flower_task_panels(host: Host) -> Sequence[TaskPanel]:
    trace = Trace(host.settings["trace_url"])
    return [TaskPanel("trace", "Trace", trace.of, template="trace_panel/trace.html", order=50)]
