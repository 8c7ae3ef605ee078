"""Where orders to one worker are given: is it there, does it answer, what does it say?"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Mapping, Sequence
from typing import Any, Protocol, TypeVar
from weakref import WeakValueDictionary

from flower.control.mailbox import UNAVAILABLE
from flower.control.replies import clean_text
from flower_plugins import Forbidden, NoReply, NotFound, Offline, Unavailable

__all__ = ["Desk", "Sends"]

T = TypeVar("T")

_OVERHEAD_SECONDS = 1.8


class Sends(Protocol):
    """What an order goes through: `flower.control.Mailbox`."""

    async def cast(
        self, method: str, arguments: Mapping[str, Any] | None = None, destination: Sequence[str] | None = None
    ) -> None: ...

    async def ask(
        self,
        commands: Mapping[str, Mapping[str, Any]],
        destination: Sequence[str] | None = None,
        *,
        timeout: float = 1.0,
    ) -> dict[str, dict[str, Any]]: ...


class Desk:
    """Sends commands to workers that are there.

    A worker is known once it sent a heartbeat, any other event, or an inspect reply; `is_known` and
    `is_online` tell. `stream_up` tells whether events arrive: while they do not, a worker that fell
    silent may be well, and the broker is asked. `timeout` is how many seconds a worker has to answer.
    """

    def __init__(
        self,
        mailbox: Sends,
        *,
        is_known: Callable[[str], bool],
        is_online: Callable[[str], bool],
        stream_up: Callable[[], bool],
        timeout: float = 3.0,
    ) -> None:
        self._mailbox, self._is_known, self._is_online, self._stream_up = mailbox, is_known, is_online, stream_up
        self._timeout = timeout
        self._locks: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

    def check(self, hostname: str) -> None:
        """Raise NotFound for a worker nobody has heard of, Offline for one that is gone."""
        if not self._is_known(hostname):
            raise NotFound(f"Unknown worker '{hostname}'")
        if self._stream_up() and not self._is_online(hostname):
            raise Offline(f"Worker '{hostname}' is offline")

    async def alone(self, hostname: str, give: Callable[[], Coroutine[Any, Any, T]]) -> T:
        """Give an order that depends on a worker's state, after those to the same worker that came before it.

        Raise Unavailable when that takes too long, waiting for one's turn included.
        """
        lock = self._locks.get(hostname)
        if lock is None:
            lock = self._locks[hostname] = asyncio.Lock()

        async def in_turn() -> T:
            async with lock:
                return await give()

        try:
            return await asyncio.wait_for(in_turn(), self._timeout + _OVERHEAD_SECONDS)
        except asyncio.TimeoutError:
            raise Unavailable(UNAVAILABLE) from None

    async def cast(self, method: str, arguments: Mapping[str, Any], hostname: str | None = None) -> None:
        """Send a command to one worker, or to all, and expect no answer."""
        await self._mailbox.cast(method, arguments, None if hostname is None else [hostname])

    async def order(
        self, hostname: str, method: str, arguments: Mapping[str, Any], failed: str, *, quoted: bool = False
    ) -> str:
        """Send an order and return the worker's words; raise Forbidden with them unless it says ok.

        `failed` introduces them, `quoted` puts them in quotes as Flower 2 does for some.
        """
        reply = await self.question(hostname, method, arguments, failed)
        if isinstance(reply, Mapping) and "ok" in reply:
            return clean_text(str(reply["ok"]))
        reason = reply.get("error") if isinstance(reply, Mapping) else None
        words = clean_text(str(reason)) if reason else "Unknown reason"
        raise Forbidden(f"{failed}: '{words}'" if quoted else f"{failed}: {words}")

    async def question(self, hostname: str, method: str, arguments: Mapping[str, Any], failed: str) -> Any:
        """Send a command and return the worker's reply; raise NoReply when there is none in time."""
        replies = await self._mailbox.ask({method: arguments}, [hostname], timeout=self._timeout)
        try:
            return replies[hostname][method]
        except KeyError:
            raise NoReply(f"{failed}: no reply within {self._timeout:g} s") from None
