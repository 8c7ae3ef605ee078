"""What is to be reached, as floors and aims over Flower 2.2.0."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

from tests.bench.figures import TIMES, Figures, times
from tests.bench.scenarios.tasks import BESIDE
from tests.bench.servers import OURS, PEER

__all__ = ["TARGETS", "Target", "Verdict"]

# Two medians this close are called equal.
_EQUAL = 1.05
_MANY = "100,000 tasks"


@dataclass(frozen=True)
class Verdict:
    """How a target stands: the value reached, and the two limits it was held against."""

    value: float
    floor: float
    aim: float
    text: str
    at_least: bool

    @property
    def met(self) -> str:
        """Whether the aim, the floor, or nothing is reached."""
        if self._reaches(self.aim):
            return "aim" if self.aim != self.floor else "yes"
        return "floor" if self._reaches(self.floor) else "**no**"

    def _reaches(self, limit: float) -> bool:
        return self.value >= limit if self.at_least else self.value <= limit


@dataclass(frozen=True)
class Target:
    """One row of the table. `read` returns the value and how to write it, None where it was not measured."""

    label: str
    floor: float
    aim: float
    unit: str
    read: Callable[[Figures], tuple[float, str] | None]
    at_least: bool = True

    def judge(self, figures: Figures) -> Verdict | None:
        """Hold the figures against this target."""
        found = self.read(figures)
        return None if found is None else Verdict(found[0], self.floor, self.aim, found[1], self.at_least)

    def limit(self, value: float) -> str:
        """Return a limit as it stands in the table."""
        if math.isinf(value):
            return "any number"
        number = f"{value:,.3g}{self.unit}" if value < 1000 else f"{value:,.0f}{self.unit}"
        return f"≥ {number}" if self.at_least else f"≤ {number}"


def _gain(
    scenario: str, broker: str, subject: str, quantity: str, part: str = ""
) -> Callable[[Figures], tuple[float, str] | None]:
    """Read how many times better ours is; of several subjects, where it is so the least."""

    def read(figures: Figures) -> tuple[float, str] | None:
        gains = [
            (gain, key)
            for key in figures.find(scenario, broker, subject, quantity, part)
            if (gain := figures.gain(key, OURS, PEER)) is not None
        ]
        if not gains:
            return None
        worst, key = min(gains, key=lambda pair: pair[0].middle)
        text = f"{times(worst.middle)} ({times(worst.low)} to {times(worst.high)})"
        if len(gains) > 1:
            middle = sorted(gain.middle for gain, _ in gains)[len(gains) // 2]
            text = f"{text} at worst: {key.subject}; {times(middle)} in the middle of {len(gains)}"
        return worst.middle, text

    return read


def _ours(
    scenario: str, broker: str, subject: str, quantity: str, unit: str
) -> Callable[[Figures], tuple[float, str] | None]:
    """Read the median of ours."""

    def read(figures: Figures) -> tuple[float, str] | None:
        for key in figures.find(scenario, broker, subject, quantity):
            spread = figures.spread(key, OURS)
            if spread is not None:
                return spread.middle, f"{spread.middle:,.4g}{unit} ({spread.low:,.4g} to {spread.high:,.4g})"
        return None

    return read


def _growth(group: str, small: str, large: str) -> Callable[[Figures], tuple[float, str] | None]:
    """Read how much longer ours takes with more tasks; of several subjects, where it is so the most."""

    def read(figures: Figures) -> tuple[float, str] | None:
        fast = {key.subject: figures.spread(key, OURS) for key in figures.find("tasks", "redis", group, "p50", small)}
        ratios = []
        for key in figures.find("tasks", "redis", group, "p50", large):
            slow, base = figures.spread(key, OURS), fast.get(key.subject)
            if slow and base:
                ratios.append((slow.middle / base.middle, key.subject))
        if not ratios:
            return None
        worst, subject = max(ratios)
        middle = sorted(ratio for ratio, _ in ratios)[len(ratios) // 2]
        return worst, f"{times(worst)} at worst: {subject}; {times(middle)} in the middle of {len(ratios)}"

    return read


TARGETS = (
    Target("Redis burst", 10, 20, TIMES, _gain("burst", "redis", "single", "rate")),
    Target("RabbitMQ burst", 5, 9, TIMES, _gain("burst", "rabbitmq", "single", "rate")),
    Target("Processor time per event, Redis", 12, 20, TIMES, _gain("cost", "redis", "common rate", "cpu")),
    Target("Processor time per event, RabbitMQ", 12, 20, TIMES, _gain("cost", "rabbitmq", "common rate", "cpu")),
    Target(
        "Keeps up, Redis (p99 lag < 100 ms)",
        30_000,
        60_000,
        "/s",
        _ours("pace", "redis", "lag < 100 ms", "rate", "/s"),
    ),
    Target(
        "Keeps up, RabbitMQ (p99 lag < 100 ms)",
        10_000,
        20_000,
        "/s",
        _ours("pace", "rabbitmq", "lag < 100 ms", "rate", "/s"),
    ),
    Target("Generic source, burst", 2, 3, TIMES, _gain("generic", "redis", "single", "rate")),
    Target("Memory per task, 100,000 tasks", 3, 4.5, TIMES, _gain("tasks", "redis", "memory", "per task", _MANY)),
    Target("Lists and table pages, 100,000 tasks", 50, 300, TIMES, _gain("tasks", "redis", "list*", "p50", _MANY)),
    Target(
        "Lists and table pages, 1,000,000 over 100,000 tasks",
        1.5,
        1.1,
        TIMES,
        _growth("list*", BESIDE, "1,000,000 tasks"),
        at_least=False,
    ),
    Target("Search, 100,000 tasks", 4, 10, TIMES, _gain("tasks", "redis", "search*", "p50", _MANY)),
    Target("Start-up", 1 / _EQUAL, 1, TIMES, _gain("idle", "redis", "start-up", "started")),
    Target("Idle processor time", 1 / _EQUAL, 1, TIMES, _gain("idle", "redis", "idle processor", "share")),
    Target("Idle memory", 1 / _EQUAL, 1, TIMES, _gain("idle", "redis", "idle memory", "memory")),
    Target("Task info", 1 / _EQUAL, 1, TIMES, _gain("tasks", "redis", "single: task info", "p50", _MANY)),
    Target("Workers JSON", 1 / _EQUAL, 1, TIMES, _gain("tasks", "redis", "single: workers JSON", "p50", _MANY)),
    Target(
        "HTTP p99 while 20,000 events/s come in, Redis",
        50,
        20,
        " ms",
        _ours("ingest", "redis", "requests", "p99", " ms"),
        at_least=False,
    ),
    *(
        row
        for broker, label in (("redis", "Redis"), ("rabbitmq", "RabbitMQ"))
        for row in (
            Target(
                f"10,000 events/s for 20 s, lost, {label}",
                math.inf,
                0,
                "",
                _ours("overload", broker, "named rate: lost", "lost", ""),
                at_least=False,
            ),
            Target(
                f"The same, lost in silence, {label}",
                0,
                0,
                "",
                _ours("overload", broker, "named rate: lost in silence", "unsaid", ""),
                at_least=False,
            ),
        )
    ),
)
