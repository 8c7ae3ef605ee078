from __future__ import annotations

import asyncio
import json
import logging
from collections import Counter
from collections.abc import Callable
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flower.events.event import Event
from flower.state import State, TaskRecord
from flower.state.tasks import FIELDS
from flower_plugins import Page, TaskChange, TaskQuery, Tasks, WorkerChange

MakeEvent = Callable[..., Event]
MakeState = Callable[..., State]


def ids(page: Page) -> list[str]:
    return [row.uuid for row in page.rows]


def ask(state: State, /, **query: Any) -> Page:
    tasks: Tasks = state.tasks
    return asyncio.run(tasks.query(TaskQuery(**query)))


def test_changes_come_one_batch_per_call_with_the_state_before(state: State, event: MakeEvent) -> None:
    batches: list[list[Any]] = []
    state.subscribe(lambda changes: batches.append(list(changes)))
    state.apply(
        [event("task-sent"), event("task-received"), event("worker-online"), event("foo-bar"), event("task-x", "")]
    )
    state.apply([])
    task = state.tasks.get("t1")
    worker = state.workers.get("w1@host")
    assert task is not None
    assert worker is not None
    assert batches == [
        [
            TaskChange(task, None, "task-sent", "gen1@web"),
            TaskChange(task, "PENDING", "task-received", "w1@host"),
            WorkerChange(worker, "worker-online"),
        ]
    ]


class Hostile(str):
    """A text on which any comparison or formatting fails."""

    def __eq__(self, other: object) -> bool:
        raise RuntimeError

    __hash__ = str.__hash__


@pytest.mark.parametrize("field", ["hostname", "name"])
def test_an_event_that_cannot_be_merged_costs_only_itself(
    state: State, event: MakeEvent, caplog: pytest.LogCaptureFixture, field: str
) -> None:
    changes: list[Any] = []
    state.subscribe(changes.extend)
    bad = event("task-started", "bad", **{field: Hostile("x")})
    state.apply([event("task-received", "bad", name="y", hostname="x")])
    state.apply([event("task-received", "a"), bad, bad, event("task-received", "b")])
    assert [change.task.uuid for change in changes] == ["bad", "a", "b"]
    assert state.failed == 2
    assert len(caplog.records) == 1
    assert "could not be merged" in caplog.text
    assert ids(ask(state))[:2] == ["b", "a"]
    state.apply([event("task-succeeded", "bad", name="y", hostname="x", at=3.0)])
    assert ids(ask(state, state="success")) == ["bad"]
    assert state.tasks.counts() == {"RECEIVED": 2, "SUCCESS": 1}


def test_metrics_that_fail_leave_the_task_and_its_subscribers(
    state: State, event: MakeEvent, monkeypatch: pytest.MonkeyPatch
) -> None:
    changes: list[Any] = []
    state.subscribe(changes.extend)
    monkeypatch.setattr(state.metrics, "_buckets", None)
    state.apply([event("task-succeeded", "a", runtime=1.0), event("task-received", "b")])
    assert ids(ask(state)) == ["b", "a"]
    assert [change.task.uuid for change in changes] == ["a", "b"]
    assert state.failed == 1


def test_equal_texts_are_one_object(state: State, event: MakeEvent) -> None:
    for uuid in ("a", "b"):
        fields = {"name": "".join(["shop", ".order"]), "root_id": "".join(uuid), "kwargs": "".join("{}")}
        state.apply([event("task-received", uuid, hostname="".join(["w1", "@host"]), **fields)])
    a, b = kept_record(state, "a"), kept_record(state, "b")
    assert a.name is b.name
    assert a.worker is b.worker
    assert a.kwargs is b.kwargs
    assert a.root_id is a.uuid


def test_a_duplicate_changes_and_tells_nothing_r46(state: State, event: MakeEvent) -> None:
    changes: list[Any] = []
    state.apply([event("task-received", clock=5)])
    version = state.tasks.version
    state.subscribe(changes.extend)
    state.apply([event("task-received", clock=5)])
    assert changes == []
    assert state.tasks.version == version
    assert state.workers.all()[0].counts == {"task-received": 1}


