"""One field of many tasks, folded, in one piece: texts are looked for at the speed of C.

A set of tasks is a number with one byte for each, the first task's lowest, which is 1 for those that are in:
and, or and not of whole chunks are then single operations, and counting them is too.
"""

from __future__ import annotations

from array import array
from bisect import bisect_right
from collections.abc import Sequence
from itertools import accumulate

__all__ = ["Column", "Places", "everywhere", "spelt"]

_CODES = 256
_SINGLY = 48
_END = "\xff"  # in no UTF-8

Places = int
"""A set of places: byte n, counted from the lowest, is 1 if place n is in, else 0."""


def spelt(text: str) -> str:
    """Return what columns look for: the UTF-8 of a text that is folded, each byte as a character.

    Python finds texts in short texts several times faster than bytes in bytes.
    """
    return text.encode().decode("latin-1")


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
        folded = values
        if all(map(str.isascii, values)):
            self._text = _END.join(values).encode("latin-1").lower().decode("latin-1")  # of bytes, A to Z alone
        else:
            folded = list(map(spelt, map(str.casefold, values)))
            self._text = _END.join(folded)
        self._bounds = array("I", (0, *accumulate(map((1).__add__, map(len, folded)))))
        return values

    @property
    def number(self) -> int:
        """How many different texts there are, or as many as tasks."""
        return len(self._bounds) - 1

    @property
    def size(self) -> int:
        """About how many bytes this takes."""
        return len(self._text) + self._bounds.itemsize * len(self._bounds) + len(self._codes or b"")

    def holding(self, term: str, among: Sequence[int] | None = None) -> Places:
        """Return which tasks have the term, which is `spelt` and not empty; `among` are the only places that matter."""
        if among is not None and self._codes is None:
            return self._holding_among(term, among)
        found = self.texts_with(term)
        return self.spread(found) if found else 0

    def equal(self, whole: str) -> Places:
        """Return which tasks have exactly this text, `spelt` and not empty."""
        bounds, found = self._bounds, self.texts_with(whole)
        if found is None:
            return 0
        for place, there in enumerate(found):
            if there and bounds[place + 1] - bounds[place] != len(whole) + 1:
                found[place] = 0
        return self.spread(found)

    def texts_with(self, term: str) -> bytearray | None:
        """Return 1 or 0 for each of the texts, None if none has the term, which is `spelt`."""
        text, bounds = self._text, self._bounds
        hit = text.find(term)
        if hit < 0:
            return None
        found = bytearray(self.number)
        for _ in range(_SINGLY):
            place = bisect_right(bounds, hit)
            found[place - 1] = 1
            hit = text.find(term, bounds[place])
            if hit < 0:
                return found
        # There are many: to ask each of the rest is faster than to find out where each hit is.
        place = bisect_right(bounds, hit) - 1
        found[place:] = bytes([term in each for each in text[bounds[place] :].split(_END)])
        return found

    def _holding_among(self, term: str, among: Sequence[int]) -> Places:
        text, bounds = self._text, self._bounds
        found = bytearray(self.number)
        for place in among:
            if term in text[bounds[place] : bounds[place + 1]]:
                found[place] = 1
        return self.spread(found)

    def spread(self, found: bytes | bytearray) -> Places:
        """Turn 1 or 0 for each of the texts into the tasks that have them."""
        codes = self._codes
        if codes is None:
            return int.from_bytes(found, "little")
        if not codes:
            return everywhere(self._tasks) if found[0] else 0
        return int.from_bytes(codes.translate(found.ljust(_CODES, b"\0")), "little")
