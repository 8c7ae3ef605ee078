"""Revoking tasks, and asking who holds one."""

from __future__ import annotations

from flower_api.answers import Message, Outcome, TaskQueried
from flower_api.bodies import read
from flower_api.handler import ApiHandler
from flower_api.many import send_outcomes
from flower_api.order_bodies import RevokeBody, StampsBody
from flower_plugins.bounds import MAX_NAME

__all__ = [
    "QueryTaskHandler",
    "RevokeHandler",
    "RevokeManyHandler",
    "RevokeStampedHandler",
]


class RevokeHandler(ApiHandler):
    """Revokes one task."""

    async def post(self) -> None:
        """Tell all workers; whether one knows the task is not asked."""
        uuid, params = self.path["id"], self.params
        signal = params["signal"] or "SIGTERM"
        await self.host.control.revoke([uuid], terminate=params["terminate"], signal=signal)
        self.answer(Message(f"Revoked '{uuid}'"))


class RevokeManyHandler(ApiHandler):
    """Revokes several tasks."""

    async def post(self) -> None:
        """Tell all workers at once, and answer with the outcome for each id."""
        body = read(self.request.body, RevokeBody)
        ids = list(dict.fromkeys(body.ids))
        good = [uuid for uuid in ids if _may_be_id(uuid)]
        if good:
            await self.host.control.revoke(good, terminate=body.terminate, signal=body.signal)
        send_outcomes(self, ids, [_outcome(uuid) for uuid in ids])


class RevokeStampedHandler(ApiHandler):
    """Revokes tasks by their stamped headers."""

    async def post(self) -> None:
        """Tell all workers."""
        body = read(self.request.body, StampsBody)
        await self.host.control.revoke_by_stamps(body.stamps, terminate=body.terminate, signal=body.signal)
        self.answer(Message(f"Revoked the tasks stamped with {', '.join(map(repr, body.stamps))}"))


class QueryTaskHandler(ApiHandler):
    """Shows which worker holds a task."""

    async def get(self) -> None:
        """Ask all workers."""
        self.refuse_other_sites()
        uuid = self.path["id"]
        held = await self.host.inspect.query_task(uuid)
        self.answer(TaskQueried(uuid, {name: dict(told) for name, told in held.items()}))


def _outcome(uuid: str) -> Outcome:
    if _may_be_id(uuid):
        return Outcome(200, f"Revoked '{uuid}'")
    return Outcome(400, f"Expected a task id of 1 to {MAX_NAME} printable characters")


def _may_be_id(uuid: str) -> bool:
    return 0 < len(uuid) <= MAX_NAME and uuid.isprintable()
