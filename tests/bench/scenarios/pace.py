"""The highest rate that is kept up with: nothing lost, and events visible soon after they were sent."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from tests.bench.figures import Figure
from tests.bench.probe import percentile
from tests.bench.publisher import Publisher
from tests.bench.servers import Server
from tests.bench.trial import RATE, Scenario, Trial

__all__ = ["PACE"]

_MARKERS_PER_SECOND = 50
_REACHED = 0.97
_LIMITS = {"lag < 100 ms": 0.1, "lag < 1 s": 1.0}


@dataclass(frozen=True)
class _Step:
    rate: int
    achieved: float
    lost: int
    lag: float

    def kept(self, limit: float) -> bool:
        return self.lost == 0 and self.lag < limit

    @property
    def reached(self) -> bool:
        return self.achieved >= self.rate * _REACHED


def _measure(trial: Trial) -> Iterator[Figure]:
    with trial.server() as (server, publisher):
        for name, limit in _LIMITS.items():
            best, ended = _climb(server, publisher, trial, limit)
            yield Figure(name, RATE, best, ended)


def _climb(server: Server, publisher: Publisher, trial: Trial, limit: float) -> tuple[float, str]:
    """Step up until a rate fails twice; step down first when already the first one does."""
    ladder = trial.scale.ladder
    at = ladder.index(trial.scale.first_step[trial.side])
    best = 0.0
    while 0 <= at < len(ladder):
        step = _step(server, publisher, ladder[at], trial.scale.step_seconds)
        if not step.kept(limit):
            step = _step(server, publisher, ladder[at], trial.scale.step_seconds)
        if not step.kept(limit):
            why = f"{step.lost:,} lost" if step.lost else f"p99 lag {step.lag * 1000:,.0f} ms"
            why += f" at {step.achieved:,.0f}/s"
            if best:
                return best, why
            at -= 1
            continue
        fell = best == 0 and at < ladder.index(trial.scale.first_step[trial.side])
        best = step.achieved
        if fell:
            return best, f"and not at {ladder[at + 1]:,}/s"
        if not step.reached:
            return best, "more than that the publisher and the broker did not deliver"
        at += 1
    return best, "the highest rate that was tried" if best else "not even at the lowest rate that was tried"


def _step(server: Server, publisher: Publisher, rate: int, seconds: float) -> _Step:
    before = server.counted()
    prepared = publisher.prepare(int(rate * seconds), every=max(1, rate // _MARKERS_PER_SECOND))
    sending, lags = server.follow(publisher, prepared.run, prepared.markers, rate)
    count, _ = server.settle(before + sending.events)
    return _Step(rate, sending.rate, before + sending.events - count, percentile(lags, 0.99))


PACE = Scenario(
    "pace",
    "Highest rate kept up with",
    "Rates are tried in steps; a step is kept up with when no event is lost and 99 of 100 markers, sent 50 times a "
    "second among the others, are visible in the API within the limit. The watch for markers asks at most "
    "100 times a second.",
    _measure,
    in_quick=False,
)
