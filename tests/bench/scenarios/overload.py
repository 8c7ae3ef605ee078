"""More than can be taken: what is lost, whether the server says so, and how soon it is itself again."""

from __future__ import annotations

from collections.abc import Iterator

from tests.bench.figures import Figure, Quantity
from tests.bench.publisher import Publisher
from tests.bench.servers import OURS, Server
from tests.bench.trial import Scenario, Trial

__all__ = ["OVERLOAD"]

_LOST = Quantity("lost", "events")
_UNSAID = Quantity("unsaid", "events")
_RECOVERY = Quantity("recovery", "s")


def _measure(trial: Trial) -> Iterator[Figure]:
    scale = trial.scale
    with trial.server() as (server, publisher):
        yield from _overload(
            server, publisher, int(scale.overload_rate * scale.overload_seconds), scale.overload_rate, "named rate"
        )
        if trial.side == OURS and scale.flood_events:
            yield from _overload(server, publisher, scale.flood_events, None, "unlimited")


def _overload(server: Server, publisher: Publisher, events: int, rate: int | None, name: str) -> Iterator[Figure]:
    before, dropped = server.counted(), server.dropped()
    publisher.prepare(events)
    sending = publisher.send(rate)
    count, reached = server.settle(before + sending.events)
    lost = before + sending.events - count
    told = server.dropped() - dropped
    note = f"{sending.events:,} events at {sending.rate:,.0f}/s"
    yield Figure(f"{name}: lost", _LOST, lost, f"{note}, the drop counter says {told:,}")
    yield Figure(f"{name}: lost in silence", _UNSAID, abs(lost - told), note)
    yield Figure(f"{name}: caught up after", _RECOVERY, max(0.0, reached - sending.flushed), note)


OVERLOAD = Scenario(
    "overload",
    "Overload",
    "Lost events are those sent less those counted; lost in silence is the difference to what "
    "`flower_events_dropped_total` says. 2.2.0 has no such counter. The unlimited flood is for ours alone.",
    _measure,
    repeat=1,
)
