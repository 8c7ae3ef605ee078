"""The list of workers, as a page and as the JSON that older Flowers gave."""

from __future__ import annotations

from flower_dashboard.pages.page import PageHandler
from flower_dashboard.views.workers import workers_view

__all__ = ["WorkersPage"]


class WorkersPage(PageHandler):
    """`/workers`."""

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
