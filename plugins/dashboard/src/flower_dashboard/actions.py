"""The buttons: orders answered with JSON for scripts and with a redirect for plain forms."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flower_dashboard.formats import text
from flower_dashboard.links import path
from flower_dashboard.states import is_finished
from flower_plugins import FlowerError, Forbidden, NotFound
from flower_plugins.web import Handler, wants_json

__all__ = [
    "AbortTask",
    "Action",
    "RefreshWorker",
    "RevokeTask",
]


class _Finished(FlowerError):
    """The task has ended, so that the order could change nothing."""

    status = 409


class Action(Handler):
    """Base of the buttons."""

    def done(self, page: str, target: str, code: str, message: str, undo: Mapping[str, Any] | None = None) -> None:
        """Finish: `message` as JSON when that is what the caller accepts, else back to the page of `target`."""
        self.finish_order(message, self.host.url(path(page, target), flash=code, target=target), undo)

    def finish_order(
        self, message: str, page: str, undo: Mapping[str, Any] | None = None, *, leave: bool = False
    ) -> None:
        """Finish like `done`, with any page to go to; `undo` is the request that takes the order back.

        `leave` means that the page of the target is no more, so that a script is to go there as well.
        """
        if wants_json(self.request.headers.get("Accept", "")):
            more = {**({"undo": undo} if undo else {}), **({"next": page} if leave else {})}
            self.send_json({"message": message, **more})
        else:
            self.redirect(page, status=303)


class RevokeTask(Action):
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


class AbortTask(Action):
    """`/task/<id>/abort`."""

    async def post(self) -> None:
        uuid = self.path["uuid"]
        if self.host.tasks.get(uuid) is None:
            raise NotFound(f"Unknown task {uuid!r}")
        await self.host.results.abort(uuid)
        self.done("task", uuid, "aborted", f"Aborted {uuid!r}")


class RefreshWorker(Action):
    """`/worker/<name>/refresh`: changes nothing, so reading suffices; other sites may still not cause the traffic."""

    async def post(self) -> None:
        name = self.path["name"]
        if self.foreign:
            raise Forbidden("Cross-site request forbidden")
        if self.host.workers.get(name) is None:
            raise NotFound(f"Unknown worker {name!r}")
        await self.host.inspect.refresh(name)
        self.done("worker", name, "refreshed", f"Refreshed {name!r}")
