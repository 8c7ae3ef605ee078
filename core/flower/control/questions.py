"""Questions asked of workers on behalf of one reader, as seldom as may be."""

from __future__ import annotations

import asyncio
import time
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol

from flower.control.bounds import check_uuids
from flower.control.replies import clean_text
from flower.masking import mask_text
from flower_plugins import Forbidden, NoReply, Unavailable

__all__ = ["Asks", "Questions"]

_PATIENCE = 3.0
_MAX_KEPT = 1000
_MAX_WAITING = 1000


class Asks(Protocol):
    """What a question goes through: `flower.control.Mailbox`."""

    async def ask(
        self,
        commands: Mapping[str, Mapping[str, Any]],
        destination: Sequence[str] | None = None,
        *,
        timeout: float = 1.0,
    ) -> dict[str, dict[str, Any]]: ...


class Questions:
    """Asks each question at most once per `spacing` seconds; who asks the same meanwhile shares the answer.

    `format_request` returns the request of a task, as a worker tells it, as it may be shown.
    """

    def __init__(
        self,
        mailbox: Asks,
        *,
        format_request: Callable[[Mapping[str, Any]], Mapping[str, Any]],
        spacing: float,
        timeout: float,
    ) -> None:
        self._mailbox, self._format, self._spacing, self._timeout = mailbox, format_request, spacing, timeout
        self._running: dict[tuple[str, str], asyncio.Task[Any]] = {}
        self._asked: OrderedDict[tuple[str, str], float] = OrderedDict()
        self._wanted: set[str] = set()

    async def query_task(self, uuid: str) -> Mapping[str, Mapping[str, Any]]:
        """Return `state` and `request` of the task by worker that holds it."""
        check_uuids([uuid])
        if len(self._wanted) >= _MAX_WAITING:
            raise Unavailable("Too many tasks are asked for")
        self._wanted.add(uuid)
        replies = await self._shared(("query_task", ""), self._query)
        return {
            hostname: {"state": told[uuid][0], "request": dict(self._format(told[uuid][1]))}
            for hostname, told in replies.items()
            if uuid in told
        }

    async def report(self, hostname: str) -> str:
        """Return what the worker reports of its software and settings."""
        reply = await self._shared(("report", hostname), lambda: self._ask(hostname, "report"))
        text = reply.get("ok") if isinstance(reply, Mapping) else None
        if not isinstance(text, str):
            raise Forbidden(f"Failed to report of '{hostname}': {_reason(reply)}")
        return mask_text(text)

    async def memsample(self, hostname: str) -> str | None:
        """Return the worker's resident memory in its own words, None when it cannot tell."""
        reply = await self._shared(("memsample", hostname), lambda: self._ask(hostname, "memsample"))
        if isinstance(reply, Mapping):
            raise Forbidden(f"Failed to sample the memory of '{hostname}': {_reason(reply)}")
        return None if reply is None else clean_text(str(reply))

    async def _shared(self, key: tuple[str, str], ask: Callable[[], Any]) -> Any:
        running = self._running.get(key)
        if running is None:
            running = self._running[key] = asyncio.ensure_future(self._spaced(key, ask))
            running.add_done_callback(lambda done: _end(self._running, key, done))
        return await asyncio.shield(running)

    async def _spaced(self, key: tuple[str, str], ask: Callable[[], Any]) -> Any:
        await asyncio.sleep(max(self._asked.get(key, 0.0) + self._spacing - time.monotonic(), 0))
        # From here on it is too late to join: what is asked is settled.
        self._running.pop(key, None)
        self._asked[key] = time.monotonic()
        self._asked.move_to_end(key)
        while len(self._asked) > _MAX_KEPT:
            self._asked.popitem(last=False)
        return await ask()

    async def _query(self) -> dict[str, dict[str, tuple[str, Mapping[str, Any]]]]:
        wanted, self._wanted = self._wanted, set()
        replies = await self._mailbox.ask({"query_task": {"ids": sorted(wanted)}}, timeout=self._timeout)
        return {hostname: _held(reply.get("query_task")) for hostname, reply in replies.items()}

    async def _ask(self, hostname: str, method: str) -> Any:
        replies = await self._mailbox.ask({method: {}}, [hostname], timeout=_PATIENCE)
        try:
            return replies[hostname][method]
        except KeyError:
            raise NoReply(f"Worker '{hostname}' sent no reply within {_PATIENCE:g} s") from None


def _held(reply: Any) -> dict[str, tuple[str, Mapping[str, Any]]]:
    """Return (state, request) by task id of a worker's reply, without what cannot be read."""
    if not isinstance(reply, Mapping):
        return {}
    return {
        uuid: (entry[0], entry[1])
        for uuid, entry in reply.items()
        if isinstance(entry, list) and len(entry) == 2 and isinstance(entry[0], str) and isinstance(entry[1], Mapping)
    }


def _reason(reply: Any) -> str:
    error = reply.get("error") if isinstance(reply, Mapping) else None
    return clean_text(str(error)) if error else "Unknown reason"


def _end(running: dict[tuple[str, str], asyncio.Task[Any]], key: tuple[str, str], done: asyncio.Task[Any]) -> None:
    """Forget a question that is over, and that it failed: those who wait for it know."""
    if running.get(key) is done:
        del running[key]
    if not done.cancelled():
        done.exception()
