from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from flower.events.event import Event
from flower.state import State
from flower_plugins import HistogramSample, MetricFamily, Sample

MakeEvent = Callable[..., Event]
MakeState = Callable[..., State]

EVENTS = "flower_events"
RUNTIME = "flower_task_runtime_seconds"
WAIT = "flower_task_prefetch_time_seconds"
PREFETCHED = "flower_worker_prefetched_tasks"
ONLINE = "flower_worker_online"
EXECUTING = "flower_worker_number_of_currently_executing_tasks"


def family(state: State, name: str) -> MetricFamily:
    return {each.name: each for each in state.metrics.families()}[name]


def values(state: State, name: str) -> dict[tuple[str, ...], float]:
    return {sample.labels: sample.value for sample in family(state, name).samples if isinstance(sample, Sample)}


def test_the_six_families_have_their_documented_names_labels_and_texts(state: State) -> None:
    assert [(f.name, f.help, f.type, f.labels) for f in state.metrics.families()] == [
        (EVENTS, "Number of events", "counter", ("task", "type", "worker")),
        (RUNTIME, "Task runtime", "histogram", ("task", "worker")),
        (WAIT, "The time the task spent waiting at the celery worker to be executed.", "gauge", ("task", "worker")),
        (PREFETCHED, "Number of tasks of given type prefetched at a worker", "gauge", ("task", "worker")),
        (ONLINE, "Worker online status", "gauge", ("worker",)),
        (EXECUTING, "Number of tasks currently executing at a worker", "gauge", ("worker",)),
    ]


def test_events_are_counted_by_task_type_and_worker(state: State, event: MakeEvent, clock: Any) -> None:
    state.apply([event("task-received", name="a"), event("task-started", clock=3), event("task-started", clock=3)])
    state.apply([event("task-started", "t2"), event("task-progress")])
    state.apply([event("task-sent", "t3", name="a"), event("task-sent", "t4", name="a", hostname="gen2@web")])
    assert values(state, EVENTS) == {
        ("a", "task-received", "w1@host"): 1,
        ("a", "task-started", "w1@host"): 1,
        ("", "task-started", "w1@host"): 1,
        ("a", "task-progress", "w1@host"): 1,
        ("a", "task-sent", "client"): 2,
    }
    assert all(sample.created == clock.time for sample in family(state, EVENTS).samples)


def test_runtimes_fall_into_buckets(make_state: MakeState, event: MakeEvent, clock: Any) -> None:
    state = make_state(buckets=[1.0, float("inf"), 0.5, 2.0])
    for n, runtime in enumerate([0.1, 0.5, 0.6, 99.0, 0.0]):
        state.apply([event("task-succeeded", str(n), name="a", runtime=runtime)])
    found = family(state, RUNTIME)
    assert found.buckets == (0.5, 1.0, 2.0)
    (sample,) = found.samples
    assert isinstance(sample, HistogramSample)
    assert (sample.labels, sample.counts, sample.created) == (("a", "w1@host"), (2, 1, 0, 1), clock.time)
    assert sample.sum == pytest.approx(100.2)


def test_default_buckets_are_those_of_the_prometheus_client(state: State) -> None:
    assert family(state, RUNTIME).buckets[:3] == (0.005, 0.01, 0.025)
    assert len(family(state, RUNTIME).buckets) == 14


def test_prefetch_time_is_the_wait_at_the_worker_and_falls_to_zero_at_the_end(state: State, event: MakeEvent) -> None:
    state.apply([event("task-received", at=1.0, name="a"), event("task-started", at=3.5)])
    assert values(state, WAIT) == {("a", "w1@host"): 2.5}
    state.apply([event("task-succeeded", at=4.0)])
    assert values(state, WAIT) == {("a", "w1@host"): 0.0}


def test_prefetch_time_is_never_negative_r43(state: State, event: MakeEvent) -> None:
    state.apply([event("task-received", at=7200.0, name="a"), event("task-started", at=1.0)])
    assert values(state, WAIT) == {("a", "w1@host"): 0.0}


def test_tasks_with_an_eta_are_not_prefetched(state: State, event: MakeEvent) -> None:
    state.apply([event("task-received", name="a", eta="2026"), event("task-started"), event("task-succeeded")])
    assert values(state, PREFETCHED) == {}
    assert values(state, WAIT) == {}


