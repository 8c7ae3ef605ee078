"""One task, its result, and the question before anything is done to it."""

from __future__ import annotations

import json
from collections.abc import Callable

from msgspec import Struct
from msgspec.structs import replace

from flower_dashboard.formats import visible
from flower_dashboard.markup import Html
from flower_dashboard.pages.page import PageHandler
from flower_dashboard.params import SIGNALS
from flower_dashboard.states import is_finished
from flower_dashboard.views.task import task_view
from flower_plugins import Access, NotFound, Task

__all__ = ["ConfirmTaskPage", "TaskPage", "TaskResultPage"]


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
        task = self.find()
        view = task_view(self.host, task)
        drawn = self.host.task_panels(task, visit=_Permissions(self.visit.refusal))
        panels = [replace(panel, html=Html(panel.html)) for panel in drawn]  # the renderer has escaped what is in it
        self.show("dashboard/task.html", subject=view.uuid, topics=(f"task:{view.uuid}",), view=view, panels=panels)


class _Permissions(Struct, frozen=True):
    """What a panel's template may know of the visitor: what is drawn for one is shown to all who may do the same."""

    refusal: Callable[[Access], str | None]


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


class TaskResultPage(PageHandler):
    """`/task/<id>/result`: what the result backend has, which events carry cut short."""

    async def get(self) -> None:
        uuid = self.path["uuid"]
        result = await self.while_connected(self.host.results.get(uuid))
        shown = visible(result.result if isinstance(result.result, str) else _pretty(result.result))
        self.show("dashboard/task_result.html", uuid=uuid, result=result, shown=shown)


def _pretty(value: object) -> str:
    return json.dumps(value, indent=2, ensure_ascii=False, default=str)
