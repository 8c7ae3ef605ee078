"""Queues that somebody declared: kombu keeps the bindings of each exchange in a set, and never takes one out.

A walk over all keys is the only way to find these sets. As a database may hold millions of keys, each look takes a
few steps of the walk, and the next one goes on from there.
"""

# mypy: allow-untyped-calls
# redis is annotated in part.

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from redis.asyncio import Redis

__all__ = ["DeclaredQueues"]

_KEYS_A_STEP = 1000
_STEPS = 5
_MAX_QUEUES = 200
_MAX_BINDINGS = 1000
_OF_CELERY = ("pidbox", "celeryev")
"""What is in the names of exchanges through which workers are asked and tell: no tasks wait there."""


class DeclaredQueues:
    """The names found so far, at most 200, in the order in which they were found.

    `bindings` is the key of an exchange's bindings, with braces for the exchange; `separator` divides their parts.
    """

    def __init__(self, bindings: str, separator: str) -> None:
        self._start, self._separator = bindings.format(""), separator
        self._cursor, self._forbidden = 0, False
        self._found: dict[str, None] = {}

    @property
    def names(self) -> list[str]:
        """The names found so far."""
        return list(self._found)

    async def look(self, client: Redis) -> None:
        """Go some steps further, from the beginning again after the end. Raise what the client raises.

        A user who may not walk is not asked again.
        """
        from redis.exceptions import NoPermissionError

        pattern = re.sub(r"([*?\[\]\\])", r"\\\1", self._start)
        if self._forbidden:
            return
        try:
            await self._walk(client, f"{pattern}*")
        except NoPermissionError:
            self._forbidden = True

    async def _walk(self, client: Redis, pattern: str) -> None:
        for _ in range(_STEPS):
            answer: Any = await client.scan(self._cursor, match=pattern, count=_KEYS_A_STEP)
            self._cursor = int(answer[0])
            for key in answer[1]:
                await self._read(client, key)
            if not self._cursor:
                return

    async def _read(self, client: Redis, key: bytes) -> None:
        exchange = key.decode("utf-8", "replace")[len(self._start) :]
        if any(word in exchange for word in _OF_CELERY):
            return
        answer: Any = await client.sscan(key, 0, count=_MAX_BINDINGS)
        for binding in answer[1]:
            parts = binding.decode("utf-8", "replace").split(self._separator)
            if len(parts) == 3 and parts[2] and len(self._found) < _MAX_QUEUES:
                self._found[parts[2]] = None
