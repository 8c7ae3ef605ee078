"""One message to many workers, in place of the same one to each of them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from typing import Any, Generic, TypeVar

__all__ = ["Rounds"]

M = TypeVar("M")
R = TypeVar("R")


class Rounds(Generic[M, R]):
    """Joins equal messages that are given in the same turn of the event loop.

    A broadcast is delivered to every worker, whoever it is for: n of them for n workers take n connections
    here and n² deliveries there. `send` takes a message and the workers that it is for.
    """

    def __init__(self, send: Callable[[M, Sequence[str]], Coroutine[Any, Any, R]]) -> None:
        self._send = send
        self._open: list[_Round[M, R]] = []

    async def join(self, message: M, hosts: Sequence[str]) -> R:
        """Return what `send` returns for all who got into the round, or raise what it raises.

        No round holds a worker twice: what is said to it twice is to be heard twice.
        """
        joined = next((each for each in self._open if each.message == message and each.hosts.isdisjoint(hosts)), None)
        if joined is None:
            joined = _Round(message)
            self._open.append(joined)
            joined.sending = asyncio.ensure_future(self._close(joined))
        joined.hosts.update(hosts)
        joined.waiting += 1
        try:
            return await asyncio.shield(joined.sending)
        finally:
            joined.waiting -= 1
            if not joined.waiting:
                joined.sending.cancel()
                if joined in self._open:  # all left before it began
                    self._open.remove(joined)

    async def _close(self, joined: _Round[M, R]) -> R:
        # A task begins in the turn after the one that made it.
        self._open.remove(joined)
        return await self._send(joined.message, sorted(joined.hosts))


class _Round(Generic[M, R]):
    sending: asyncio.Future[R]

    def __init__(self, message: M) -> None:
        self.message, self.hosts = message, set[str]()
        self.waiting = 0
