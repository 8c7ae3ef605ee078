"""Durations by task name: by minute for an hour, by ten minutes for a day."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import chain

from flower.state.rollups.durations import BINS, HistogramRing, bins, tops
from flower.state.rollups.timeline import Level
from flower_plugins import OTHER

__all__ = ["TaskDurations"]

_NOTHING = (0,) * BINS
_WINDOWS: Mapping[int, tuple[int, int]] = {300: (0, 5), 3600: (0, 60), 86_400: (1, 144)}
"""By seconds: the level, and its number of buckets."""


class TaskDurations:
    """Histograms of the first `limit` names; the others share one. Names silent for the whole time are forgotten."""

    def __init__(self, hour: Level, day: Level, limit: int) -> None:
        self.levels = hour, day
        self._limit = limit
        self._rings: dict[str, tuple[HistogramRing, HistogramRing]] = {}
        self._raw: dict[str, bytearray] = {}
        """What came since the last `settle`, two bytes each."""
        hour.add(_Part(self, 0))
        day.add(_Part(self, 1))

    def take(self, values: Mapping[str, Sequence[float]]) -> bytes:
        """Take in seconds by name, and return all of them as `tops` does."""
        raw = tops(chain.from_iterable(values.values()))
        start = 0
        for name, each in values.items():
            end = start + 2 * len(each)
            held = self._raw.get(name)
            if held is None:
                held = self._raw[name] = bytearray()
            held += raw[start:end]
            start = end
        return raw

    def settle(self) -> None:
        """Sort what came into the open buckets."""
        for name, raw in self._raw.items():
            if not name or (name not in self._rings and len(self._rings) >= self._limit):
                name = OTHER
            rings = self._rings.get(name)
            if rings is None:
                hour, day = self.levels
                rings = self._rings[name] = HistogramRing(hour, (5, 60)), HistogramRing(day, (144,))
            found = bins(raw)
            for ring in rings:
                ring.add(found)
        self._raw.clear()

    def advance(self, place: int, number: int) -> None:
        """Make room on one of the levels."""
        for rings in self._rings.values():
            rings[place].advance(number)
        if place == 1:
            self._rings = {name: rings for name, rings in self._rings.items() if not rings[1].empty}

    def window(self, name: str, seconds: int) -> Sequence[int]:
        """Return the counts by bin of the last 5 minutes, hour or day."""
        rings, (place, number) = self._rings.get(name), _WINDOWS[seconds]
        return _NOTHING if rings is None else rings[place].window(number)

    def rows(self, name: str, level: Level, quantiles: Sequence[float], number: int) -> list[list[float | None]]:
        """Return the quantiles of each of the last buckets, oldest first."""
        rings = self._rings.get(name)
        if rings is None:
            return [[None] * len(quantiles)] * number
        return rings[self.levels.index(level)].rows(quantiles, number)

    def busiest(self, level: Level, limit: int) -> list[str]:
        """Return the names with the most durations on a level."""
        place, number = (0, 60) if level is self.levels[0] else (1, 144)
        totals = {name: sum(rings[place].window(number)) for name, rings in self._rings.items() if name != OTHER}
        return sorted((name for name in totals if totals[name]), key=lambda name: (-totals[name], name))[:limit]


class _Part:
    def __init__(self, whole: TaskDurations, place: int) -> None:
        self._whole, self._place = whole, place

    def advance(self, number: int) -> None:
        self._whole.advance(self._place, number)
