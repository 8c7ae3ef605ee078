"""The list of tasks."""

from __future__ import annotations

from flower_dashboard.pages.page import PageHandler
from flower_dashboard.views.tasks import Selection, tasks_view

__all__ = ["TasksPage"]


class TasksPage(PageHandler):
    """`/tasks`."""

    async def get(self) -> None:
        view = await tasks_view(self.host, Selection.read(self.params))
        self.show("dashboard/tasks.html", topics=("tasks",) if view.live else (), view=view)
