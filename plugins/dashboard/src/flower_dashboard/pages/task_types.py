"""The task names."""

from __future__ import annotations

from flower_dashboard.pages.page import PageHandler
from flower_dashboard.views.task_types import task_types_view

__all__ = ["TaskTypesPage"]


class TaskTypesPage(PageHandler):
    """`/task-types`."""

    def get(self) -> None:
        view = task_types_view(
            self.host, search=self.params["search"], sort_by=self.params["sort_by"], span=self.params["span"]
        )
        self.show("dashboard/task_types.html", topics=("tasks",), pace=2000, view=view)
