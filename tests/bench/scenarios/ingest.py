"""How long an answer takes while events pour in."""

from __future__ import annotations

import time
from collections.abc import Iterator

from tests.bench.figures import Figure
from tests.bench.probe import Latency
from tests.bench.servers import OURS
from tests.bench.traffic import task_uuid
from tests.bench.trial import LAG, RATE, TIME, Scenario, Trial

__all__ = ["INGEST"]

_PAUSE = 0.01
_PATHS = (
    "/api/tasks?limit=100",
    f"/api/task/info/{task_uuid(1)}",
    "/workers?json=1",
    "/healthcheck",
    "/tasks/datatable?draw=1&start=0&length=15&order%5B0%5D%5Bcolumn%5D=0&search%5Bvalue%5D=",
)


def _measure(trial: Trial) -> Iterator[Figure]:
    rate, seconds = trial.scale.ingest_rate, trial.scale.ingest_seconds
    with trial.server() as (server, publisher):
        publisher.prepare(int(rate * seconds))
        before = server.counted()
        times: list[float] = []
        publisher.begin(rate)
        while publisher.sending:
            for path in _PATHS:
                response = server.client.get(path)
                times.append(response.seconds)
                time.sleep(_PAUSE)
        sending = publisher.finish()
        count, _ = server.settle(before + sending.events)
        latency = Latency.of(times)
        note = f"{latency.count} requests"
        yield Figure("requests", TIME, latency.p50 * 1000, note)
        yield Figure("requests", LAG, latency.p99 * 1000, note)
        lost = before + sending.events - count
        yield Figure("events meanwhile", RATE, sending.rate, f"{lost:,} of {sending.events:,} lost")


INGEST = Scenario(
    "ingest",
    "Answers while events pour in",
    "One client asks for the newest tasks, a task, the workers, a table page and the health check in turn, pausing "
    "10 ms between two requests.",
    _measure,
    sides=(OURS,),
    quick=("redis",),
    repeat=2,
)
