"""The first page."""

from __future__ import annotations

from flower_dashboard.pages.page import PageHandler
from flower_dashboard.views.overview import overview_view

__all__ = ["OverviewPage"]


class OverviewPage(PageHandler):
    """`/`."""

    async def get(self) -> None:
        if self.params["json"]:
            self.send_json({"data": [worker.fields() for worker in self.host.workers.all()]})
            return
        report = await self.host.queues.report(watched=True)
        view = overview_view(
            self.host,
            report,
            measure=self.params["measure"],
            split=self.params["by"],
            span=self.params["span"],
        )
        self.show("dashboard/overview.html", topics=("workers",), pace=2000, every=5000, view=view)