@pytest.mark.parametrize("end", ["task-started", "task-revoked", "task-rejected", "task-succeeded", "task-failed"])
def test_a_task_is_prefetched_until_something_becomes_of_it(state: State, event: MakeEvent, end: str) -> None:
    state.apply([event("task-received", uuid, name="a") for uuid in "xy"])
    assert values(state, PREFETCHED) == {("a", "w1@host"): 2}
    state.apply([event(end, "x"), event(end, "x", at=2.0)])
    assert values(state, PREFETCHED) == {("a", "w1@host"): 1}


def test_a_task_seen_at_two_hosts_is_prefetched_at_one_r44(state: State, event: MakeEvent) -> None:
    state.apply([event("task-received", name="a"), event("task-received", at=2.0, name="a", hostname="w2@host")])
    assert values(state, PREFETCHED) == {("a", "w1@host"): 0, ("a", "w2@host"): 1}
    state.apply([event("task-started", at=3.0), event("task-started", at=4.0, hostname="w2@host")])
    assert values(state, PREFETCHED) == {("a", "w1@host"): 0, ("a", "w2@host"): 0}


def test_an_event_that_comes_after_the_start_is_not_prefetched(state: State, event: MakeEvent) -> None:
    state.apply([event("task-started", at=2.0), event("task-received", at=1.0, name="a")])
    assert values(state, PREFETCHED) == {}


def test_an_evicted_task_is_no_longer_prefetched(make_state: MakeState, event: MakeEvent) -> None:
    state = make_state(max_tasks=1)
    state.apply([event("task-received", uuid, name="a") for uuid in "xyz"])
    assert values(state, PREFETCHED) == {("a", "w1@host"): 1}


def test_online_and_executing_fall_when_heartbeats_stop(state: State, event: MakeEvent, clock: Any) -> None:
    state.apply([event("worker-heartbeat", active=3), event("task-started", hostname="w2@host")])
    assert values(state, ONLINE) == {("w1@host",): 1, ("w2@host",): 1}
    assert values(state, EXECUTING) == {("w1@host",): 3}
    clock.time += 10
    assert values(state, ONLINE) == {("w1@host",): 0, ("w2@host",): 1}
    assert values(state, EXECUTING) == {("w1@host",): 0}


def test_series_of_purged_workers_vanish_and_come_back_with_them(
    make_state: MakeState, event: MakeEvent, clock: Any
) -> None:
    state = make_state(purge_offline_workers=60)
    state.apply([event("worker-heartbeat"), event("task-received", name="a"), event("task-sent", "s", name="a")])
    clock.time += 61
    state.tick()
    assert set(values(state, EVENTS)) == {("a", "task-sent", "client")}
    assert values(state, ONLINE) == {}
    assert values(state, PREFETCHED) == {}
    state.apply([event("task-started", at=2.0)])
    state.apply([event("worker-heartbeat", at=3.0)])
    state.tick()
    assert values(state, ONLINE) == {("w1@host",): 1}
    assert values(state, EVENTS)["a", "task-started", "w1@host"] == 1


def test_a_late_event_of_a_purged_worker_leaves_no_series_behind(
    make_state: MakeState, event: MakeEvent, clock: Any
) -> None:
    state = make_state(purge_offline_workers=0)
    state.apply([event("worker-heartbeat"), event("worker-offline")])
    state.tick()
    state.apply([event("task-succeeded", at=2.0, name="a", runtime=1.0)])
    state.tick()
    assert values(state, EVENTS) == {}


def test_series_are_bounded_by_the_number_of_workers_r17(make_state: MakeState, event: MakeEvent) -> None:
    state = make_state(max_workers=100)
    for n in range(2000):
        host = f"w{n}@host"
        state.apply([event("worker-heartbeat", hostname=host, active=0)])
        state.apply([event("task-succeeded", str(n), name="a", runtime=1.0, hostname=host)])
    assert sum(len(each.samples) for each in state.metrics.families()) <= 10 * 100


def test_a_flood_of_names_and_types_shares_one_label_r18(make_state: MakeState, event: MakeEvent) -> None:
    state = make_state(max_tasks=100)
    for n in range(5000):
        state.apply([event("task-received", str(n), name=f"name{n}")])
        state.apply([event("task-succeeded", str(n), runtime=1.0)])
        state.apply([event(f"task-x{n}", str(n))])
    events = values(state, EVENTS)
    assert len({labels[0] for labels in events}) == 501
    assert len({labels[1] for labels in events}) == 61
    assert sum(events.values()) == 15_000
    assert len(events) <= 2100
    histograms = [each for each in family(state, RUNTIME).samples if isinstance(each, HistogramSample)]
    assert len(histograms) == 251
    assert sum(sum(each.counts) for each in histograms) == 5000
    assert all(value >= 0 for value in values(state, PREFETCHED).values())
