"""How long to wait before the next try."""

from __future__ import annotations

from collections.abc import Callable

__all__ = ["Backoff"]

_FIRST = 0.25
_CAP = 3.0


class Backoff:
    """Delays that double from a quarter of a second to three, each with jitter.

    The cap leaves a reconnect time to happen within five seconds of the broker's return, and the jitter
    keeps many monitors from returning at the same moment. `random` yields numbers from 0 to 1.
    """

    def __init__(self, random: Callable[[], float]) -> None:
        self._random = random
        self._next = _FIRST

    def delay(self) -> float:
        """Return the seconds to wait: between half of the current step and all of it."""
        step = self._next
        self._next = min(step * 2, _CAP)
        return step * (0.5 + 0.5 * min(max(self._random(), 0.0), 1.0))

    def reset(self) -> None:
        """Begin again with the shortest delay."""
        self._next = _FIRST
