"""Buckets of time that begin at multiples of their length, whatever happens to the clock.

The wall clock names the buckets, the monotonic one tells whether it was set. Set back, what is kept stays as old as it
is and is named anew; set forward, or after a sleep, the time between is unknown.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol

__all__ = ["Level", "Ring", "Timeline"]

_STEP_SECONDS = 2.0


class Ring(Protocol):
    """Something that has one entry per bucket of a level."""

    def advance(self, number: int) -> None:
        """Forget the oldest `number` buckets, which become the newest ones and empty.

        Called before the index of the level moves, at most with the level's length.
        """


class Level:
    """A number of buckets of one length, the newest of them open; `index` is its place in every ring."""

    def __init__(self, step: int, length: int) -> None:
        self.step, self.length = step, length
        self.start = 0
        """When the open bucket began, seconds since the epoch."""
        self.index = 0
        self._known = bytearray(length)
        self._unknown = length
        self._rings: list[Ring] = []

    def add(self, ring: Ring) -> None:
        """Have a ring told when buckets close."""
        self._rings.append(ring)

    def due(self, now: float) -> int:
        """Return how many buckets have to close."""
        return max(int(now - self.start) // self.step, 0)

    def align(self, now: float) -> None:
        """Name the open bucket after the time, and the others after it."""
        self.start = int(now // self.step) * self.step

    def advance(self, number: int, known: bool) -> None:
        """Close the open bucket and open the `number`th after it; those between are known to be empty, or unknown."""
        self.start += number * self.step
        number = min(number, self.length)
        for ring in self._rings:
            ring.advance(number)
        for _ in range(number):
            self.index = (self.index + 1) % self.length
            self._unknown += self._known[self.index] - known
            self._known[self.index] = known

    def listen(self) -> None:
        """Note that events are listened for in the open bucket."""
        self._unknown -= 1 - self._known[self.index]
        self._known[self.index] = 1

    def first(self, number: int) -> int:
        """Return when the oldest of the last `number` buckets began."""
        return self.start - (number - 1) * self.step

    @property
    def whole(self) -> bool:
        """Tell whether something is known of every bucket."""
        return not self._unknown

    def unknown(self, number: int) -> Sequence[int]:
        """Return which of the last `number` buckets nothing is known of, 0 for the oldest."""
        if not self._unknown:
            return ()
        known, oldest = self._known, self.index - number + 1
        return [place for place in range(number) if not known[oldest + place]]


class Timeline:
    """Moves all levels on together; `before` is called with the longest step before buckets close, unless it is 1."""

    def __init__(
        self,
        levels: Sequence[Level],
        *,
        before: Callable[[int], object],
        now: Callable[[], float],
        monotonic: Callable[[], float],
    ) -> None:
        self._levels, self._before, self._now, self._monotonic = levels, before, now, monotonic
        self._at, self._ticked = now(), monotonic()
        for level in levels:
            level.align(self._at)
        self.due = self._next()
        """When the next bucket is to open, by the monotonic clock."""

    def update(self, listening: bool) -> None:
        """Close what is over, and note whether events are listened for in what is open."""
        at, ticked = self._now(), self._monotonic()
        moved = (at - self._at) - (ticked - self._ticked)
        self._at, self._ticked = at, ticked
        if moved < -_STEP_SECONDS:
            self._before(max(level.step for level in self._levels))
            for level in self._levels:
                level.align(at)
        closing = [(level, due) for level in self._levels if (due := level.due(at))]
        longest = max((level.step for level, _ in closing), default=0)
        if longest > 1:
            self._before(longest)
        for level, due in closing:
            level.advance(due, listening and moved <= _STEP_SECONDS)
        if listening:
            for level in self._levels:
                level.listen()
        self.due = self._next()

    def _next(self) -> float:
        return self._ticked + 1 - self._at % 1
