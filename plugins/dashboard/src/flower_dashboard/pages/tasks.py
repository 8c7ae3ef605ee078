"""The list of tasks."""

from __future__ import annotations

from flower_dashboard.pages.page import PageHandler
from flower_dashboard.views.selection import Selection
from flower_dashboard.views.tasks import tasks_view

__all__ = ["TasksPage"]


class TasksPage(PageHandler):
    """`/tasks`."""

    async def get(self) -> None:
        origin = f"{self.request.protocol}://{self.request.host}"
        view = await tasks_view(self.host, Selection.read(self.params), origin, self.params["own"])
        self.show("dashboard/tasks.html", topics=("tasks",) if view.live else (), view=view)
