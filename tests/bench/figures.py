"""What a scenario yields, and how repetitions of it are put together."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from statistics import median

__all__ = ["TIMES", "Figure", "Figures", "Key", "Quantity", "Spread", "exponent", "times"]

TIMES = "\N{MULTIPLICATION SIGN}"


@dataclass(frozen=True)
class Quantity:
    """What a number counts."""

    name: str
    unit: str
    more_is_better: bool = False


@dataclass(frozen=True)
class Key:
    """What a figure is about; equal keys of both sides are compared."""

    scenario: str
    broker: str
    part: str
    subject: str
    quantity: Quantity


@dataclass(frozen=True)
class Figure:
    """One number, measured once. `note` is what a reader needs to know about it; figures of a `part` stand together.

    A trial of both sides says whose it is, and which of the rounds that it went through gave it.
    """

    subject: str
    quantity: Quantity
    value: float
    note: str = ""
    part: str = ""
    side: str = ""
    round: int = 0


@dataclass(frozen=True)
class Spread:
    """Median and range of some repetitions."""

    middle: float
    low: float
    high: float

    @classmethod
    def of(cls, values: Sequence[float]) -> Spread:
        return cls(median(values), min(values), max(values))


@dataclass
class Figures:
    """All figures of a run, by what they are about, by side, in the order of repetitions and of rounds within them."""

    _values: dict[Key, dict[str, dict[tuple[int, int], float]]] = field(default_factory=dict)
    _notes: dict[Key, dict[str, str]] = field(default_factory=dict)

    def add(self, scenario: str, broker: str, side: str, repetition: int, figure: Figure) -> None:
        """Keep one figure."""
        key = Key(scenario, broker, figure.part, figure.subject, figure.quantity)
        side = figure.side or side
        self._values.setdefault(key, {}).setdefault(side, {})[repetition, figure.round] = figure.value
        if figure.note:
            self._notes.setdefault(key, {})[side] = figure.note

    def keys(self, scenario: str) -> list[Key]:
        """Return what a scenario measured, in the order of measuring."""
        return [key for key in self._values if key.scenario == scenario]

    def find(self, scenario: str, broker: str, subject: str, quantity: str, part: str = "") -> list[Key]:
        """Return the keys that fit; a subject that ends in `*` fits every subject that begins so."""
        return [
            key
            for key in self.keys(scenario)
            if key.broker == broker
            and key.part == part
            and key.quantity.name == quantity
            and (key.subject == subject or (subject.endswith("*") and key.subject.startswith(subject[:-1])))
        ]

    def spread(self, key: Key, side: str) -> Spread | None:
        """Return the median and range of one side, None where it was not measured."""
        values = self._values[key].get(side)
        return Spread.of(list(values.values())) if values else None

    def gain(self, key: Key, ours: str, peer: str) -> Spread | None:
        """Return how many times better ours is: the ratio of each pair of one round, then median and range."""
        sides = self._values[key]
        ratios = [
            _gain(value, sides[peer][moment], key.quantity.more_is_better)
            for moment, value in sides.get(ours, {}).items()
            if moment in sides.get(peer, {})
        ]
        return Spread.of(ratios) if ratios else None

    def notes(self, key: Key) -> Mapping[str, str]:
        """Return the latest note of each side."""
        return self._notes.get(key, {})

    def scenarios(self) -> list[str]:
        """Return the scenarios that measured something."""
        return list(dict.fromkeys(key.scenario for key in self._values))


def exponent(points: Iterable[tuple[float, float]]) -> float:
    """Return b of the law a·n^b that fits (n, cost) best: 0 is independent of n, 1 proportional to it."""
    logs = [(math.log(size), math.log(cost)) for size, cost in points]
    across = sum(x for x, _ in logs) / len(logs)
    up = sum(y for _, y in logs) / len(logs)
    return sum((x - across) * (y - up) for x, y in logs) / sum((x - across) ** 2 for x, _ in logs)


def times(value: float) -> str:
    """Return a factor as people write it."""
    if math.isinf(value):
        return "∞"
    return f"{value:,.0f}{TIMES}" if value >= 100 else f"{value:.3g}{TIMES}"


def _gain(ours: float, peer: float, more_is_better: bool) -> float:
    better, worse = (ours, peer) if more_is_better else (peer, ours)
    if worse == 0:
        return 1.0 if better == 0 else math.inf
    return better / worse
