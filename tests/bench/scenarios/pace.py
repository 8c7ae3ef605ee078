"""The highest rate that is kept up with: nothing lost, and events visible soon after they were sent."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from tests.bench.figures import Figure
from tests.bench.probe import percentile
from tests.bench.publisher import Publisher
from tests.bench.servers import Server
from tests.bench.trial import RATE, Scenario, Trial

__all__ = ["PACE"]

_MARKERS_PER_SECOND = 50
_REACHED = 0.97
_CEILING = "more than that the publisher and the broker did not deliver"
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
    def failure(self) -> str:
        lost = f"{self.lost:,} lost" if self.lost else f"p99 lag {self.lag * 1000:,.0f} ms"
        return f"then {lost} at {self.achieved:,.0f}/s"

    @property
    def reached(self) -> bool:
        return self.achieved >= self.rate * _REACHED


def _measure(trial: Trial) -> Iterator[Figure]:
    ladder, seconds = trial.scale.ladder, trial.scale.step_seconds
    first = ladder.index(trial.scale.first_step[trial.side])
    best = dict.fromkeys(_LIMITS, 0.0)
    ended = dict.fromkeys(_LIMITS, "the highest rate that was tried")
    with trial.server() as (server, publisher):
        climbing = set(_LIMITS)
        for rate in ladder[first:]:
            steps = _steps(server, publisher, rate, seconds, [_LIMITS[name] for name in climbing])
            for name in sorted(climbing):
                kept = [step for step in steps if step.kept(_LIMITS[name])]
                if kept:
                    best[name] = kept[-1].achieved
                if not kept or not kept[-1].reached:
                    climbing.remove(name)
                    ended[name] = _CEILING if kept else steps[-1].failure
            if not climbing:
                break
        for name in (name for name, highest in best.items() if not highest):
            for rate in reversed(ladder[:first]):
                steps = _steps(server, publisher, rate, seconds, [_LIMITS[name]])
                if steps[-1].kept(_LIMITS[name]):
                    best[name] = steps[-1].achieved
                    break
    for name, highest in best.items():
        yield Figure(name, RATE, highest, ended[name])


def _steps(server: Server, publisher: Publisher, rate: int, seconds: float, limits: Sequence[float]) -> list[_Step]:
    """Try a rate, and once more when it was too much: one hiccup of the machine must not decide."""
    steps = [_step(server, publisher, rate, seconds)]
    if not all(steps[0].kept(limit) for limit in limits):
        steps.append(_step(server, publisher, rate, seconds))
    return steps


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
    repeat=1,
)
