from __future__ import annotations

import json
import logging
from collections.abc import Callable
from typing import Any

import pytest

from flower.events.event import Event
from flower.state import State
from flower_plugins import Forbidden, NotFound, TaskChange, Worker, WorkerChange, Workers

MakeEvent = Callable[..., Event]
MakeState = Callable[..., State]


def worker(state: State, hostname: str = "w1@host") -> Worker:
    found = state.workers.get(hostname)
    assert found is not None
    return found


def test_a_heartbeat_makes_a_worker_online_for_twice_its_interval(state: State, event: MakeEvent, clock: Any) -> None:
    state.apply([event("worker-heartbeat", freq=5.0)])
    clock.time += 9.9
    assert worker(state).online
    clock.time += 0.2
    assert not worker(state).online


@pytest.mark.parametrize(("freq", "alive", "dead"), [(None, 3.9, 4.1), (0.0, 1.9, 2.1), (1e9, 7199.0, 7201.0)])
def test_odd_intervals_are_bounded(
    state: State, event: MakeEvent, clock: Any, freq: float | None, alive: float, dead: float
) -> None:
    state.apply([event("worker-heartbeat", freq=freq)])
    start = clock.time
    clock.time = start + alive
    assert worker(state).online
    clock.time = start + dead
    assert not worker(state).online


def test_an_offline_event_takes_effect_at_once_and_a_late_heartbeat_does_not_undo_it(
    state: State, event: MakeEvent
) -> None:
    state.apply([event("worker-heartbeat", at=1.0, clock=1), event("worker-offline", at=3.0, clock=9)])
    assert not worker(state).online
    assert list(worker(state).heartbeats) == []
    state.apply([event("worker-heartbeat", at=2.0, clock=5), event("task-succeeded", at=2.5, clock=7)])
    assert not worker(state).online
    state.apply([event("worker-online", at=4.0, clock=2)])
    assert worker(state).online


def test_a_restarted_worker_is_online_although_the_old_process_was_ahead_of_it(state: State, event: MakeEvent) -> None:
    state.apply([event("worker-heartbeat", at=4000.0, clock=900, pid=1)])
    state.apply([event("worker-offline", at=4001.0, clock=901, pid=1)])
    state.apply([event("worker-online", at=400.0, clock=1, pid=1)])
    assert worker(state).online
    state.apply([event("worker-heartbeat", at=402.0, clock=2, pid=1, active=3)])
    assert (worker(state).clock, worker(state).active) == (2, 3)


@pytest.mark.parametrize("pid", [1, 2])
def test_a_new_process_whose_online_event_was_lost_is_seen_by_its_heartbeats(
    state: State, event: MakeEvent, clock: Any, pid: int
) -> None:
    """Processes in containers often all have the same number: then it takes until no late one can be left."""
    state.apply([event("worker-heartbeat", at=4000.0, clock=900, pid=1, freq=2.0)])
    state.apply([event("worker-offline", at=4001.0, clock=901, pid=1)])
    for n in range(4):
        clock.time += 2
        state.apply([event("worker-heartbeat", at=400.0 + n, clock=n + 1, pid=pid, freq=2.0)])
    assert worker(state).online
    assert worker(state).clock == 4


def test_a_late_farewell_of_the_old_process_does_not_end_the_new_one(state: State, event: MakeEvent) -> None:
    state.apply([event("worker-heartbeat", at=1.0, clock=1, pid=1), event("worker-online", at=3.0, clock=1, pid=2)])
    state.apply([event("worker-offline", at=2.0, clock=9, pid=1)])
    assert worker(state).online


def test_a_worker_known_by_task_events_only_is_listed_and_online(state: State, event: MakeEvent, clock: Any) -> None:
    state.apply([event("task-received")])
    assert worker(state).online
    assert worker(state).last_seen == 1.0
    clock.time += 121
    assert not worker(state).online


def test_clients_are_no_workers(state: State, event: MakeEvent) -> None:
    state.apply([event("task-sent"), event("task-progress", hostname="gen9@web")])
    assert list(state.workers.all()) == []


def test_fields_are_event_counts_heartbeat_fields_and_status_r08(state: State, event: MakeEvent) -> None:
    beat = {
        "freq": 2.0,
        "pid": 5,
        "active": 1,
        "processed": 7,
        "loadavg": (0.1, 0.2, 0.3),
        "sw_ident": "py-celery",
        "sw_ver": "5.5",
        "sw_sys": "Linux",
    }
    state.apply([event("worker-online", at=1.0, clock=1)])
    state.apply([event("worker-heartbeat", at=float(n), clock=n, **beat) for n in range(2, 8)])
    state.apply([event("task-received", at=8.0)])
    state.apply([event("worker-heartbeat", at=9.0, clock=9, invalid=("freq",))])
    fields = worker(state).fields()
    assert fields == {
        "worker-online": 1,
        "worker-heartbeat": 7,
        "task-received": 1,
        "hostname": "w1@host",
        "pid": 5,
        "freq": 2.0,
        "heartbeats": [5.0, 6.0, 7.0, 9.0],
        "clock": 9,
        "active": 1,
        "processed": 7,
        "loadavg": [0.1, 0.2, 0.3],
        "sw_ident": "py-celery",
        "sw_ver": "5.5",
        "sw_sys": "Linux",
        "skew": 0.0,
        "status": True,
    }
    json.dumps(fields, allow_nan=False)
    assert state.workers.get("w1@host").invalid == ("freq",)  # type: ignore[union-attr]


