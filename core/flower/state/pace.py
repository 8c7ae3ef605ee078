"""Long work on the event loop, in slices."""

from __future__ import annotations

import asyncio
from time import perf_counter

__all__ = ["Pace"]

_SLICE = 0.004


class Pace:
    """Yields to the loop when a slice of time is used up."""

    def __init__(self) -> None:
        self._deadline = perf_counter() + _SLICE

    @property
    def due(self) -> bool:
        """True when it is time to rest."""
        return perf_counter() > self._deadline

    async def rest(self) -> None:
        """Let everything else on the loop have a turn."""
        await asyncio.sleep(0)
        self._deadline = perf_counter() + _SLICE

    async def maybe_rest(self) -> None:
        """Rest if it is time to."""
        if perf_counter() > self._deadline:
            await self.rest()
