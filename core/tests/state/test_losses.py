"""Tasks that a worker leaves behind: flagged when it is gone, cleared when it is back. R31"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from flower.events.event import Event
from flower.state import State
from flower.state.held import Answer
from flower_plugins import QueryError, TaskQuery, WorkerChange

MakeEvent = Callable[..., Event]


def beat(state: State, event: MakeEvent, hostname: str = "w1@host", **fields: Any) -> None:
    state.apply([event("worker-heartbeat", hostname=hostname, freq=2.0, **fields)])


def run(state: State, clock: Any, seconds: float, *, listening: bool = True) -> None:
    for _ in range(int(seconds)):
        clock.time += 1
        state.tick(listening=listening)


def lost(state: State) -> list[str]:
    return [uuid for uuid, record in state.tasks.kept().items() if state.tasks.is_lost(record)]


def found(state: State, search: str) -> list[str]:
    page = asyncio.run(state.tasks.query(TaskQuery(search=search)))
    return sorted(row.uuid for row in page.rows)


@pytest.fixture
def busy(state: State, event: MakeEvent) -> State:
    """w1 and w2 live; w1 holds a task in every state."""
    state.tick()
    for number, kind in enumerate(("received", "started", "progress", "succeeded", "failed", "revoked", "retried")):
        state.apply([event(f"task-{kind}", kind, clock=number + 1)])
    state.apply([event("task-sent", "sent"), event("task-rejected", "rejected", clock=20)])
    state.apply([event("task-started", "other", clock=1, hostname="w2@host")])
    beat(state, event)
    beat(state, event, "w2@host")
    return state


def test_open_tasks_of_a_silent_worker_are_lost_within_two_windows(busy: State, clock: Any, event: MakeEvent) -> None:
    told: list[WorkerChange] = []
    busy.subscribe(lambda changes: told.extend(each for each in changes if isinstance(each, WorkerChange)))
    for second in range(1, 13):
        beat(busy, event, "w2@host")
        run(busy, clock, 1)
        if second < 10:
            assert lost(busy) == []
        else:
            assert lost(busy) == ["received", "started", "progress"]
    silent = [(change.worker.hostname, change.type) for change in told if change.type != "worker-heartbeat"]
    assert silent == [("w1@host", "worker-lost"), ("w1@host", "worker-gone")]


def test_they_are_no_longer_when_it_is_back(busy: State, clock: Any, event: MakeEvent) -> None:
    run(busy, clock, 12)
    assert "started" in lost(busy)
    version = busy.tasks.version
    beat(busy, event, at=20.0)
    assert "started" not in lost(busy)
    run(busy, clock, 1)
    assert busy.tasks.version > version
    run(busy, clock, 12)
    assert "started" in lost(busy)


def test_a_task_that_goes_on_elsewhere_is_not_lost(busy: State, clock: Any, event: MakeEvent) -> None:
    run(busy, clock, 12)
    beat(busy, event, "w3@host", at=30.0)
    busy.apply([event("task-received", "started", 30.0, 1, hostname="w3@host", retries=1)])
    assert "started" not in lost(busy)
    assert "received" in lost(busy)


def test_a_worker_that_said_goodbye_leaves_lost_tasks_too(busy: State, clock: Any, event: MakeEvent) -> None:
    run(busy, clock, 1)
    beat(busy, event, at=2.0)
    busy.apply([event("worker-offline", at=3.0)])
    run(busy, clock, 8)
    assert "started" in lost(busy)


def test_tasks_of_a_worker_that_was_removed_stay_lost(busy: State, clock: Any, event: MakeEvent) -> None:
    run(busy, clock, 1)
    busy.apply([event("worker-offline", at=3.0)])
    busy.workers.forget("w1@host")
    for _ in range(30):
        assert lost(busy) == ["received", "started", "progress"]
        assert found(busy, "is:lost") == ["progress", "received", "started"]
        beat(busy, event, "w2@host")
        run(busy, clock, 1)
    beat(busy, event, at=60.0)
    assert lost(busy) == []
    run(busy, clock, 1)
    assert lost(busy) == []


def test_a_removed_worker_is_remembered_no_longer_than_its_tasks(
    make_state: Callable[..., State], event: MakeEvent
) -> None:
    state = make_state(max_tasks=2)
    state.tick()
    state.apply([event("task-started", "a", clock=1), event("worker-offline", at=3.0, clock=2)])
    state.workers.forget("w1@host")
    state.tick()
    assert state.tasks.losses.workers() == ["w1@host"]
    state.apply([event("task-started", uuid, clock=1, hostname="w2@host") for uuid in ("b", "c")])
    state.tick()
    assert state.tasks.losses.workers() == []


def test_nobody_is_lost_while_nobody_can_be_heard(busy: State, clock: Any, event: MakeEvent) -> None:
    run(busy, clock, 60, listening=False)
    assert lost(busy) == []
    for _ in range(60):
        assert "other" not in lost(busy)
        beat(busy, event, "w2@host", at=60.0)
        run(busy, clock, 1)
        assert lost(busy) == [] or clock.time >= 1069
    assert lost(busy) == ["received", "started", "progress"]
    run(busy, clock, 60, listening=False)
    assert "started" in lost(busy)
    run(busy, clock, 1)
    assert "started" in lost(busy)


def test_who_fell_silent_just_before_the_stream_was_known_to_have_broken_is_not_lost(busy: State, clock: Any) -> None:
    run(busy, clock, 11)
    assert "started" in lost(busy)
    run(busy, clock, 60, listening=False)
    assert lost(busy) == []


def test_tasks_of_an_earlier_run_are_lost_when_their_worker_does_not_return(
    make_state: Callable[..., State], clock: Any
) -> None:
    state = make_state()
    state.restore_workers([{"hostname": "w1@host", "freq": 2.0}])
    state.restore([{"uuid": "a", "state": "STARTED", "worker": "w1@host"}, {"uuid": "b", "worker": "w9@host"}])
    state.tick()
    assert lost(state) == []
    run(state, clock, 9)
    assert lost(state) == []
    run(state, clock, 1)
    assert lost(state) == ["a"]


@pytest.mark.parametrize(
    ("search", "uuids"),
    [
        ("is:lost", ["progress", "received", "started"]),
        ("IS:Lost", ["progress", "received", "started"]),
        ("is:lost state:STARTED", ["started"]),
        ("is:lost worker:w2", []),
        ("-is:lost state:STARTED", ["other"]),
        ("is:lost OR uuid:failed", ["failed", "progress", "received", "started"]),
    ],
)
def test_they_can_be_searched_for(busy: State, clock: Any, event: MakeEvent, search: str, uuids: list[str]) -> None:
    for _ in range(12):
        beat(busy, event, "w2@host")
        run(busy, clock, 1)
    assert found(busy, search) == uuids


def test_the_search_looks_only_at_open_tasks_of_lost_workers(
    busy: State, clock: Any, event: MakeEvent, monkeypatch: pytest.MonkeyPatch
) -> None:
    busy.apply([event("task-succeeded", f"done-{n}", clock=100 + n) for n in range(2000)])
    busy.apply([event("task-started", f"else-{n}", clock=n + 1, hostname="w2@host") for n in range(10)])
    run(busy, clock, 12)
    looked: list[str] = []
    is_lost = busy.tasks.is_lost
    monkeypatch.setattr(busy.tasks, "is_lost", lambda task: looked.append(task.uuid) or is_lost(task))
    beat(busy, event, "w2@host")
    assert found(busy, "is:lost") == ["progress", "received", "started"]
    assert len(looked) == 3


def test_tasks_left_behind_by_a_restart_can_be_searched_for(busy: State, event: MakeEvent) -> None:
    beat(busy, event, at=2.0, clock=50, pid=1)
    beat(busy, event, at=90.0, clock=1, pid=2)
    busy.settle_held(list(busy.tasks.by_state.groups["STARTED"].values()), {"w1@host": Answer(set())}, 1000)
    assert found(busy, "is:lost") == ["started"]
    assert found(busy, "is:lost state:RECEIVED") == []


def test_what_else_a_task_may_be_is_not_known() -> None:
    with pytest.raises(QueryError, match="Search qualifier is expects lost at position 4"):
        found(State(), "abc is:found")
