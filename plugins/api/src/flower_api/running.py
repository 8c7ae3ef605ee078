"""Running tasks."""

from __future__ import annotations

import uuid

from msgspec.structs import replace

from flower_api.answers import TaskOutcome, TaskSent
from flower_api.handler import ApiHandler
from flower_api.options import Wanted, read_call
from flower_api.times import zone
from flower_plugins import TaskResult, Unavailable

__all__ = ["ApplyHandler", "AsyncApplyHandler", "SendTaskHandler", "outcome"]

_LONGEST = 3600.0
_NO_BACKEND = "No result backend is configured"


class _Run(ApiHandler):
    """The task's name is the first thing to be right."""

    def wanted(self, *, waits: bool = False) -> Wanted:
        """Return what the request asks for."""
        home = zone(self.host.timezone)
        return read_call(self.path["name"], self.request.body, self.params, home, waits=waits)

    def send_sent(self, task_id: str) -> None:
        """Finish with a task that was published."""
        self.answer(TaskSent(task_id, "PENDING" if self.host.results.configured else ""))


class SendTaskHandler(_Run):
    """Sends a task of any name."""

    async def post(self) -> None:
        """Publish it and answer with its id."""
        self.send_sent(await self.host.control.send_task(self.wanted().call))


class AsyncApplyHandler(_Run):
    """Sends a task of the app."""

    async def post(self) -> None:
        """Publish it and answer with its id."""
        self.host.control.check_task(self.path["name"])
        self.send_sent(await self.host.control.apply_task(self.wanted().call))


class ApplyHandler(_Run):
    """Sends a task of the app and waits for its result."""

    async def post(self) -> None:
        """Publish it, wait, and answer with its result; nothing is published when no result could be read."""
        self.host.control.check_task(self.path["name"])
        wanted = self.wanted(waits=True)
        results = self.host.results
        if not results.configured:
            raise Unavailable(_NO_BACKEND)
        call = replace(wanted.call, task_id=wanted.call.task_id or str(uuid.uuid4()))
        await results.get(call.task_id)
        task_id = await self.host.control.apply_task(call)
        if call.ignore_result:
            self.send_sent(task_id)
            return
        seconds = _LONGEST if wanted.timeout is None else wanted.timeout
        self.answer(outcome(await self.while_connected(results.wait(task_id, seconds))))


def outcome(result: TaskResult) -> TaskOutcome:
    """Return a result as the API shows it."""
    told = TaskOutcome(result.uuid, result.state)
    if result.ready:
        told.result = result.result
        if result.traceback:
            told.traceback = result.traceback
    return told
