"""One worker."""

from __future__ import annotations

import asyncio

from flower_dashboard.pages.page import PageHandler
from flower_dashboard.refresher import Refresher
from flower_dashboard.views.now import history, now_view
from flower_dashboard.views.worker import worker_view
from flower_plugins import NotFound

__all__ = ["WorkerPage"]


class WorkerPage(PageHandler):
    """`/worker/<name>`: asks the worker when its answers are missing or old, but waits only for missing ones."""

    async def get(self) -> None:
        worker = self.host.workers.get(self.path["name"])
        if worker is None:
            raise NotFound(f"Unknown worker {self.path['name']!r}")
        if worker.online and self.host.inspect.enabled and not self.foreign:
            await self._ask(worker.hostname)
        limit = self.params["limit"]
        view = worker_view(self.host, worker, limit)
        self.show(
            "dashboard/worker.html",
            subject=view.name,
            topics=("workers",),
            view=view,
            now_running=await now_view(self.host, worker, limit),
            history=history(self.host, worker),
            limit=limit,
        )

    async def _ask(self, hostname: str) -> None:
        refresher: Refresher = self.route.options["refresher"]
        if self.host.inspect.info(hostname) is None and not self.params["fragment"]:
            await refresher.wait(hostname)
        else:
            refresher.start(hostname)
            await asyncio.sleep(0)
