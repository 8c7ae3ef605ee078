"""Counts per bucket and label: compact rings, made when there is something to count and freed when it has passed."""

from __future__ import annotations

from array import array
from collections.abc import Collection, Mapping, Sequence
from operator import add, sub

from flower.state.rollups.tallies import kind_of
from flower.state.rollups.timeline import Level
from flower_plugins import OTHER

__all__ = ["ALL", "CountRing", "Counts"]

ALL = ""
"""The kind that counts all kinds."""

_SHORT_MAX = 0xFFFF
_RANKED = 40


class CountRing:
    """One count per bucket: 16 bits each as long as that is enough, and their sum."""

    __slots__ = ("cells", "total")

    def __init__(self, length: int) -> None:
        self.cells = array("H", bytes(2 * length))
        self.total = 0

    def add(self, index: int, number: int) -> None:
        """Count in a bucket."""
        cells = self.cells
        value = cells[index] + number
        if value > _SHORT_MAX and cells.typecode == "H":
            cells = self.cells = array("I", cells)
        cells[index] = value
        self.total += number

    def clear(self, index: int) -> None:
        """Forget a bucket."""
        self.total -= self.cells[index]
        self.cells[index] = 0

    def last(self, index: int, number: int) -> array[int]:
        """Return the last buckets up to the one at `index`, oldest first."""
        cells, oldest = self.cells, index - number + 1
        return cells[oldest : index + 1] if oldest >= 0 else cells[oldest:] + cells[: index + 1]


Taken = Mapping[str, Mapping[str, int]]
_Rings = dict[str, CountRing]


class Counts:
    """Counts by label and kind on one level; labels beyond `limit` share one, as does the empty label."""

    def __init__(self, level: Level, limit: int) -> None:
        self.level = level
        self._limit = limit
        self._labels: dict[str, _Rings] = {}
        self._all: _Rings = {}
        level.add(self)

    def add(self, taken: Taken) -> None:
        """Count in the open bucket: numbers by type, by label."""
        index, sums = self.level.index, dict[str, int]()
        for label, kinds in taken.items():
            rings = self._labels.get(label)
            if rings is None:
                rings = self._open(label)
            total = 0
            for type_, number in kinds.items():
                kind = kind_of(type_, OTHER)
                ring = rings.get(kind)
                if ring is None:
                    ring = rings[kind] = CountRing(self.level.length)
                ring.add(index, number)
                sums[kind] = sums.get(kind, 0) + number
                total += number
            self._count(rings, ALL, total)
        self.add_all(sums)

    def add_all(self, sums: Mapping[str, int]) -> None:
        """Count numbers by type in what counts everything, and in no label."""
        for kind, number in sums.items():
            if number:
                self._count(self._all, kind_of(kind, OTHER), number)
                self._count(self._all, ALL, number)

    def advance(self, number: int) -> None:
        """Make room for new buckets."""
        index, length = self.level.index, self.level.length
        if number >= length:
            self._labels, self._all = {}, {}
            return
        places = [(index + 1 + place) % length for place in range(number)]
        for label, rings in [*self._labels.items(), ("", self._all)]:
            for kind, ring in list(rings.items()):
                for place in places:
                    if ring.cells[place]:
                        ring.clear(place)
                if not ring.total:
                    del rings[kind]
            if not rings and label:
                del self._labels[label]

    def labels(self) -> Collection[str]:
        """Return the labels that have counted something, `OTHER` among them."""
        return self._labels

    def kinds(self, label: str | None, number: int) -> dict[str, int]:
        """Return the sums of a label, or of everything, over the last buckets, by kind."""
        rings = self._rings(label)
        return {kind: total for kind in rings if kind != ALL and (total := self._total(rings, kind, number))}

    def row(self, label: str | None, kinds: Sequence[str], number: int) -> list[int]:
        """Return the last buckets of a label, or of everything: the sum of the kinds."""
        rings, index, row = self._rings(label), self.level.index, None
        for kind in kinds:
            ring = rings.get(kind)
            if ring is not None:
                cells = ring.last(index, number)
                row = cells.tolist() if row is None else list(map(add, row, cells))
        return [0] * number if row is None else row

    def busiest(self, kinds: Sequence[str], number: int, limit: int) -> dict[str, list[int]]:
        """Return rows of the labels that counted most, then the rest of everything as `OTHER`, if there is any."""
        rings = self._labels
        longest = sorted(
            (label for label in rings if label != OTHER),
            key=lambda label: -sum(ring.total for kind, ring in rings[label].items() if kind in kinds),
        )
        # To add up all of them would take longer the more there are. Who is far down over the whole ring is not asked.
        totals = {
            label: sum(self._total(rings[label], kind, number) for kind in kinds if kind in rings[label])
            for label in longest[: max(_RANKED, limit)]
        }
        shown = sorted((label for label in totals if totals[label]), key=lambda label: (-totals[label], label))[:limit]
        rows = {label: self.row(label, kinds, number) for label in shown}
        rest = self.row(None, kinds, number)
        for row in rows.values():
            rest = list(map(sub, rest, row))
        return {**rows, OTHER: rest} if any(rest) else rows

    def _open(self, label: str) -> _Rings:
        """Return the rings of a new label, or of `OTHER`."""
        known = bool(label) and len(self._labels) < self._limit
        return self._labels.setdefault(label if known else OTHER, {})

    def _count(self, rings: _Rings, kind: str, number: int) -> None:
        ring = rings.get(kind)
        if ring is None:
            ring = rings[kind] = CountRing(self.level.length)
        ring.add(self.level.index, number)

    def _rings(self, label: str | None) -> _Rings:
        return self._all if label is None else self._labels.get(label, {})

    def _total(self, rings: _Rings, kind: str, number: int) -> int:
        ring = rings[kind]
        return ring.total if number == self.level.length else sum(ring.last(self.level.index, number))
