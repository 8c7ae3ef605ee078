"""Results of tasks."""

from __future__ import annotations

from flower_api.answers import Message
from flower_api.handler import ApiHandler
from flower_api.running import outcome

__all__ = ["AbortHandler", "ResultHandler"]


class ResultHandler(ApiHandler):
    """Shows what the result backend knows of a task."""

    async def get(self) -> None:
        """Answer with the state and, when the task is ready, its result."""
        waiting = self.host.results.wait(self.path["id"], self.params["timeout"] or 0.0)
        self.answer(outcome(await self.while_connected(waiting)))


class AbortHandler(ApiHandler):
    """Marks a task as aborted."""

    async def post(self) -> None:
        """Write the mark to the result backend; abortable tasks look for it."""
        uuid = self.path["id"]
        await self.host.results.abort(uuid)
        self.answer(Message(f"Aborted '{uuid}'"))
