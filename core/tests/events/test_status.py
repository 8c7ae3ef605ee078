from __future__ import annotations

from flower.events.status import StreamMetrics, StreamStatus
from flower_plugins import Gap, MetricFamily, Sample
from flower_plugins.host import Status


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


def test_before_the_first_connection_there_is_a_reason_and_no_gap() -> None:
    status = StreamStatus()
    seen: Status = status
    assert (seen.up, seen.reason, seen.last_event, seen.events, seen.backlog) == (
        False,
        "not connected yet",
        None,
        0,
        0,
    )
    status.lost("refused")
    assert (status.up, status.reason, status.gaps()) == (False, "refused", ())


def test_a_gap_opens_when_the_stream_is_lost_and_closes_when_it_is_back_r24() -> None:
    clock = Clock()
    status = StreamStatus(now=clock)
    status.connected({"transport": "redis"})
    assert (status.up, status.reason, status.detail) == (True, "", {"transport": "redis"})
    clock.now = 110.0
    status.lost("gone")
    clock.now = 115.0
    status.lost("still gone")
    assert status.gaps() == (Gap(110.0, None, "gone"),)
    assert status.reason == "still gone"
    clock.now = 170.0
    status.connected()
    assert status.gaps() == (Gap(110.0, 170.0, "gone"),)
    status.connected()
    assert status.gaps() == (Gap(110.0, 170.0, "gone"),)


def test_a_gap_never_ends_before_it_began() -> None:
    clock = Clock()
    status = StreamStatus(now=clock)
    status.connected()
    status.lost("gone")
    clock.now = 50.0
    status.connected()
    assert status.gaps() == (Gap(100.0, 100.0, "gone"),)


def test_only_the_last_hundred_gaps_are_kept_and_all_are_counted() -> None:
    status = StreamStatus()
    for n in range(150):
        status.connected()
        status.lost(str(n))
    assert [gap.reason for gap in status.gaps()] == [str(n) for n in range(50, 150)]
    assert status.gaps_total == 150


def _families(status: StreamStatus) -> dict[str, MetricFamily]:
    return {family.name: family for family in StreamMetrics(status).families()}


def test_the_metrics_say_what_the_status_says_r01_r23() -> None:
    clock = Clock()
    rejected: dict[str, int] = {}
    status = StreamStatus(rejected=rejected, now=clock)
    before = _families(status)
    assert before["flower_event_stream_up"].samples == (Sample((), 0.0),)
    assert before["flower_last_event_age_seconds"].samples == ()
    status.connected()
    status.applied(3)
    status.drop("queue_full", 2)
    status.lost("x")
    rejected["type"] = 1
    status.backlog = 9
    clock.now = 104.5
    after = _families(status)
    assert after["flower_last_event_age_seconds"].samples == (Sample((), 4.5),)
    assert after["flower_events_dropped"].samples == (Sample(("queue_full",), 2.0),)
    assert after["flower_events_invalid"].samples == (Sample(("type",), 1.0),)
    assert after["flower_events_invalid"].labels == ("reason",)
    assert after["flower_event_gaps"].samples == (Sample((), 1.0),)
    assert after["flower_event_backlog_bytes"].samples == (Sample((), 9.0),)
    assert {name: family.type for name, family in after.items()} == {
        "flower_event_stream_up": "gauge",
        "flower_last_event_age_seconds": "gauge",
        "flower_events_dropped": "counter",
        "flower_events_invalid": "counter",
        "flower_event_gaps": "counter",
        "flower_event_backlog_bytes": "gauge",
    }
