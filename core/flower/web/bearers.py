"""Access tokens of scripts: whom they stand for is asked of the login provider, and remembered for a minute."""

from __future__ import annotations

import asyncio
import hashlib
import time
from collections import OrderedDict
from collections.abc import Callable, Sequence

from flower_plugins import Identity, LoginProvider, TooManyAttempts

__all__ = ["Bearers"]

_SECONDS = 60.0
_MOST = 1000
_AT_ONCE = 8
_WAITING = 64
_LONGEST = 8192


class Bearers:
    """Answers from memory, by a digest of the token; asks about one token once at a time, about few at once."""

    def __init__(self, provider: LoginProvider, clock: Callable[[], float] = time.monotonic) -> None:
        self._provider, self._clock = provider, clock
        self._known: OrderedDict[bytes, tuple[float, Sequence[Identity]]] = OrderedDict()
        self._asking: dict[bytes, asyncio.Future[Sequence[Identity]]] = {}
        self._turn = asyncio.Semaphore(_AT_ONCE)

    async def identities(self, header: str) -> Sequence[Identity]:
        """Return whom an Authorization header stands for. What the provider raises is raised, and not remembered.

        Raise TooManyAttempts when too many other tokens wait to be asked about: anybody can send some.
        """
        scheme, _, token = header.strip().partition(" ")
        token = token.strip()
        if scheme.lower() != "bearer" or not token or len(token) > _LONGEST:
            return ()
        digest = hashlib.sha256(token.encode("utf-8", "surrogatepass")).digest()
        until, found = self._known.get(digest, (0.0, ()))
        if self._clock() < until:
            return found
        asking = self._asking.get(digest)
        if asking is None:
            if len(self._asking) >= _WAITING:
                raise TooManyAttempts("Too many access tokens are being checked. Try again in a second.", 1)
            asking = self._asking[digest] = asyncio.ensure_future(self._ask(digest, token))
        return await asyncio.shield(asking)

    async def _ask(self, digest: bytes, token: str) -> Sequence[Identity]:
        try:
            async with self._turn:
                asked = self._clock()
                found = tuple(await self._provider.bearer(token))
        finally:
            del self._asking[digest]
        self._known[digest] = (asked + _SECONDS, found)
        self._known.move_to_end(digest)
        while len(self._known) > _MOST:
            self._known.popitem(last=False)
        return found
