"""One task, and the question before it is revoked or terminated."""

from __future__ import annotations

from flower_dashboard.pages.page import PageHandler
from flower_dashboard.params import SIGNALS
from flower_dashboard.states import is_finished
from flower_dashboard.views.task import task_view
from flower_plugins import NotFound, Task

__all__ = ["ConfirmTaskPage", "TaskPage"]


class _TaskHandler(PageHandler):
    def find(self) -> Task:
        uuid = self.path["uuid"]
        task = self.host.tasks.get(uuid)
        if task is None:
            raise NotFound(f"Unknown task {uuid!r}")
        return task


class TaskPage(_TaskHandler):
    """`/task/<id>`."""

    def get(self) -> None:
        view = task_view(self.host, self.find())
        self.show("dashboard/task.html", subject=view.uuid, topics=(f"task:{view.uuid}",), view=view)


class ConfirmTaskPage(_TaskHandler):
    """`/task/<id>/confirm`."""

    def get(self) -> None:
        task = self.find()
        self.show(
            "dashboard/confirm_task.html",
            view=task_view(self.host, task),
            action=self.params["action"],
            signals=SIGNALS,
            finished=is_finished(task),
        )
