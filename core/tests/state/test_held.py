"""Tasks that workers say they hold: they fill gaps and overrule nothing newer. R30, R44."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from flower.events.event import Event
from flower.state import State
from flower.state.held import CHANGE, LOST_CHANGE, Answer, HeldTask, args_text, kwargs_text, read_held
from flower.state.losses import open_states
from flower_plugins import EditableTask

MakeEvent = Callable[..., Event]

INFO: dict[str, Any] = {
    "id": "t1",
    "name": "shop.pay",
    "args": [1, 2],
    "kwargs": {"n": 3, "password": "canary"},
    "type": "shop.pay",
    "hostname": "w1@host",
    "time_start": 1_700_000_000.5,
    "acknowledged": True,
    "delivery_info": {"exchange": "", "routing_key": "mail", "priority": 0, "redelivered": False},
    "worker_pid": 7,
}


def held(uuid: str = "t1", hostname: str = "w1@host", *, running: bool = True, **fields: Any) -> HeldTask:
    known = {"name": "shop.pay", "args": "(1,)", "kwargs": "{}", "started": 5.0 if running else None}
    return HeldTask(uuid, hostname, running, **{**known, **fields})


def merge(state: State, *tasks: HeldTask, as_of: int | None = None) -> None:
    state.merge_held(tasks, state.tasks.version if as_of is None else as_of)


def shown(state: State, uuid: str = "t1") -> dict[str, Any]:
    record = state.tasks.get(uuid)
    assert record is not None
    return {name: value for name, value in record.fields().items() if value not in (None, [])}


def prefetched(state: State) -> list[float]:
    family = next(each for each in state.metrics.families() if each.name == "flower_worker_prefetched_tasks")
    return [getattr(sample, "value", -1.0) for sample in family.samples]


def test_a_running_task_of_which_no_event_came_is_listed(state: State) -> None:
    merge(state, held(routing_key="mail"))
    found = shown(state)
    assert (found["name"], found["worker"], found["state"]) == ("shop.pay", "w1@host", "STARTED")
    assert (found["args"], found["kwargs"], found["started"], found["timestamp"]) == ("(1,)", "{}", 5.0, 5.0)
    assert list(state.tasks.by_worker.groups) == ["w1@host"]
    assert state.tasks.names() == ("shop.pay",)


def test_a_task_that_waits_in_the_worker_counts_as_prefetched_until_it_starts(state: State, event: MakeEvent) -> None:
    merge(state, held(running=False), held("t2", running=False, eta="2030-01-01T00:00:00"))
    assert shown(state)["state"] == shown(state, "t2")["state"] == "RECEIVED"
    assert prefetched(state) == [1.0]
    state.apply([event("task-started", at=9.0, clock=3)])
    assert prefetched(state) == [0.0]


def test_a_task_of_an_earlier_run_counts_as_prefetched_once_its_worker_says_so(state: State) -> None:
    """R44"""
    state.restore([{"uuid": "t1", "state": "RECEIVED", "worker": "w1@host", "name": "shop.pay"}])
    assert prefetched(state) == []
    for _ in range(2):
        merge(state, held(running=False))
        assert prefetched(state) == [1.0]


def test_when_such_a_task_ends_its_record_is_complete(state: State, event: MakeEvent) -> None:
    merge(state, held())
    state.apply([event("task-succeeded", at=9.0, clock=3, result="'ok'", runtime=4.0)])
    found = shown(state)
    assert (found["state"], found["result"], found["runtime"]) == ("SUCCESS", "'ok'", 4.0)
    assert (found["name"], found["args"], found["started"], found["succeeded"]) == ("shop.pay", "(1,)", 5.0, 9.0)


def test_events_that_were_under_way_find_their_places(state: State, event: MakeEvent) -> None:
    merge(state, held(started=5.0))
    state.apply(
        [
            event("task-received", at=4.0, clock=2, name="shop.pay", args="(1, 'x')"),
            event("task-started", at=5.001, clock=3),
        ]
    )
    found = shown(state)
    assert (found["state"], found["received"], found["started"], found["args"]) == ("STARTED", 4.0, 5.001, "(1, 'x')")


@pytest.mark.parametrize(
    ("before", "running", "after"),
    [
        ([], True, "STARTED"),
        ([], False, "RECEIVED"),
        (["task-sent"], True, "STARTED"),
        (["task-sent"], False, "RECEIVED"),
        (["task-received"], True, "STARTED"),
        (["task-started"], False, "STARTED"),
        (["task-started", "task-retried"], False, "RECEIVED"),
        (["task-progress"], True, "PROGRESS"),
        (["task-succeeded"], True, "SUCCESS"),
        (["task-failed"], True, "FAILURE"),
        (["task-revoked"], False, "REVOKED"),
    ],
)
def test_a_state_only_moves_forward(
    state: State, event: MakeEvent, before: list[str], running: bool, after: str
) -> None:
    state.apply([event(kind, at=1.0 + place, clock=1 + place) for place, kind in enumerate(before)])
    merge(state, held(running=running))
    assert shown(state)["state"] == after
    assert shown(state)["args"] == "(1,)"


def test_what_changed_after_the_question_keeps_its_state_and_only_gaps_are_filled(
    state: State, event: MakeEvent
) -> None:
    asked = state.tasks.version
    state.apply([event("task-retried", at=6.0, clock=9, exception="KeyError()")])
    merge(state, held(), as_of=asked)
    found = shown(state)
    assert (found["state"], found["name"], found["args"]) == ("RETRY", "shop.pay", "(1,)")
    assert "started" not in found


def test_an_answer_that_tells_nothing_new_changes_nothing(state: State) -> None:
    merge(state, held())
    version = state.tasks.version
    merge(state, held())
    assert state.tasks.version == version


def test_a_living_worker_keeps_its_task_and_a_dead_one_loses_it(state: State, event: MakeEvent, clock: Any) -> None:
    state.apply([event("task-started", at=1.0, clock=1), event("worker-heartbeat", at=1.0, clock=2, freq=2.0)])
    merge(state, held(hostname="w2@host", started=7.0))
    assert shown(state)["worker"] == "w1@host"
    clock.time += 10
    merge(state, held(hostname="w2@host", started=7.0))
    assert (shown(state)["worker"], shown(state)["started"]) == ("w2@host", 7.0)


def test_subscribers_are_told_once(state: State) -> None:
    told: list[Any] = []
    state.subscribe(told.extend)
    merge(state, held())
    merge(state, held())
    assert [(change.task.uuid, change.previous, change.type) for change in told] == [("t1", None, CHANGE)]


def test_formatters_see_what_workers_hold() -> None:
    class Hiding:
        def format(self, task: EditableTask) -> None:
            assert task.worker == "w1@host"
            task.kwargs.pop("card")

    state = State()
    state.add_formatter(Hiding())
    merge(state, held(kwargs="{'card': 'canary', 'n': 1}"))
    assert shown(state)["kwargs"] == "{'n': 1}"


def test_prefetched_tasks_that_the_worker_does_not_have_are_let_go(state: State, event: MakeEvent) -> None:
    """R44"""
    state.apply([event("task-received", uuid, clock=1, name="shop.pay") for uuid in ("t1", "t2", "t3")])
    state.apply([event("task-received", "t4", clock=1, name="shop.pay", hostname="w2@host")])
    asked = state.tasks.version
    state.apply([event("task-received", "t5", clock=2, name="shop.pay")])
    waiting = list(state.tasks.by_state.groups["RECEIVED"].values())
    for _ in range(2):
        state.settle_held(waiting, {"w1@host": Answer({"t1"})}, asked)
        assert prefetched(state) == [2.0, 1.0]
    state.apply([event("task-started", "t2", at=9.0, clock=8), event("task-started", "t3", at=9.0, clock=9)])
    assert prefetched(state) == [2.0, 1.0]


@pytest.mark.parametrize(("pid", "loss"), [(8, "restarted"), (7, "")])
@pytest.mark.parametrize("kind", ["worker-online", "worker-heartbeat"])
def test_open_tasks_that_a_new_process_does_not_hold_are_lost_until_they_are_heard_of(
    state: State, event: MakeEvent, kind: str, pid: int, loss: str
) -> None:
    """R31: a worker that is started anew at once was never seen to be gone."""
    state.apply([event("worker-heartbeat", at=1.0, clock=1, pid=7)])
    state.apply([event(f"task-{each}", each, at=2.0, clock=2) for each in ("started", "received", "succeeded")])
    state.apply([event("task-started", "held", at=2.0, clock=2), event("task-retried", "retried", at=2.0, clock=2)])
    state.apply([event(kind, at=5.0, clock=1, pid=pid), event("task-started", "new", at=6.0, clock=3)])
    told: list[Any] = []
    state.subscribe(told.extend)
    version = state.tasks.version
    for _ in range(2):
        groups = state.tasks.by_state.groups
        tasks = [task for each in open_states(groups) for task in groups[each].values()]
        state.settle_held(tasks, {"w1@host": Answer({"held"})}, state.tasks.version)
    records = state.tasks.kept()
    expected = {uuid: loss if uuid in ("started", "received") else "" for uuid in records}
    assert {uuid: state.tasks.loss(record) for uuid, record in records.items()} == expected
    lost = {("started", LOST_CHANGE), ("received", LOST_CHANGE)} if loss else set()
    assert {(change.task.uuid, change.type) for change in told} == lost
    assert len(told) == len(lost)
    assert (state.tasks.version > version) is bool(loss)
    state.apply([event("task-received", "received", at=9.0, clock=9, hostname="w2@host")])
    state.apply([event("task-succeeded", "started", at=9.0, clock=9)])
    assert {state.tasks.loss(record) for record in records.values()} == {""}


def test_a_task_told_by_two_hosts_is_never_counted_below_zero(state: State, event: MakeEvent) -> None:
    """R44"""
    for at, kind in enumerate(("task-received", "task-started", "task-succeeded")):
        state.apply([event(kind, at=float(at), clock=9, name="a", hostname=host) for host in ("w1@h", "w2@h")])
        state.apply([event(kind, at=at + 0.5, clock=10, name="a", hostname="w2@h")])
        assert min(prefetched(state)) >= 0
    assert set(prefetched(state)) == {0.0}


def test_an_entry_is_read_with_its_secrets_masked() -> None:
    one = read_held("w1@host", {"eta": "2030-01-01", "priority": 6, "request": INFO}, running=False)
    assert one == HeldTask(
        "t1",
        "w1@host",
        False,
        name="shop.pay",
        args="(1, 2)",
        kwargs="{'n': 3, 'password': '********'}",
        eta="2030-01-01",
        exchange="",
        routing_key="mail",
    )
    running = read_held("w1@host", INFO, running=True)
    assert running is not None
    assert running.started == 1_700_000_000.5


@pytest.mark.parametrize("started", [None, 4711.5, "1700000000", float("-inf")])
def test_a_start_that_does_not_count_from_the_epoch_is_left_out(started: Any) -> None:
    one = read_held("w1@host", {**INFO, "time_start": started}, running=True)
    assert one is not None
    assert one.started is None


@pytest.mark.parametrize("entry", [None, 5, [], {}, {"request": 5}, {"id": 5}, {"id": ""}, {"id": "x" * 2000}])
def test_what_names_no_task_is_passed_over(entry: Any) -> None:
    assert read_held("w1@host", entry, running=True) is None


def test_arguments_become_the_texts_that_events_bring() -> None:
    assert (args_text([1, "a"]), args_text("(1,)"), args_text(None)) == ("(1, 'a')", "(1,)", None)
    assert kwargs_text({"a": 1}) == "{'a': 1}"
    assert len(kwargs_text("x" * 100_000) or "") == 65_536
