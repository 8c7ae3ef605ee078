"""One worker, and the question before something drastic is done to it."""

from __future__ import annotations

import asyncio

from flower_dashboard.origin import is_foreign
from flower_dashboard.pages.page import FLASH, FRAGMENT, PageHandler
from flower_dashboard.refresher import Refresher
from flower_dashboard.views.worker import worker_view
from flower_plugins import NotFound, Param, Worker

__all__ = ["CONFIRM_PARAMS", "WORKER_PARAMS", "ConfirmWorkerPage", "WorkerPage"]

WORKER_PARAMS = (
    FRAGMENT,
    *FLASH,
    Param("limit", int, 50, minimum=1, maximum=10_000, help="How many entries of each list to show."),
)
CONFIRM_PARAMS = (
    FRAGMENT,
    Param("action", str, required=True, choices=("shutdown", "pool-restart"), help="What to ask about."),
)


class _WorkerHandler(PageHandler):
    def find(self) -> Worker:
        name = self.path["name"]
        worker = self.host.workers.get(name)
        if worker is None:
            raise NotFound(f"Unknown worker {name!r}")
        return worker


class WorkerPage(_WorkerHandler):
    """`/worker/<name>`: asks the worker when its answers are missing or old, but waits only for missing ones."""

    async def get(self) -> None:
        worker = self.find()
        if worker.online and self.host.inspect.enabled and not is_foreign(self.request):
            await self._ask(worker.hostname)
        view = worker_view(self.host, worker, self.params["limit"])
        self.show(
            "dashboard/worker.html", subject=view.name, topics=("workers",), view=view, limit=self.params["limit"]
        )

    async def _ask(self, hostname: str) -> None:
        refresher: Refresher = self.route.options["refresher"]
        if self.host.inspect.info(hostname) is None and not self.params["fragment"]:
            await refresher.wait(hostname)
        else:
            refresher.start(hostname)
            await asyncio.sleep(0)


class ConfirmWorkerPage(_WorkerHandler):
    """`/worker/<name>/confirm`."""

    def get(self) -> None:
        self.show("dashboard/confirm_worker.html", name=self.find().hostname, action=self.params["action"])
