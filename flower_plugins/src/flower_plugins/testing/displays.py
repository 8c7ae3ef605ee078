"""Contracts of what plugins show of tasks: columns and panels."""

from __future__ import annotations

import math
from abc import abstractmethod
from collections.abc import Mapping
from typing import Any

from flower_plugins.columns import TaskColumn
from flower_plugins.panels import TaskPanel
from flower_plugins.testing.records import FakeTask

__all__ = ["TaskColumnContract", "TaskPanelContract"]

_TASKS = (
    FakeTask("a", kwargs="{'amount': 7}", queue="celery", extra={"done": 1, "total": 2}),
    FakeTask("b", state="FAILURE", result=None, exception="ValueError('no')", traceback="Traceback …", succeeded=None),
    FakeTask("d", args="(1, 'cut...", kwargs="{'cut...", result="'cut..."),
    FakeTask(
        *("c", None, "PENDING", None),
        args=None,
        kwargs=None,
        result=None,
        received=None,
        started=None,
        succeeded=None,
        runtime=None,
        retries=None,
    ),
)


class TaskColumnContract:
    """Columns of the tasks page."""

    @abstractmethod
    def make(self) -> TaskColumn:
        """Return a column."""

    def test_any_task_has_a_value_of_the_columns_kind(self) -> None:
        column = self.make()
        for task in _TASKS:
            value = column.read(task)
            assert value is None or isinstance(value, (str, int, float)), value
            assert not isinstance(value, float) or math.isfinite(value)

    def test_the_column_has_a_name_of_its_own(self) -> None:
        column = self.make()
        assert column.slug.isidentifier()
        assert column.slug == column.slug.lower()
        assert not hasattr(_TASKS[0], column.slug), f"{column.slug} is a field of tasks"
        assert column.title


class TaskPanelContract:
    """Panels of the task page. A template is not drawn here, only given its names."""

    @abstractmethod
    def make(self) -> TaskPanel:
        """Return a panel."""

    def test_any_task_can_be_drawn(self) -> None:
        panel = self.make()
        drawn: list[tuple[str, Mapping[str, Any]]] = []

        def render(template: str, names: Mapping[str, Any]) -> str:
            drawn.append((template, names))
            return "<p></p>"

        for task in _TASKS:
            found = panel.draw(task, render, {})
            assert found is None or (found.slug, found.title) == (panel.slug, panel.title)
        assert all(template == panel.template for template, _ in drawn)

    def test_the_panel_has_a_name_and_a_title(self) -> None:
        panel = self.make()
        assert panel.slug.isidentifier()
        assert panel.title
