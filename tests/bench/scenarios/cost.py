"""Processor time for events that arrive at a rate both sides keep up with."""

from __future__ import annotations

import time
from collections.abc import Iterator

from tests.bench.figures import Figure
from tests.bench.publisher import Publisher
from tests.bench.servers import OURS, Server
from tests.bench.trial import CPU, Scenario, Trial

__all__ = ["COST"]


def _measure(trial: Trial) -> Iterator[Figure]:
    scale = trial.scale
    with trial.server() as (server, publisher):
        # What a start costs is another scenario's figure: new workers are asked about themselves, for seconds.
        time.sleep(scale.settling_seconds)
        yield _cost(server, publisher, scale.cpu_rate, scale.cpu_seconds, "common rate")
        if trial.side == OURS and trial.broker in scale.cpu_fast:
            yield _cost(server, publisher, scale.cpu_fast[trial.broker], scale.cpu_seconds, "fast")


def _cost(server: Server, publisher: Publisher, rate: int, seconds: float, name: str) -> Figure:
    prepared = publisher.prepare(int(rate * seconds))
    before, used = server.counted(), server.cpu()
    sending = publisher.send(rate)
    # Nothing is asked before all is sent: the answers would be charged to the events.
    server.await_markers(prepared.run, prepared.markers)
    spent = server.cpu() - used
    arrived = server.settle(before + sending.events)[0] - before
    note = f"at {sending.rate:,.0f} events/s"
    if arrived != sending.events:
        note += f", {sending.events - arrived:,} of {sending.events:,} lost"
    return Figure(name, CPU, spent / max(arrived, 1) * 100_000, note)


COST = Scenario(
    "cost",
    "Processor time",
    "User and system time of the server's processes while events arrive at the stated rate, idle cost included, with "
    "no HTTP request going on.",
    _measure,
    quick=("redis",),
    repeat=2,
)
