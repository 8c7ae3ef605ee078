"""The list of workers, as a page and as the JSON that older Flowers gave."""

from __future__ import annotations

from flower_dashboard.pages.page import FRAGMENT, PageHandler
from flower_dashboard.views.workers import STATUSES, workers_view
from flower_plugins import Param

__all__ = ["WORKERS_PARAMS", "WorkersPage"]

WORKERS_PARAMS = (
    FRAGMENT,
    Param("json", bool, False, help="Answer with the workers as JSON."),
    Param("refresh", bool, False, help="Ask all workers about themselves, without waiting for the answers."),
    Param("search", str, "", help="Part of a worker's name."),
    Param("status", str, "", choices=tuple(STATUSES), help="Only workers that are online, or offline."),
    Param("sort_by", str, "status", help="A column of the page, descending with a leading dash."),
    Param("offset", int, 0),
    Param("limit", int, 100, minimum=1, maximum=1000),
)


class WorkersPage(PageHandler):
    """`/` and `/workers`."""

    async def get(self) -> None:
        if self.params["refresh"] and not self.foreign:
            self.route.options["refresher"].start()
        if self.params["json"]:
            self.send_json({"data": [worker.fields() for worker in self.host.workers.all()]})
            return
        view = workers_view(
            self.host,
            search=self.params["search"],
            status=self.params["status"],
            sort_by=self.params["sort_by"],
            offset=max(self.params["offset"], 0),
            limit=self.params["limit"],
        )
        self.show("dashboard/workers.html", topics=("workers",), view=view)
