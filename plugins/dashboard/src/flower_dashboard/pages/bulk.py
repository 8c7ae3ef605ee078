"""Orders to many tasks: the question that names what and how many, and the order itself."""

from __future__ import annotations

from typing import Any

from flower_dashboard.batches import Batches
from flower_dashboard.formats import count
from flower_dashboard.pages.page import PageHandler
from flower_dashboard.params import SIGNALS
from flower_dashboard.views.bulk import MOST, SELECTED, Outcome, carry_out, preview
from flower_dashboard.views.selection import Selection
from flower_plugins import FlowerError, Forbidden, InvalidParameter
from flower_plugins.web import Handler, wants_json

__all__ = ["ConfirmTasksPage", "RevokeTasks", "chosen_ids"]

_SHOWN = 100
_SOME_FAILED = 207


class _Expired(FlowerError):
    """The question was asked too long ago, or was answered already."""

    status = 409


class ConfirmTasksPage(PageHandler):
    """`/tasks/confirm`: POST as well, for a thousand ids do not fit into a URL."""

    shareable = False

    async def get(self) -> None:
        if self.foreign:
            raise Forbidden("Cross-site request forbidden")  # questions are kept, and there is room for few
        selection, chosen, action = Selection.read(self.params), chosen_ids(self), self.params["action"]
        context: dict[str, Any] = {"selection": selection, "chosen": chosen, "action": action, "most": MOST}
        if action == "export":
            total = len(chosen) or (await self.host.tasks.query(selection.query(limit=0))).matching
            self.show("dashboard/export_tasks.html", total=total, **context)
            return
        found = await preview(self.host, selection, chosen)
        refusal = self.visit.refusal("write")
        batches: Batches = self.route.options["batches"]
        token = batches.keep(found.uuids) if found.uuids and refusal is None else ""
        self.show(
            "dashboard/confirm_tasks.html", preview=found, token=token, refusal=refusal, signals=SIGNALS, **context
        )

    post = get


class RevokeTasks(PageHandler):
    """`/tasks/revoke`."""

    async def post(self) -> None:
        batches: Batches = self.route.options["batches"]
        uuids = batches.take(self.params["batch"])
        if uuids is None:
            raise _Expired("This question was answered already, or asked too long ago. Nothing was done: ask again.")
        terminate, signal = self.params["terminate"], self.params["signal"] or "SIGTERM"
        outcome = await carry_out(self.host, uuids, terminate=terminate, signal=signal)
        if outcome.errors and not outcome.done:
            raise outcome.errors[0]
        if outcome.failed:
            self.set_status(_SOME_FAILED)
        message = _message(outcome, "Terminated" if terminate else "Revoked")
        if wants_json(self.request.headers.get("Accept", "")):
            self.send_json({"message": message, "failed": outcome.failed, "targets": outcome.targets})
            return
        odd = [item for item in outcome.targets.items() if not item[1].startswith(("Revoked", "Terminated"))]
        self.show("dashboard/bulk_done.html", message=message, odd=odd[:_SHOWN], more=max(0, len(odd) - _SHOWN))


def chosen_ids(handler: Handler) -> list[str]:
    """Return the tasks that a request names one by one."""
    lines = "\n".join(handler.get_arguments("ids", strip=False)).splitlines()
    ids = list(dict.fromkeys(uuid for uuid in lines if uuid))
    if len(ids) > SELECTED:
        raise InvalidParameter(f"{len(ids)} tasks are selected; {SELECTED} are the most. Use all that match instead.")
    return ids


def _message(outcome: Outcome, word: str) -> str:
    parts = [f"{word} {count(outcome.done)} {'task' if outcome.done == 1 else 'tasks'}."]
    if outcome.finished:
        parts.append(f"{count(outcome.finished)} had already finished or are no longer kept.")
    if outcome.failed:
        reason = outcome.errors[0].message if outcome.errors else "their ids cannot be sent"
        parts.append(f"{count(outcome.failed)} failed: {reason}.")
    return " ".join(parts)
