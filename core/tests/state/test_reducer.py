from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from itertools import permutations
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flower.events.event import Event
from flower.state.reducer import is_client, reduce
from flower.state.tasks import FIELDS, MAX_CHILDREN, MAX_EXTRA_FIELDS, TaskRecord
from flower_plugins import Task

MakeEvent = Callable[..., Event]


def merged(events: Sequence[Event]) -> TaskRecord:
    record = TaskRecord("t1")
    for each in events:
        reduce(record, each)
    return record


def life(event: MakeEvent, *, clocks: bool, ending: Event) -> list[Event]:
    return [
        event("task-sent", at=1.0, clock=77, name="a.sent", args="(0,)", queue="q", exchange="x", routing_key="k"),
        event(
            "task-received",
            at=2.0,
            clock=2 * clocks,
            name="a.b",
            args="(1,)",
            kwargs="{}",
            retries=0,
            root_id="r",
            parent_id="p",
            pid=5,
        ),
        event("task-started", at=3.0, clock=3 * clocks, pid=5),
        ending,
    ]


@pytest.mark.parametrize("clocks", [True, False])
@pytest.mark.parametrize(
    ("ending", "state"),
    [
        ({"type": "task-succeeded", "result": "3", "runtime": 0.5}, "SUCCESS"),
        ({"type": "task-failed", "exception": "E()", "traceback": "tb"}, "FAILURE"),
        ({"type": "task-revoked", "extra": {"terminated": True}}, "STARTED"),
        ({"type": "task-progress", "extra": {"percent": 5}}, "PROGRESS"),
    ],
)
def test_every_order_of_arrival_ends_in_the_same_record_r45(
    event: MakeEvent, clocks: bool, ending: dict[str, Any], state: str
) -> None:
    events = life(event, clocks=clocks, ending=event(at=4.0, clock=4 * clocks, **ending))
    records = [merged(order) for order in permutations(events)]
    assert len(records) == 24
    assert all(record == records[0] for record in records)
    expected = "REVOKED" if ending["type"] == "task-revoked" else state
    assert records[0].state == expected
    assert (records[0].name, records[0].args, records[0].queue) == ("a.b", "(1,)", "q")
    assert (records[0].worker, records[0].client, records[0].timestamp) == ("w1@host", "gen1@web", 4.0)
    assert [records[0].sent, records[0].received, records[0].started] == [1.0, 2.0, 3.0]


def attempts(event: MakeEvent, count: int, ending: str) -> list[Event]:
    """A life of `count` attempts on one host, each but the last ending in a retry."""
    events = []
    tick = 0
    for number in range(count):
        host = "w1@host"
        last = number == count - 1
        steps: list[tuple[str, dict[str, Any]]] = [
            ("task-sent", {"name": "a.b", "retries": number, "hostname": f"gen{number}@web"}),
            ("task-received", {"name": "a.b", "args": "(1,)", "retries": number, "eta": f"eta {number}"}),
            ("task-started", {}),
            ("task-progress", {"extra": {"step": number}}),
            ("task-retried" if not last else ending, {"exception": f"E({number})", "traceback": f"tb {number}"}),
        ]
        if last and ending == "task-succeeded":
            steps[-1] = (ending, {"result": "3", "runtime": 0.5})
        for kind, fields in steps:
            tick += 1
            events.append(event(kind, at=float(tick), clock=10 + tick, **{"hostname": host, **fields}))
    return events


@settings(max_examples=150, deadline=None)
@given(data=st.data(), count=st.integers(1, 4))
def test_retries_in_any_order_end_in_the_same_record(event: MakeEvent, data: st.DataObject, count: int) -> None:
    ending = data.draw(
        st.sampled_from(["task-failed", "task-succeeded", "task-revoked", "task-retried", "task-started"])
    )
    events = attempts(event, count, ending)
    events = [each for each in events if data.draw(st.booleans(), label=each.type) or each.type == "task-received"]
    shuffled = data.draw(st.permutations(events))
    assert merged(shuffled) == merged(events)


