"""How long things took: mergeable histograms per bucket of time, from which any quantile can be read.

Eight buckets per power of two from 1 ms to 7 days: a value is off by 6 % at most. Which bucket a number
falls into are its own upper bits (IEEE 754: sign, 11 bits of exponent, then the mantissa), so that thousands of
numbers are sorted into buckets without a loop.
"""

from __future__ import annotations

import struct
import sys
from array import array
from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from itertools import accumulate

from flower.state.rollups.timeline import Level

__all__ = ["BINS", "HistogramRing", "bins", "merged", "quantiles", "tops"]

BINS = 242
"""0 is shorter than 1 ms, the last one longer than 7 days."""

_TOP = 3 if sys.byteorder == "little" else 0
_SUB_BITS = 3
_LOWEST = (1023 - 10) << _SUB_BITS  # 2 ** -10 s
_NEGATIVE = 0x8000 >> 1
_MAX_KEPT = 64

Bins = Mapping[int, int]


def tops(values: Iterable[float]) -> bytes:
    """Return the upper 16 bits of each number."""
    return memoryview(array("d", values)).cast("B").cast("H")[_TOP::4].tobytes()


def bins(raw: bytes | bytearray) -> dict[int, int]:
    """Sort what `tops` returned into bins: number by bin. What is no positive number is 0."""
    found: dict[int, int] = {}
    for top, number in Counter(memoryview(raw).cast("H")).items():
        top >>= 1
        place = 0 if top >= _NEGATIVE else min(max(top - _LOWEST + 1, 0), BINS - 1)
        found[place] = found.get(place, 0) + number
    return found


def merged(histograms: Iterable[bytes]) -> list[int]:
    """Return the counts of packed histograms together, by bin."""
    counts = [0] * BINS
    for packed in histograms:
        for place, number in _unpacked(packed):
            counts[place] += number
    return counts


def quantiles(counts: Sequence[int], wanted: Sequence[float]) -> list[float | None]:
    """Return the quantiles in seconds, each None when nothing was counted."""
    return counted_quantiles(counts, wanted)[1]


def counted_quantiles(counts: Sequence[int], wanted: Sequence[float]) -> tuple[int, list[float | None]]:
    """Return how many were counted, and the quantiles."""
    sums = list(accumulate(counts))
    total = sums[-1]
    if not total:
        return 0, [None] * len(wanted)
    return total, [_MIDDLES[bisect_left(sums, max(each * total, 1))] for each in wanted]


def packed_quantiles(packed: bytes, wanted: Sequence[float]) -> list[float | None]:
    """Return the same of one packed histogram."""
    number = len(packed) // 5
    if not number:
        return [None] * len(wanted)
    sums = list(accumulate(struct.unpack_from(f"<{number}I", packed, number)))
    total = sums[-1]
    return [_MIDDLES[packed[bisect_left(sums, max(each * total, 1))]] for each in wanted]


def pack(counts: Bins, kept: int = BINS) -> bytes:
    """Return the bins in order, a byte each, then their counts, four bytes each; the lowest beyond `kept` are one."""
    places = sorted(counts)
    if len(places) > kept:
        low, places = places[: -kept + 1], places[-kept + 1 :]
        numbers = [sum(counts[place] for place in low), *(counts[place] for place in places)]
        places = [low[-1], *places]
    else:
        numbers = [counts[place] for place in places]
    return struct.pack(f"<{len(places)}B{len(places)}I", *places, *numbers)


class HistogramRing:
    """A histogram per bucket of a level, and the sums of the last buckets for each of `windows`, the open one included.

    `kept` bounds the bins of a closed one.
    """

    __slots__ = ("_kept", "_level", "_sums", "closed", "open")

    def __init__(self, level: Level, windows: Sequence[int], kept: int = _MAX_KEPT) -> None:
        self._level, self._kept = level, kept
        self.closed = [b""] * level.length
        self.open: dict[int, int] = {}
        self._sums = {window: array("I", bytes(4 * BINS)) for window in windows}

    @property
    def empty(self) -> bool:
        """Tell whether nothing is kept."""
        return not self.open and not any(self.closed)

    def add(self, counts: Bins) -> None:
        """Count in the open bucket."""
        mine = self.open
        for place, number in counts.items():
            mine[place] = mine.get(place, 0) + number
        for total in self._sums.values():
            for place, number in counts.items():
                total[place] += number

    def advance(self, number: int) -> None:
        """Close the open bucket and make room for new ones."""
        index, length = self._level.index, self._level.length
        if self.open:
            self._close(index)
        for _ in range(number):
            index = (index + 1) % length
            for window, total in self._sums.items():
                for place, count in _unpacked(self.closed[index - window]):
                    total[place] -= count
            self.closed[index] = b""

    def window(self, number: int) -> Sequence[int]:
        """Return the counts of one of the windows by bin."""
        return self._sums[number]

    def rows(self, wanted: Sequence[float], number: int) -> list[list[float | None]]:
        """Return the quantiles of each of the last buckets, oldest first."""
        index = self._level.index
        places = range(index - number + 1, index)
        closed = [packed_quantiles(self.closed[place], wanted) for place in places]
        return [*closed, packed_quantiles(pack(self.open), wanted)]

    def _close(self, index: int) -> None:
        packed = self.closed[index] = pack(self.open, self._kept)
        if len(self.open) > self._kept:
            for total in self._sums.values():
                for place, number in self.open.items():
                    total[place] -= number
                for place, number in _unpacked(packed):
                    total[place] += number
        self.open = {}


def _unpacked(packed: bytes) -> Iterable[tuple[int, int]]:
    number = len(packed) // 5
    return zip(packed[:number], struct.unpack_from(f"<{number}I", packed, number), strict=True) if number else ()


def _middle(place: int) -> float:
    """Return what a value in a bin is taken for."""
    if place == 0:
        return 0.0
    octave, part = divmod(place - 1, 1 << _SUB_BITS)
    # The one whose relative distance from both ends is the same: that of the low end is the greater one.
    low, high = 8 + part, 9 + part
    return float(2 * low * high / (low + high) / 8 * 2.0 ** (octave - 10))


_MIDDLES = [_middle(place) for place in range(BINS - 1)] + [2.0**20]
