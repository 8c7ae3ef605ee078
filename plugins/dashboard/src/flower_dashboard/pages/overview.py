"""The first page."""

from __future__ import annotations

from flower_dashboard.pages.page import FRAGMENT, PageHandler
from flower_dashboard.views.overview import MEASURES, SPANS, SPLITS, overview_view
from flower_plugins import Param

__all__ = ["OVERVIEW_PARAMS", "OverviewPage"]

OVERVIEW_PARAMS = (
    FRAGMENT,
    Param("json", bool, False, help="Answer with the workers as JSON, as older Flowers did here."),
    Param("measure", str, "count", choices=tuple(MEASURES), help="What the chart shows."),
    Param("by", str, "state", choices=tuple(SPLITS), help="What the chart is split by."),
    Param("span", str, "1h", choices=tuple(SPANS), help="How far the chart goes back."),
)


class OverviewPage(PageHandler):
    """`/`."""

    async def get(self) -> None:
        if self.params["json"]:
            self.send_json({"data": [worker.fields() for worker in self.host.workers.all()]})
            return
        report = await self.host.queues.report()
        view = overview_view(
            self.host,
            report,
            measure=self.params["measure"],
            split=self.params["by"],
            span=self.params["span"],
        )
        self.show("dashboard/overview.html", topics=("workers",), pace=2000, every=5000, view=view)