@settings(max_examples=100, deadline=None)
@given(data=st.data())
def test_any_set_of_clocked_events_has_one_state(event: MakeEvent, data: st.DataObject) -> None:
    kinds = ["received", "started", "succeeded", "failed", "retried", "revoked", "rejected", "sent", "foo", "bar"]
    picked = data.draw(st.lists(st.sampled_from(kinds), min_size=1, max_size=8))
    events = [event(f"task-{kind}", at=float(n), clock=n + 1) for n, kind in enumerate(picked)]
    shuffled = data.draw(st.permutations(events))
    assert merged(shuffled) == merged(events)


@pytest.mark.parametrize(
    ("events", "state"),
    [
        (["received", "started", "retried"], "RETRY"),
        (["received", "started", "retried", "received"], "RECEIVED"),
        (["received", "started", "retried", "received", "started"], "STARTED"),
        (["received", "started", "retried", "sent"], "RETRY"),
        (["received", "started", "retried", "received", "started", "failed"], "FAILURE"),
        (["succeeded", "retried"], "RETRY"),
        (["rejected", "received"], "RECEIVED"),
        (["received", "rejected"], "RECEIVED"),
        (["sent"], "PENDING"),
        (["started", "received", "sent"], "STARTED"),
        (["revoked", "started"], "REVOKED"),
        (["foo-bar"], "FOO-BAR"),
        (["started", "progress", "succeeded"], "SUCCESS"),
        (["progress", "started"], "PROGRESS"),
    ],
)
@pytest.mark.parametrize("clocks", [True, False])
def test_events_in_order_give_celerys_state(event: MakeEvent, events: list[str], state: str, clocks: bool) -> None:
    made = [event(f"task-{kind}", at=float(n + 1), clock=(n + 1) * clocks) for n, kind in enumerate(events)]
    assert merged(made).state == state


@pytest.mark.parametrize("kinds", [["progress", "revoked"], ["revoked", "progress"]])
def test_revoking_ends_a_task_that_told_of_its_progress(event: MakeEvent, kinds: list[str]) -> None:
    """In Celery such a task is in its custom state for ever."""
    assert merged([event(f"task-{kind}", at=float(n + 1)) for n, kind in enumerate(kinds)]).state == "REVOKED"


def test_an_event_of_an_earlier_attempt_does_not_set_the_state_but_its_time(event: MakeEvent) -> None:
    record = merged([event("task-retried", at=5.0, clock=5), event("task-started", at=4.0, clock=4)])
    assert (record.state, record.timestamp, record.started, record.clock) == ("RETRY", 5.0, 4.0, 5)


def test_clocks_that_disagree_with_the_time_do_not_hold_a_task_in_retry(event: MakeEvent) -> None:
    """A second worker that does not hear the first may have a smaller clock."""
    record = merged(
        [
            event("task-retried", at=5.0, clock=500),
            event("task-received", at=6.0, clock=3, hostname="w2@host"),
            event("task-succeeded", at=7.0, clock=5, hostname="w2@host"),
        ]
    )
    assert (record.state, record.worker) == ("SUCCESS", "w2@host")


def test_a_retry_on_a_host_whose_clock_is_behind_ends_r43(event: MakeEvent) -> None:
    """The wall clock of b is 3 s behind that of a, and its Lamport clock is low."""
    record = merged(
        [
            event("task-received", at=100.0, clock=500, hostname="a@h", retries=0),
            event("task-started", at=100.1, clock=501, hostname="a@h"),
            event("task-retried", at=100.2, clock=502, hostname="a@h"),
            event("task-received", at=97.4, clock=5, hostname="b@h", retries=1),
            event("task-started", at=97.5, clock=6, hostname="b@h"),
            event("task-succeeded", at=97.6, clock=7, hostname="b@h"),
        ]
    )
    assert (record.state, record.worker, record.clock, record.timestamp) == ("SUCCESS", "b@h", 7, 97.6)


