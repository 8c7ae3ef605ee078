"""The broker and its queues."""

from __future__ import annotations

import time

from flower_dashboard.pages.page import PageHandler
from flower_dashboard.params import SPANS
from flower_dashboard.views.queues import broker_view
from flower_dashboard.views.spans import telling_span

__all__ = ["BrokerPage"]


class BrokerPage(PageHandler):
    """`/broker`."""

    async def get(self) -> None:
        report = await self.host.queues.report(watched=True)
        chosen = self.params["span"] or telling_span(self.host)
        spans = [(words, self.host.url("/broker", span=slug), slug == chosen) for slug, (words, _) in SPANS.items()]
        view = broker_view(self.host, report, span=SPANS[chosen][1], now=time.time(), spans=spans)
        self.show("dashboard/broker.html", topics=("workers",), pace=2000, every=5000, view=view)
