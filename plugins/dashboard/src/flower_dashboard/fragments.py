"""Fragments that open pages ask for at the same moment, drawn once for all viewers who would see the same."""

from __future__ import annotations

import asyncio
import hashlib
import time
from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import NamedTuple

__all__ = ["Drawing", "Fragments"]

_SECONDS = 0.5
_KEPT = 64


class Drawing(NamedTuple):
    """A fragment as it goes to every viewer, and the entity tag by which a browser knows that it has it."""

    html: bytes
    tag: str

    @classmethod
    def of(cls, html: str) -> Drawing:
        """Return the drawing of a fragment's text."""
        octets = html.encode()
        return cls(octets, f'"{hashlib.blake2b(octets, digest_size=16).hexdigest()}"')


class Fragments:
    """Keeps what was drawn within the last half a second, 64 of them at most; used on the event loop only."""

    def __init__(self, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._monotonic = monotonic
        self._drawn: OrderedDict[Hashable, tuple[float, asyncio.Future[Drawing | None]]] = OrderedDict()

    async def find(self, key: Hashable) -> Drawing | None:
        """Return what others see at the moment; None for who has to draw it, and then calls `done`."""
        now = self._monotonic()
        while self._drawn and now - next(iter(self._drawn.values()))[0] > _SECONDS:
            self._drawn.popitem(last=False)
        known = self._drawn.get(key)
        if known is not None:
            found = await asyncio.shield(known[1])
            if found is not None:
                return found
        self._drawn[key] = now, asyncio.get_running_loop().create_future()
        self._drawn.move_to_end(key)
        while len(self._drawn) > _KEPT:
            _, (_, future) = self._drawn.popitem(last=False)
            if not future.done():
                future.set_result(None)
        return None

    def done(self, key: Hashable, drawing: Drawing | None) -> None:
        """Hand on what was drawn, None when that failed: who waits then draws it for themselves."""
        known = self._drawn.get(key)
        if known is None or known[1].done():
            return
        known[1].set_result(drawing)
        if drawing is None:
            del self._drawn[key]