@settings(max_examples=300, deadline=None)
@given(data=st.data(), hosts=st.lists(st.sampled_from("abc"), min_size=2, max_size=4))
def test_attempts_on_hosts_that_do_not_hear_each_other_end_in_the_last_ones_state_r43(
    event: MakeEvent, data: st.DataObject, hosts: list[str]
) -> None:
    """Each host's events keep their order; between hosts there is none, and neither clock nor time helps."""
    skew = {host: data.draw(st.integers(-9, 9), label=host) for host in sorted(set(hosts))}
    streams: dict[str, list[Event]] = {host: [] for host in hosts}
    for attempt, host in enumerate(hosts):
        ending = "succeeded" if attempt == len(hosts) - 1 else "retried"
        for kind, fields in (("received", {"retries": attempt}), ("started", {}), (ending, {})):
            clock = 50 + 10 * skew[host] + len(streams[host])
            at = 100.0 + skew[host] + attempt + clock / 1000
            streams[host].append(event(f"task-{kind}", at=at, clock=clock, hostname=host, **fields))
    pending = [stream for stream in streams.values() if stream]
    record = TaskRecord("t1")
    while pending:
        stream = data.draw(st.sampled_from(pending))
        reduce(record, stream.pop(0))
        pending = [stream for stream in pending if stream]
    assert record.state == "SUCCESS"


@pytest.mark.parametrize("lost", ["task-retried", "task-received"])
def test_a_task_that_comes_back_to_a_former_host_ends_there_even_when_an_event_was_lost(
    event: MakeEvent, lost: str
) -> None:
    life = [("a@h", "received", 0), ("a@h", "retried", 0), ("b@h", "received", 1), ("b@h", "started", 1)]
    life += [("b@h", "retried", 1), ("a@h", "received", 2), ("a@h", "started", 2), ("a@h", "succeeded", 2)]
    events = [
        event(f"task-{kind}", at=float(n), clock=n, hostname=host, retries=attempt if kind == "received" else None)
        for n, (host, kind, attempt) in enumerate(life, 1)
    ]
    events = [each for each in events if each.type != lost or each.timestamp < 5]
    record = merged(events)
    assert (record.state, record.worker) == ("SUCCESS", "a@h")


@pytest.mark.parametrize(
    ("kinds", "state", "newest"),
    [
        (["received", "rejected"], "RECEIVED", 2),
        (["received", "started", "rejected"], "STARTED", 3),
        (["received", "started", "succeeded", "received", "started", "failed"], "SUCCESS", 6),
        (["progress", "started"], "PROGRESS", 2),
    ],
)
def test_timestamp_and_clock_are_those_of_the_newest_event_as_in_celery(
    event: MakeEvent, kinds: list[str], state: str, newest: int
) -> None:
    record = merged([event(f"task-{kind}", at=10.0 + n, clock=n) for n, kind in enumerate(kinds, 1)])
    assert (record.state, record.timestamp, record.clock) == (state, 10.0 + newest, newest)


def test_a_task_that_was_only_sent_has_the_clients_clock_as_in_celery(event: MakeEvent) -> None:
    assert merged([event("task-sent", clock=77)]).clock == 77
    assert merged([event("task-sent", clock=77), event("task-received", clock=5)]).clock == 5


def test_an_earlier_attempts_events_are_known_when_they_are_delivered_again_r46(event: MakeEvent) -> None:
    kinds = ["sent", "received", "started", "progress", "retried", "sent", "received", "stage", "progress", "retried"]
    kinds += ["received", "started", "succeeded"]
    events = [event(f"task-{kind}", at=float(n), clock=n) for n, kind in enumerate(kinds, 1)]
    record = merged(events)
    before = msgspec.structs.replace(record)
    assert [each.type for each in events if reduce(record, each)] == []
    assert record == before


