"""The buttons: orders to workers, answered with JSON for scripts and with a redirect for plain forms."""

from __future__ import annotations

from abc import ABC, abstractmethod

from flower_dashboard.formats import text
from flower_dashboard.links import path
from flower_dashboard.origin import is_foreign
from flower_dashboard.refresher import Refresher
from flower_dashboard.states import is_finished
from flower_plugins import FlowerError, Forbidden, NotFound, Param
from flower_plugins.web import Handler, wants_json

__all__ = [
    "POOL_PARAMS",
    "REVOKE_PARAMS",
    "SIGNALS",
    "PoolGrow",
    "PoolRestart",
    "PoolShrink",
    "RefreshWorker",
    "RevokeTask",
    "ShutdownWorker",
]

SIGNALS = ("SIGTERM", "SIGINT", "SIGQUIT", "SIGKILL", "SIGUSR1", "SIGHUP", "SIGABRT")
REVOKE_PARAMS = (
    Param("terminate", bool, False, help="Also kill the process that runs the task."),
    Param("signal", str, "SIGTERM", choices=SIGNALS, help="The signal to kill it with."),
)
POOL_PARAMS = (Param("n", int, 1, minimum=1, maximum=1000, help="How many processes."),)


class _Finished(FlowerError):
    """The task has ended, so that the order could change nothing."""

    status = 409


class _Action(Handler):
    def done(self, page: str, target: str, code: str, message: str) -> None:
        """Finish: `message` as JSON when that is what the caller accepts, else back to the page of `target`."""
        if wants_json(self.request.headers.get("Accept", "")):
            self.send_json({"message": message})
            return
        self.redirect(self.host.url(path(page, target), flash=code, target=target), status=303)


class RevokeTask(_Action):
    """`/task/<id>/revoke`."""

    async def post(self) -> None:
        uuid, terminate = self.path["uuid"], self.params["terminate"]
        task = self.host.tasks.get(uuid)
        if task is None:
            raise NotFound(f"Unknown task {uuid!r}")
        if is_finished(task):
            raise _Finished(f"Task {uuid!r} already finished: {text(task.state)}")
        await self.host.control.revoke([uuid], terminate=terminate, signal=self.params["signal"] or "SIGTERM")
        code = "terminated" if terminate else "revoked"
        self.done("task", uuid, code, f"{code.capitalize()} {uuid!r}")


class _WorkerAction(_Action, ABC):
    code: str
    changes_answers = False

    async def post(self) -> None:
        name = self.path["name"]
        message = await self.order(name)
        if self.changes_answers:
            refresher: Refresher = self.route.options["refresher"]
            refresher.changed(name)
        self.done("worker", name, self.code, message)

    @abstractmethod
    async def order(self, name: str) -> str:
        """Give the order and return what to say about it."""


class ShutdownWorker(_WorkerAction):
    """`/worker/<name>/shutdown`."""

    code = "shutdown"

    async def order(self, name: str) -> str:
        await self.host.control.shutdown(name)
        return "Shutting down!"


class PoolRestart(_WorkerAction):
    """`/worker/<name>/pool/restart`."""

    code = "pool-restarted"
    changes_answers = True

    async def order(self, name: str) -> str:
        return await self.host.control.pool_restart(name)


class PoolGrow(_WorkerAction):
    """`/worker/<name>/pool/grow`."""

    code = "pool-grown"
    changes_answers = True

    async def order(self, name: str) -> str:
        return await self.host.control.pool_grow(name, self.params["n"])


class PoolShrink(_WorkerAction):
    """`/worker/<name>/pool/shrink`."""

    code = "pool-shrunk"
    changes_answers = True

    async def order(self, name: str) -> str:
        return await self.host.control.pool_shrink(name, self.params["n"])


class RefreshWorker(_WorkerAction):
    """`/worker/<name>/refresh`: changes nothing, so reading suffices; other sites may still not cause the traffic."""

    code = "refreshed"

    async def order(self, name: str) -> str:
        if is_foreign(self.request):
            raise Forbidden("Cross-site request forbidden")
        if self.host.workers.get(name) is None:
            raise NotFound(f"Unknown worker {name!r}")
        await self.host.inspect.refresh(name)
        return f"Refreshed {name!r}"
