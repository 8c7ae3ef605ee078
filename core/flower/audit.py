"""One line for every attempt to change something, on the logger `flower.audit`."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import datetime, timezone

__all__ = ["Attempt", "begin", "order"]

log = logging.getLogger("flower.audit")
log.setLevel(logging.INFO)  # --logging=warning quietens the program, not the record of what people did

_MAX_TEXT = 1000
_MAX_ORDERS_TEXT = 64_000


class Attempt:
    """A request that may change something. It leaves exactly one record, when its outcome is known.

    One that is not `due`, because its route promises to change nothing, leaves none until an order is given
    on its behalf. `action` names the route, `target` is the path.
    """

    def __init__(self, *, identity: str, address: str, method: str, action: str, target: str, due: bool) -> None:
        self.identity, self.address = identity, address
        self._method, self._action, self._target, self._due = method, action, target, due
        self._orders: list[str] = []
        self._room = _MAX_ORDERS_TEXT
        self.open = True
        """Whether the record is still to be written."""

    def give(self, order: str) -> None:
        """Note an order to workers or to the result backend, with every target: a record says when it is cut."""
        self._due = True
        if self._room > 0:
            self._orders.append(order[: self._room])
        self._room -= len(order)

    def end(self, outcome: str, parameters: str = "") -> None:
        """Write the record, the first time only.

        `outcome` is "ok", "partly", "refused", "failed" or "unknown", with a reason after a colon; `parameters`
        is a digest of what was asked for besides the target.
        """
        if not self.open:
            return
        self.open = False
        if not self._due:
            return
        cut = [f"… and {-self._room} characters more"] if self._room < 0 else []
        fields = {
            "time": datetime.now(timezone.utc).isoformat(timespec="milliseconds"),
            "identity": self.identity,
            "address": self.address,
            "method": self._method,
            "action": self._action,
            "target": self._target[:_MAX_TEXT],
            "parameters": parameters,
            "orders": [*self._orders, *cut],
            "outcome": outcome[:_MAX_TEXT],
        }
        log.info("%s", json.dumps(fields))


_current: ContextVar[Attempt | None] = ContextVar("attempt", default=None)


def begin(attempt: Attempt) -> None:
    """Let orders given from here on, in this context, belong to `attempt`."""
    _current.set(attempt)


@contextmanager
def order(name: str, targets: Sequence[str]) -> Iterator[None]:
    """Note what is ordered inside in the record of the request that orders it, or else in a record of its own."""
    attempt, target = _current.get(), " ".join(targets)
    if attempt is not None and attempt.open:
        attempt.give(f"{name} {target}")
        yield
        return
    identity, address = ("", "") if attempt is None else (attempt.identity, attempt.address)
    own = Attempt(identity=identity, address=address, method="", action=name, target=target, due=True)
    try:
        yield
    except BaseException as error:
        own.end(f"failed: {type(error).__name__}: {error}")
        raise
    own.end("ok")