def test_events_told_within_one_tick_of_a_coarse_clock_are_not_taken_for_duplicates(event: MakeEvent) -> None:
    record = TaskRecord("t1")
    for n in range(5):
        assert reduce(record, event("task-progress", at=1.0, clock=n + 1, extra={"step": n}))
    assert record.extra == {"step": 4}


def test_what_is_remembered_of_replaced_events_is_bounded(event: MakeEvent) -> None:
    record = merged([event("task-progress", at=float(n), clock=n) for n in range(1, 500)])
    assert len(record.passed) == 32


def test_exception_of_a_failed_attempt_stays_visible(event: MakeEvent) -> None:
    record = merged(
        [
            event("task-retried", at=1.0, clock=1, exception="E(1)", traceback="tb"),
            event("task-succeeded", at=2.0, clock=2, result="3"),
        ]
    )
    assert (record.exception, record.traceback, record.result) == ("E(1)", "tb", "3")


def test_sent_fills_only_what_received_left_open(event: MakeEvent) -> None:
    sent = event("task-sent", at=1.0, name="x", eta="soon", args="(9,)")
    received = event("task-received", at=2.0, name="a.b")
    for order in permutations([sent, received]):
        record = merged(order)
        assert (record.name, record.eta, record.args) == ("a.b", "soon", "(9,)")


def test_sent_alone_has_a_client_and_no_worker(event: MakeEvent) -> None:
    record = merged([event("task-sent", at=3.0)])
    assert (record.state, record.client, record.worker, record.timestamp) == ("PENDING", "gen1@web", None, 3.0)


def test_a_repeated_event_is_a_duplicate_r46(event: MakeEvent) -> None:
    record = TaskRecord("t1")
    for each in life(event, clocks=True, ending=event("task-foo", at=4.0, clock=4)):
        assert reduce(record, each)
    before = json.dumps(record.fields())
    for each in life(event, clocks=True, ending=event("task-foo", at=4.0, clock=4)):
        assert not reduce(record, each)
    assert json.dumps(record.fields()) == before


def test_fields_of_a_custom_event_never_become_attributes_r10(event: MakeEvent) -> None:
    extra = {"worker": "w1", "state": "SUCCESS", "children": 5, "__class__": "x"}
    record = merged([event("task-progress", extra=extra)])
    assert (record.worker, record.state, list(record.children)) == ("w1@host", "PROGRESS", [])
    assert record.extra == extra


def test_extra_fields_are_bounded_in_number_and_size(event: MakeEvent) -> None:
    extra: dict[str, Any] = {"long": "x" * 9000, "deep": [["y"] * 9000], "fine": {"a": [1]}}
    record = merged([event("task-foo", extra={**extra, **{f"k{n}": n for n in range(100)}})])
    assert len(record.extra) == MAX_EXTRA_FIELDS
    assert len(record.extra["long"]) < 2100
    assert len(record.extra["deep"]) < 2100
    assert record.extra["fine"] == {"a": [1]}


def test_a_custom_state_is_cut(event: MakeEvent) -> None:
    assert len(merged([event("task-" + "ß" * 500)]).state) == 64


def test_fields_have_celerys_keys_in_celerys_order(event: MakeEvent) -> None:
    record: Task = merged([event("task-received", root_id="r", parent_id="p")])
    fields = record.fields()
    assert tuple(fields) == FIELDS
    assert (fields["root"], fields["root_id"], fields["parent"], fields["parent_id"]) == ("r", "r", "p", "p")
    json.dumps(fields, allow_nan=False)


def test_children_are_bounded() -> None:
    record = TaskRecord("t1")
    for n in range(MAX_CHILDREN + 5):
        record.add_child(str(n))
    assert len(record.children) == MAX_CHILDREN


@pytest.mark.parametrize(("hostname", "client"), [("gen12@web", True), ("gen@web", False), ("generic@h", False)])
def test_clients_are_told_by_their_name(hostname: str, client: bool) -> None:
    assert is_client(hostname) is client