def test_an_older_heartbeat_does_not_replace_newer_values(state: State, event: MakeEvent) -> None:
    state.apply(
        [event("worker-heartbeat", at=2.0, clock=2, active=5), event("worker-heartbeat", at=1.0, clock=1, active=1)]
    )
    assert worker(state).active == 5


def test_counted_event_types_are_bounded(state: State, event: MakeEvent) -> None:
    state.apply([event(f"task-x{n}") for n in range(500)])
    assert len(worker(state).counts) == 100


def test_a_worker_that_falls_silent_is_reported_lost_once(state: State, event: MakeEvent, clock: Any) -> None:
    changes: list[TaskChange | WorkerChange] = []
    state.subscribe(changes.extend)
    state.apply([event("worker-heartbeat"), event("worker-heartbeat", hostname="w2@host")])
    state.apply([event("worker-offline", hostname="w2@host")])
    changes.clear()
    state.tick()
    assert changes == []
    clock.time += 10
    version = state.workers.version
    state.tick()
    state.tick()
    told = [(change.type, change.worker.hostname) for change in changes if isinstance(change, WorkerChange)]
    assert told == [("worker-lost", "w1@host"), ("worker-gone", "w1@host")]
    assert state.workers.version > version
    state.apply([event("worker-heartbeat")])
    clock.time += 10
    changes.clear()
    state.tick()
    assert len(changes) == 1


@pytest.mark.parametrize("step", [3600.0, -3600.0])
def test_a_step_of_the_wall_clock_changes_nothing_r47(event: MakeEvent, step: float) -> None:
    wall = [1000.0]
    state = State(now=lambda: wall[0], monotonic=lambda: 50.0)
    state.apply([event("worker-heartbeat", at=1000.0)])
    wall[0] += step
    state.tick()
    assert worker(state).online


def test_workers_offline_for_too_long_are_hidden_but_known(make_state: MakeState, event: MakeEvent, clock: Any) -> None:
    state = make_state(purge_offline_workers=60)
    state.apply([event("worker-heartbeat"), event("worker-heartbeat", hostname="a@host")])
    clock.time += 59
    assert [each.hostname for each in state.workers.all()] == ["a@host", "w1@host"]
    clock.time += 1
    state.apply([event("worker-heartbeat", hostname="a@host")])
    workers: Workers = state.workers
    assert [each.hostname for each in workers.all()] == ["a@host"]
    assert [each.hostname for each in workers.all(purged=True)] == ["a@host", "w1@host"]
    assert workers.get("w1@host") is not None


def test_the_least_recently_heard_worker_is_forgotten_r17(make_state: MakeState, event: MakeEvent) -> None:
    state = make_state(max_workers=100)
    state.apply([event("worker-heartbeat", hostname=f"w{n}@host") for n in range(100)])
    state.apply([event("worker-heartbeat", hostname="w0@host"), event("task-started", hostname="new@host")])
    assert len(state.workers.all()) == 100
    assert state.workers.get("w1@host") is None
    assert state.workers.get("w0@host") is not None


def test_the_skew_of_a_clock_is_that_of_the_fastest_heartbeat(state: State, event: MakeEvent) -> None:
    """R43"""
    state.apply([event("task-started", at=1.0)])
    worker = state.workers.get("w1@host")
    assert worker is not None
    assert worker.skew is None
    for late in (0.5, 0.01, 9.0):
        state.apply([event("worker-heartbeat", at=4600.0, received_at=1000.0 + late)])
    assert worker.skew == worker.fields()["skew"] == 3599.99
    state.apply([event("worker-heartbeat", at=1000.0 + beat, received_at=1000.0 + beat) for beat in range(4)])
    assert worker.skew == 0.0


def test_an_offline_worker_is_forgotten_with_its_counts_and_one_that_is_online_stays(
    state: State, event: MakeEvent, caplog: pytest.LogCaptureFixture
) -> None:
    removed: list[tuple[str, str]] = []
    state.on_removed(lambda kind, key: removed.append((kind, key)))
    state.apply([event("worker-online", hostname="here"), event("worker-online", hostname="gone")])
    state.apply([event("worker-offline", hostname="gone")])
    before = state.workers.version
    caplog.set_level(logging.INFO, "flower.audit")
    state.workers.forget("gone")
    line = json.loads(caplog.records[-1].getMessage())
    assert (line["action"], line["target"], line["outcome"]) == ("forget", "gone", "ok")  # S53
    assert [worker.hostname for worker in state.workers.all()] == ["here"]
    assert state.workers.version > before
    assert removed == [("worker", "gone")]
    with pytest.raises(Forbidden, match="online"):
        state.workers.forget("here")
    with pytest.raises(NotFound):
        state.workers.forget("gone")
