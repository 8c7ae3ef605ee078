"""The task names."""

from __future__ import annotations

from flower_dashboard.pages.page import FRAGMENT, PageHandler
from flower_dashboard.views.task_types import SPANS, task_types_view
from flower_plugins import Param

__all__ = ["TASK_TYPES_PARAMS", "TaskTypesPage"]

TASK_TYPES_PARAMS = (
    FRAGMENT,
    Param("search", str, "", help="Part of a task's name."),
    Param("sort_by", str, "-ended", help="A column of the page, descending with a leading dash."),
    Param("span", str, "1h", choices=tuple(SPANS), help="How far back the numbers go."),
)


class TaskTypesPage(PageHandler):
    """`/task-types`."""

    def get(self) -> None:
        view = task_types_view(
            self.host, search=self.params["search"], sort_by=self.params["sort_by"], span=self.params["span"]
        )
        self.show("dashboard/task_types.html", topics=("tasks",), pace=2000, view=view)
