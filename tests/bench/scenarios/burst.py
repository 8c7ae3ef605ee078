"""How fast a burst of events is taken in, from the first byte written to the last event visible."""

from __future__ import annotations

from collections.abc import Iterator

from tests.bench.figures import Figure
from tests.bench.publisher import Publisher
from tests.bench.servers import OURS, Server
from tests.bench.trial import RATE, Scenario, Trial

__all__ = ["BURST", "GENERIC_BURST"]


def _measure(trial: Trial) -> Iterator[Figure]:
    with trial.server() as (server, publisher):
        yield _burst(server, publisher, trial.scale.burst[trial.broker], "single", multi=False)
        if trial.scale.multi:
            yield _burst(server, publisher, trial.scale.burst[trial.broker], "task-multi", multi=True)
        if trial.side == OURS and trial.scale.large_burst:
            yield _burst(server, publisher, trial.scale.large_burst, "large", multi=False)


def _measure_generic(trial: Trial) -> Iterator[Figure]:
    options = ("--event_source=kombu",) if trial.side == OURS else ()
    with trial.server(*options) as (server, publisher):
        yield _burst(server, publisher, trial.scale.burst[trial.broker], "single", multi=False)


def _burst(server: Server, publisher: Publisher, events: int, name: str, *, multi: bool) -> Figure:
    before = server.counted()
    prepared = publisher.prepare(events, multi=multi)
    publisher.begin()
    lag = server.await_markers(prepared.run, prepared.markers)
    sending = publisher.finish()
    counted, reached = server.settle(before + sending.events)
    arrived = counted - before
    seconds = (lag.seen[-1] if lag.complete else reached) - sending.begun
    note = f"{sending.events:,} events of {prepared.octets / prepared.events:,.0f} bytes"
    if arrived != sending.events:
        note += f", {sending.events - arrived:,} of them lost"
    return Figure(name, RATE, arrived / seconds, note)


BURST = Scenario(
    "burst",
    "Burst absorbed",
    "Events written as fast as the broker takes them; received events over the time until the last is visible in the "
    "API. `task-multi` packs 24 events of a worker into one message. The large burst is for ours alone.",
    _measure,
    quick=("redis", "rabbitmq"),
)
GENERIC_BURST = Scenario(
    "generic",
    "Burst absorbed by the generic source",
    "The same with `--event_source=kombu`, the source for brokers without one of their own, against 2.2.0 as it is.",
    _measure_generic,
    brokers=("redis",),
)