def test_a_raising_subscriber_is_logged_once_a_minute_and_off_after_five_in_a_row(
    state: State, event: MakeEvent, caplog: pytest.LogCaptureFixture
) -> None:
    seen: list[Any] = []
    calls: list[int] = []

    def sometimes(changes: Any) -> None:
        calls.append(1)
        if len(calls) != 4:
            raise ValueError

    told: list[str] = []
    bad = state.subscribe(sometimes, told.append)
    state.subscribe(seen.append)
    with caplog.at_level(logging.ERROR):
        for n in range(20):
            state.apply([event("task-started", str(n))])
    assert len(seen) == 20
    assert len(calls) == 9
    assert (bad.active, bad.failures) == (False, 8)
    assert len(caplog.records) == 2
    assert told == ["the event sink is off: it raised ValueError 5 times in a row"]


def test_the_least_recently_changed_task_is_evicted(make_state: MakeState, event: MakeEvent) -> None:
    state = make_state(max_tasks=3)
    state.apply([event("task-received", uuid) for uuid in "abc"])
    state.tasks.get("a")
    state.apply([event("task-started", "a"), event("task-received", "d")])
    assert ids(ask(state)) == ["d", "a", "c"]
    assert len(state.tasks) == 3
    assert state.tasks.counts() == {"RECEIVED": 2, "STARTED": 1}
    assert list(state.tasks.names()) == []


def test_a_state_is_inhabited_as_soon_as_it_holds_a_worker_or_a_task(make_state: MakeState, event: MakeEvent) -> None:
    for kind in ("worker-heartbeat", "task-received"):
        state = make_state()
        assert not state.inhabited
        state.apply([event(kind)])
        assert state.inhabited


def test_names_of_evicted_tasks_are_remembered(make_state: MakeState, event: MakeEvent) -> None:
    state = make_state(max_tasks=1)
    state.apply([event("task-received", "a", name="z"), event("task-received", "b", name="y")])
    assert list(state.tasks.names()) == ["y", "z"]
    state.apply([event("task-received", "c", name="x")])
    assert list(state.tasks.names()) == ["x", "y", "z"]


@pytest.mark.parametrize("order", ["parent", "child"])
def test_children_find_their_parent_whoever_comes_first(state: State, event: MakeEvent, order: str) -> None:
    parent = [event("task-received", "p")]
    children = [event("task-received", uuid, parent_id="p") for uuid in ("a", "b")]
    state.apply(parent + children if order == "parent" else children + parent)
    state.apply([event("task-started", "a")])
    found = state.tasks.get("p")
    assert found is not None
    assert list(found.children) == ["a", "b"]
    assert found.fields()["children"] == ["a", "b"]


def test_parents_that_never_come_are_not_waited_for_beyond_their_children(
    make_state: MakeState, event: MakeEvent
) -> None:
    state = make_state(max_tasks=2)
    for number in range(10):
        state.apply([event("task-received", f"c{number}", parent_id=f"p{number // 2}")])
    assert state.tasks._orphans == {"p4": {"c8": None, "c9": None}}
    state.apply([event("task-received", "p4")])
    found = state.tasks.get("p4")
    assert found is not None
    assert "c9" in found.children
    assert (state.tasks._orphans, state.tasks._orphan_count) == ({}, 0)


def test_replayed_events_of_a_retried_task_are_counted_once_r46(state: State, event: MakeEvent) -> None:
    kinds = ["received", "started", "retried", "received"]
    events = [event(f"task-{kind}", at=float(n), clock=n, name="a") for n, kind in enumerate(kinds, 1)]
    state.apply(events)
    before = [family.samples for family in state.metrics.families()]
    state.apply(events)
    assert [family.samples for family in state.metrics.families()] == before
    assert state.workers.all()[0].counts["task-received"] == 2


def test_tasks_survive_a_restart_as_plain_data(state: State, event: MakeEvent, make_state: MakeState) -> None:
    state.apply([event("task-received", "p", clock=1), event("task-foo", "c", parent_id="p", extra={"a": 1})])
    kept = json.loads(json.dumps([msgspec.to_builtins(record) for record in state.tasks.kept().values()]))
    later = make_state()
    later.apply([event("task-failed", "c")])
    assert later.restore([*kept, {"uuid": 5}, {"uuid": "x", "retries": "many"}]) == 1
    assert later.tasks.get("p") == msgspec.structs.replace(kept_record(state, "p"), waiting=None, order=2)
    assert later.tasks.get("c").state == "FAILURE"  # type: ignore[union-attr]
    assert ids(ask(later, state="received")) == ["p"]


