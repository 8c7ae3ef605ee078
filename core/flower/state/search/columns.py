"""One field of many tasks, folded, in one piece: texts are looked for at the speed of C.

A set of tasks is a number with one byte for each, the first task's lowest, which is 1 for those that are in:
and, or and not of whole chunks are then single operations, and counting them is too.
"""

from __future__ import annotations

from array import array
from bisect import bisect_right
from collections.abc import Sequence
from itertools import accumulate, repeat

__all__ = ["Column", "Places", "everywhere"]

_CODES = 256
_SINGLY = 48
_NOWHERE = (-1).__lt__

Places = int
"""A set of places: byte n, counted from the lowest, is 1 if place n is in, else 0."""


def everywhere(number: int) -> Places:
    """Return the set of all of so many places."""
    return int.from_bytes(b"\1" * number, "little")


class Column:
    """The texts of one field; equal ones are kept once where that pays."""

    __slots__ = ("_bounds", "_codes", "_tasks", "_text")

    def __init__(self, values: Sequence[str]) -> None:
        self._take(values)

    def _take(self, values: Sequence[str]) -> Sequence[str]:
        """Return the texts that are kept."""
        distinct = dict.fromkeys(values)
        self._tasks = len(values)
        self._codes: bytes | None = None
        """Which text each task has, where there are few; None where text n is that of task n."""
        if len(distinct) <= min(_CODES, 1 + len(values) // 2):
            codes = {value: code for code, value in enumerate(distinct)}
            self._codes = bytes(map(codes.__getitem__, values)) if len(distinct) > 1 else b""
            values = list(distinct)
        joined = "".join(values)
        if joined.isascii():
            self._text = joined.lower().encode()
            ends = accumulate(map(len, values))
        else:
            folded = [value.casefold().encode() for value in values]
            self._text = b"".join(folded)
            ends = accumulate(map(len, folded))
        self._bounds = array("I", (0, *ends))
        return values

    @property
    def number(self) -> int:
        """How many different texts there are, or as many as tasks."""
        return len(self._bounds) - 1

    @property
    def size(self) -> int:
        """About how many bytes this takes."""
        return len(self._text) + self._bounds.itemsize * len(self._bounds) + len(self._codes or b"")

    def holding(self, term: bytes) -> Places:
        """Return which tasks have the term, which is folded and not empty, in this field."""
        found = self.texts_with(term)
        return self.spread(found) if found else 0

    def equal(self, whole: bytes) -> Places:
        """Return which tasks have exactly this text, folded and not empty."""
        bounds, found = self._bounds, self.texts_with(whole)
        for place in range(self.number) if found else ():
            if found[place] and bounds[place + 1] - bounds[place] != len(whole):
                found[place] = 0
        return self.spread(found) if found else 0

    def texts_with(self, term: bytes) -> bytearray | None:
        """Return 1 or 0 for each of the texts, None if none has the term."""
        text, bounds, size = self._text, self._bounds, len(term)
        hit = text.find(term)
        if hit < 0:
            return None
        found = bytearray(self.number)
        place = 0
        for _ in range(_SINGLY):
            place = bisect_right(bounds, hit) - 1
            end = bounds[place + 1]
            if hit + size <= end:
                found[place] = 1
                hit = text.find(term, end)
            else:  # it spans two texts
                hit = text.find(term, hit + 1)
            if hit < 0:
                return found
        # There are many: to ask each of the rest is faster than to find out where each hit is.
        hits = map(text.find, repeat(term), bounds[place:-1], bounds[place + 1 :])
        found[place:] = bytes(map(_NOWHERE, hits))
        return found

    def spread(self, found: bytes | bytearray) -> Places:
        """Turn 1 or 0 for each of the texts into the tasks that have them."""
        codes = self._codes
        if codes is None:
            return int.from_bytes(found, "little")
        if not codes:
            return everywhere(self._tasks) if found[0] else 0
        return int.from_bytes(codes.translate(found.ljust(_CODES, b"\0")), "little")
