"""The list of tasks."""

from __future__ import annotations

from flower_dashboard.pages.page import FRAGMENT, PageHandler
from flower_dashboard.views.tasks import DEFAULT_LIMIT, DEFAULT_SORT, Selection, tasks_view
from flower_plugins import Param

__all__ = ["TASKS_PARAMS", "TasksPage"]

TASKS_PARAMS = (
    FRAGMENT,
    Param("search", str, "", help="A text in the search language."),
    Param("state", str, "", help="Only tasks in this state."),
    Param("worker", str, "", help="Only tasks of this worker."),
    Param("name", str, "", help="Only tasks of this name."),
    Param("sort_by", str, DEFAULT_SORT, help="A task field, descending with a leading dash."),
    Param("offset", int, 0),
    Param("limit", int, DEFAULT_LIMIT, minimum=1, maximum=1000),
)


class TasksPage(PageHandler):
    """`/tasks`."""

    async def get(self) -> None:
        view = await tasks_view(self.host, Selection.read(self.params))
        self.show("dashboard/tasks.html", topics=("tasks",) if view.live else (), view=view)