def kept_record(state: State, uuid: str) -> TaskRecord:
    record = state.tasks.get(uuid)
    assert record is not None
    return record


HOSTILE_TEXT = st.text(max_size=30) | st.sampled_from(["<script>", "\x00\x1b", "{'a': " + "(" * 999, "İ" * 50, "ﬀ"])
HOSTILE_FIELDS = {
    "timestamp": st.floats(-1e18, 1e18, allow_nan=False),
    "clock": st.integers(0, 2**63),
    "name": st.none() | HOSTILE_TEXT,
    "kwargs": st.none() | HOSTILE_TEXT,
    "result": st.none() | HOSTILE_TEXT,
    "runtime": st.none() | st.floats(allow_nan=False, allow_infinity=False),
    "retries": st.none() | st.integers(-(2**63), 2**63),
    "parent_id": st.none() | st.sampled_from("abc"),
    "freq": st.none() | st.floats(allow_nan=False, allow_infinity=False),
    "active": st.none() | st.integers(-(2**63), 2**63),
    "extra": st.none() | st.dictionaries(HOSTILE_TEXT, HOSTILE_TEXT | st.lists(st.integers()), max_size=3),
}
SUBJECTS = ["sent", "received", "started", "succeeded", "failed", "retried", "revoked", "rejected", "foo"]
TYPES = (
    st.sampled_from([f"task-{subject}" for subject in SUBJECTS])
    | st.sampled_from(["worker-online", "worker-heartbeat", "worker-offline", "worker-x", "odd", "x-y"])
    | HOSTILE_TEXT.map("task-".__add__)
)
EVENTS = st.lists(
    st.builds(
        Event,
        type=TYPES,
        hostname=st.sampled_from(["w1", "w2", "W1", "gen5@web", "", "\x00"]),
        received_at=st.floats(0, 1e10),
        uuid=st.sampled_from(["a", "b", "c", "d", "e", ""]),
        **HOSTILE_FIELDS,
    ),
    max_size=25,
)


@settings(max_examples=150, deadline=None)
@given(events=EVENTS)
def test_indexes_always_agree_with_a_scan_and_json_is_strict_r08_r09_r10_r11(events: list[Event]) -> None:
    state = State(max_tasks=3, max_workers=2, purge_offline_workers=0)
    changed: list[str] = []
    state.subscribe(lambda changes: changed.extend(c.task.uuid for c in changes if isinstance(c, TaskChange)))
    for each in events:
        state.apply([each])
        state.tick()
    order = list(dict.fromkeys(reversed(changed)))[:3]
    asyncio.run(agree_with_a_scan(state, order))
    json.dumps([worker.fields() for worker in state.workers.known().values()], allow_nan=False)
    assert len(state.workers.all()) <= 2
    for family in state.metrics.families():
        assert len(family.samples) == len({sample.labels for sample in family.samples})


async def agree_with_a_scan(state: State, order: list[str]) -> None:
    kept = [kept_record(state, uuid) for uuid in order]
    assert ids(await state.tasks.query(TaskQuery())) == order
    assert state.tasks.counts() == Counter(record.state for record in kept)
    json.dumps([record.fields() for record in kept], allow_nan=False)
    for field in ("state", "name", "worker"):
        for value in {getattr(record, field) for record in kept} - {None, ""}:
            expected = [r.uuid for r in kept if (getattr(r, field) or "").casefold() == value.casefold()]
            page = await state.tasks.query(TaskQuery(**{field: value}))
            assert (ids(page), page.matching, page.kept) == (expected, len(expected), len(kept))
    for field in FIELDS:
        page = await state.tasks.query(TaskQuery(sort_by=field))
        assert sorted(ids(page)) == sorted(order)


def test_texts_of_evicted_tasks_are_not_kept_while_somebody_searches(make_state: MakeState, event: MakeEvent) -> None:
    state = make_state(max_tasks=600)
    for turn in range(12):
        state.apply([event("task-received", f"t{turn}-{number}", args="(1,)") for number in range(500)])
        ask(state, search="nothing")
    assert len(state.tasks.texts._homes) == 600
