"""Orders to one worker or to several, answered with JSON for scripts and with a page for plain forms."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any

from msgspec import Struct

from flower_dashboard.actions import Action
from flower_dashboard.orders import ORDERS, Order
from flower_dashboard.pages.page import PageHandler
from flower_dashboard.refresher import Refresher
from flower_plugins import FlowerError, Host, InvalidParameter, NotFound, Param
from flower_plugins.web import wants_json

__all__ = [
    "ConfirmManyPage",
    "ConfirmOnePage",
    "ManyWorkersOrder",
    "Outcome",
    "WorkerOrder",
    "undo_of",
]

_MOST = 500
_AT_ONCE = 20
_PARTLY = 207


class WorkerOrder(Action):
    """`/worker/<name>/…`: the order is the route's option."""

    async def post(self) -> None:
        name, order = self.path["name"], self.route.options["order"]
        undo = undo_of(self.host, order, [name], self.params)
        message = await _give(self, order, name, self.params)
        if order.slug == "forget":
            self.finish_order(message, self.host.url("/workers"), leave=True)
        else:
            self.done("worker", name, order.slug, message, undo)


class Outcome(Struct, frozen=True):
    """What became of an order to one worker."""

    worker: str
    ok: bool
    message: str


class ManyWorkersOrder(PageHandler):
    """`/workers/order`: one order to several workers, each with an outcome of its own."""

    async def post(self) -> None:
        order = ORDERS[self.params["action"]]
        self.require(order.access)
        names = _chosen(self)
        given = read_given(order, self.params)
        gate = asyncio.Semaphore(_AT_ONCE)
        before = undo_of(self.host, order, names, given)

        async def one(name: str) -> Outcome:
            async with gate:
                try:
                    return Outcome(name, True, await _give(self, order, name, given))
                except FlowerError as error:
                    if error.status == 500:
                        raise
                    return Outcome(name, False, error.message)

        outcomes = await asyncio.gather(*(one(name) for name in names))
        self._answer(order, outcomes, before if all(outcome.ok for outcome in outcomes) else None)

    def _answer(self, order: Order, outcomes: Sequence[Outcome], undo: Mapping[str, Any] | None) -> None:
        done = sum(outcome.ok for outcome in outcomes)
        self.set_status(200 if done == len(outcomes) else _PARTLY)
        if wants_json(self.request.headers.get("Accept", "")):
            message = f"{done} of {len(outcomes)} workers did it."
            refused = next((outcome for outcome in outcomes if not outcome.ok), None)
            if refused is not None:
                message += f" {refused.worker}: {refused.message}"
            results = [{"worker": each.worker, "ok": each.ok, "message": each.message} for each in outcomes]
            self.send_json({"message": message, "results": results, **({"undo": undo} if undo else {})})
            return
        self.show("dashboard/outcomes.html", order=order, outcomes=outcomes, done=done)


class ConfirmOnePage(PageHandler):
    """`/worker/<name>/confirm`."""

    def get(self) -> None:
        name = self.path["name"]
        if self.host.workers.get(name) is None:
            raise NotFound(f"Unknown worker {name!r}")
        order = ORDERS[self.params["action"]]
        given = {param.name: self.params[param.name] for param in order.params if self.params[param.name]}
        given = {**{param.name: param.default for param in order.params if param.default}, **given}
        self.show("dashboard/confirm_worker.html", name=name, order=order, given=given)


class ConfirmManyPage(PageHandler):
    """`/workers/confirm?worker=…&worker=…`."""

    def get(self) -> None:
        self.show("dashboard/confirm_workers.html", names=_chosen(self), order=ORDERS[self.params["action"]])


def undo_of(host: Host, order: Order, names: Sequence[str], given: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """Return the request that will bring back what is now, None where it is not known that one does."""
    if not order.undo:
        return None
    if "queue" in given:
        consumes = order.slug == "consumer-cancel"
        snapshot = host.inspect.snapshot()
        for name in names:
            queues = snapshot.get(name, {}).get("active_queues")
            if queues is None or consumes != (given["queue"] in _names(queues)):
                return None
    values = [(param.name, str(given[param.name])) for param in order.params]
    fields = [("action", order.undo), *(("worker", name) for name in names), *values]
    return {"href": host.url("/workers/order"), "fields": fields}


def _names(queues: Any) -> set[str]:
    return {str(queue.get("name")) for queue in queues if isinstance(queue, dict)}


def read_given(order: Order, texts: Mapping[str, str]) -> dict[str, Any]:
    """Return an order's parameters out of texts, checked as its own route checks them."""
    given: dict[str, Any] = {}
    for param in order.params:
        text = texts.get(param.name, "")
        if not text and param.required:
            raise InvalidParameter(f"Missing argument {param.name}")
        given[param.name] = param.default if not text else _number(text, param) if param.type is int else text
        if param.type is str and not text:
            given[param.name] = param.default or ""
    return given


def _number(text: str, param: Param) -> int:
    try:
        value = int(text) if len(text) < 20 else None
    except ValueError:
        value = None
    if value is None or not (param.minimum or 0) <= value <= (param.maximum or value):
        expected = f"a whole number from {param.minimum:g} to {param.maximum:g}"
        raise InvalidParameter(f"Invalid argument {text[:100]!r}: {param.name} is {expected}")
    return value


def _chosen(handler: PageHandler) -> list[str]:
    names = list(dict.fromkeys(handler.get_arguments("worker")))
    if not names:
        raise InvalidParameter("Choose at least one worker")
    if len(names) > _MOST:
        raise InvalidParameter(f"Choose at most {_MOST} workers at once")
    return names


async def _give(handler: PageHandler | Action, order: Order, name: str, given: Mapping[str, Any]) -> str:
    message = await order.run(handler.host, name, given)
    if order.moves:
        refresher: Refresher = handler.route.options["refresher"]
        refresher.changed(name)
    return message
