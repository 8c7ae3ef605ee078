"""What plugins show of tasks, columns and panels: each runs apart, and what it does wrong costs only itself."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

from msgspec.structs import replace

from flower.plugins.faults import FAULTS
from flower_plugins import DrawnPanel, Task, TaskColumn, TaskPanel
from flower_plugins.columns import ColumnValue
from flower_plugins.panels import Render

__all__ = ["TaskColumns", "TaskPanels", "Watch"]

log = logging.getLogger(__name__)

T = TypeVar("T")
Failed = Callable[[str, str], None]

_MAX_FAILURES = 5
_LOG_INTERVAL = 60.0
_WINDOW = 1.0
_SLOW = 0.1


class Watch:
    """Runs one thing of a plugin on the event loop.

    What it raises is counted and logged once a minute; the first time its plugin is reported as failed, and after five
    times in a row it is off. When it takes more than 100 ms of a second, be it in one call or in hundreds, the log
    says so.
    """

    def __init__(
        self,
        plugin: str,
        what: str,
        failed: Failed,
        *,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        """`what` names it for people; `failed` is told the plugin and a sentence."""
        self.active = True
        self.failures = 0
        self._plugin, self._what, self._failed, self._monotonic = plugin, what, failed, monotonic
        self._in_a_row = 0
        self._logged_at = self._slow_at = float("-inf")
        self._window, self._spent = float("-inf"), 0.0

    def run(self, call: Callable[..., T], *arguments: Any) -> T | None:
        """Return what the call returns, None when it fails or is off."""
        if not self.active:
            return None
        began = self._monotonic()
        try:
            result = call(*arguments)
        except FAULTS as error:  # the plugin boundary: a page must not break with what a plugin adds to it
            self._fail(error)
            result = None
        else:
            self._in_a_row = 0
        self._note(began, self._monotonic())
        return result

    def _fail(self, error: BaseException) -> None:
        self.failures += 1
        self._in_a_row += 1
        kind = type(error).__name__
        if self.failures == 1:
            self._failed(self._plugin, f"{self._what} raised {kind}; after {_MAX_FAILURES} times in a row it is off")
        if self._in_a_row >= _MAX_FAILURES:
            self.active = False
            log.error("Plugin %s: %s is off, it raised %s %d times in a row", *self._names, kind, _MAX_FAILURES)
        elif self._monotonic() - self._logged_at >= _LOG_INTERVAL:
            self._logged_at = self._monotonic()
            log.error("Plugin %s: %s failed (%d times so far)", *self._names, self.failures, exc_info=error)

    def _note(self, began: float, ended: float) -> None:
        if began - self._window >= _WINDOW:
            self._window, self._spent = began, 0.0
        self._spent += ended - began
        if self._spent > _SLOW and ended - self._slow_at >= _LOG_INTERVAL:
            self._slow_at = ended
            spent = round(self._spent * 1000)
            log.warning("Plugin %s: %s held up everything for %d ms within a second", *self._names, spent)

    @property
    def _names(self) -> tuple[str, str]:
        return self._plugin, self._what


class TaskColumns:
    """The columns of all plugins; their functions return None for whatever goes wrong."""

    def __init__(self, columns: Sequence[tuple[str, TaskColumn]], failed: Failed) -> None:
        self.columns = [
            _watched(column, Watch(plugin, f"column {column.slug!r}", failed)) for plugin, column in columns
        ]


class TaskPanels:
    """The panels of all plugins, in their order."""

    def __init__(
        self,
        panels: Sequence[tuple[str, TaskPanel]],
        render: Render,
        failed: Failed,
        folders: Mapping[str, Sequence[Path | None]],
    ) -> None:
        """`folders` are the template folders by plugin: a panel whose template its plugin does not have is refused."""
        self._render = render
        ordered = sorted(panels, key=lambda each: each[1].order)
        self._panels = [
            (panel, Watch(plugin, f"panel {panel.slug!r}", failed))
            for plugin, panel in ordered
            if _has_template(plugin, panel, folders.get(plugin, ()), failed)
        ]

    def drawn(self, task: Task, names: Mapping[str, Any]) -> Sequence[DrawnPanel]:
        """Return what the panels show of a task; those that have nothing, fail or are off are left out."""
        drawn = (watch.run(panel.draw, task, self._render, names) for panel, watch in self._panels)
        return [panel for panel in drawn if panel is not None]


def _watched(column: TaskColumn, watch: Watch) -> TaskColumn:
    value: Callable[[Task], ColumnValue] = partial(watch.run, column.read)
    return replace(column, value=value)


def _has_template(plugin: str, panel: TaskPanel, folders: Sequence[Path | None], failed: Failed) -> bool:
    if not panel.template or any(folder is not None and (folder / panel.template).is_file() for folder in folders):
        return True
    failed(plugin, f"panel {panel.slug!r} names the template {panel.template!r}, which its assets do not have")
    return False
