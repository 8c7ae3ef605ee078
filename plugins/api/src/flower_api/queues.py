"""Reading queues."""

from __future__ import annotations

from typing import Any

from flower_plugins import NotFound, QueueStats, Unavailable
from flower_plugins.web import Handler

__all__ = ["QueueLengthHandler"]


class QueueLengthHandler(Handler):
    """Lists queue lengths."""

    async def get(self) -> None:
        """Answer with the broker's own object per queue where it has one, else with name and messages.

        Old numbers say so, with their age in seconds and the reason.
        """
        report = await self.host.queues.report()
        if not report.supported:
            raise NotFound(report.error)
        if report.error and not report.queues:
            raise Unavailable(report.error)
        stale = {"stale": True, "age": round(report.age, 1), "error": report.error} if report.stale else {}
        self.send_json({"active_queues": [_listed(queue) for queue in report.queues], **stale})


def _listed(queue: QueueStats) -> dict[str, Any]:
    return {"name": queue.name, "messages": queue.messages, **queue.extra}
