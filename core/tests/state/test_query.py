from __future__ import annotations

import asyncio
from collections.abc import Callable
from time import perf_counter
from typing import Any

import pytest

from flower.events.event import Event
from flower.state import State
from flower_plugins import Page, QueryError, TaskQuery

MakeEvent = Callable[..., Event]


def ask(state: State, /, **query: Any) -> Page:
    return asyncio.run(state.tasks.query(TaskQuery(**query)))


def found(state: State, /, **query: Any) -> str:
    return "".join(row.uuid for row in ask(state, **query).rows)


@pytest.fixture
def filled(state: State, event: MakeEvent) -> State:
    """Tasks a to f; in order of change, newest first: f e d c b a."""
    state.apply(
        [
            event("task-received", "a", 10.0, name="B.one", retries=2),
            event("task-received", "b", 20.0, name="a.two", retries=10),
            event("task-received", "c", 30.0, name="b.one", hostname="W2@host"),
            event("task-started", "d", 40.0),
            event("task-succeeded", "e", 50.0, name="c", result="late", runtime=2.0, hostname="w2@host"),
            event("task-sent", "f", 60.0, name="a.two"),
        ]
    )
    return state


@pytest.mark.parametrize(
    ("query", "rows"),
    [
        ({}, "fedcba"),
        ({"state": "All", "worker": "all", "name": ""}, "fedcba"),
        ({"state": "received"}, "cba"),
        ({"state": "nope"}, ""),
        ({"name": "B.ONE"}, "ca"),
        ({"worker": "w2@host"}, "ec"),
        ({"worker": "w2"}, ""),
        ({"name": "b.one", "worker": "w2@host"}, "c"),
        ({"state": "RECEIVED", "name": "b.one", "worker": "w1@host"}, "a"),
        ({"state": "RECEIVED", "search": "state:started"}, ""),
        ({"search": "state:RECEIVED one"}, "ca"),
        ({"search": "late OR two"}, "feb"),
        ({"received_start": 20.0}, "cb"),
        ({"received_end": 20.0}, "ba"),
        ({"received_start": 20.0, "received_end": 20.0}, "b"),
        ({"started_start": 0.0}, "d"),
        ({"started_end": 39.0}, ""),
        ({"offset": 1, "limit": 2}, "ed"),
        ({"offset": -5, "limit": 2}, "fe"),
        ({"offset": 50}, ""),
        ({"limit": 0}, ""),
        ({"limit": -1}, ""),
        ({"limit": None}, "fedcba"),
        ({"limit": None, "offset": 4}, "ba"),
        ({"sort_by": "name"}, "dbface"),
        ({"sort_by": "name", "descending": True}, "ecafbd"),
        ({"sort_by": "received"}, "defabc"),
        ({"sort_by": "received", "descending": True}, "cbafed"),
        ({"sort_by": "retries", "descending": True, "limit": 2}, "ba"),
        ({"sort_by": "state", "offset": 1, "limit": 3}, "abc"),
        ({"sort_by": "worker"}, "fabdce"),
        ({"sort_by": "root"}, "abcdef"),
        ({"sort_by": "children"}, "abcdef"),
        ({"sort_by": "uuid", "state": "RECEIVED", "limit": 0}, ""),
        ({"sort_by": "uuid", "limit": 2, "offset": 2}, "cd"),
    ],
)
def test_what_a_query_returns(filled: State, query: dict[str, Any], rows: str) -> None:
    assert found(filled, **query) == rows


def test_a_page_knows_how_many_match_and_how_many_there_are(filled: State) -> None:
    for query in (
        {"state": "received", "limit": 1},
        {"search": "state:received", "limit": 1},
        {"search": "one OR two"},
    ):
        page = ask(filled, **query)
        assert page.matching == (3 if "limit" in query else 4)
        assert page.kept == 6


@pytest.mark.parametrize("field", ["bogus", "__class__", "extra", "fields", "received_clock", "-name"])
def test_only_public_fields_can_be_sorted_by(filled: State, field: str) -> None:
    with pytest.raises(QueryError, match=r"Invalid sort_by .*expected one of args, .*worker"):
        ask(filled, sort_by=field)


def test_a_search_that_cannot_be_read_is_refused(filled: State) -> None:
    with pytest.raises(QueryError, match="at position 0"):
        ask(filled, search="(a")


def test_pages_far_down_agree_with_pages_near_the_top(state: State, event: MakeEvent) -> None:
    state.apply([event("task-received", f"{n:05}") for n in range(6000)])
    rows = ask(state, limit=None).rows
    assert [row.uuid for row in rows] == [f"{n:05}" for n in reversed(range(6000))]
    assert list(ask(state, offset=5900, limit=100).rows) == list(rows[5900:])
    assert list(ask(state, state="received", offset=5900, limit=100).rows) == list(rows[5900:])
    state.apply([event("task-received", "00000", name="moved")])
    assert [row.uuid for row in ask(state, offset=5998).rows] == ["00002", "00001"]
    assert [row.uuid for row in ask(state, search="0 OR moved", limit=1).rows] == ["00000"]
    assert [row.uuid for row in ask(state, state="received", offset=5998).rows] == ["00002", "00001"]
    rows = ask(state, limit=None).rows
    by_id = ask(state, sort_by="uuid", descending=True, limit=None).rows
    assert [row.uuid for row in by_id] == sorted((row.uuid for row in rows), reverse=True)
    assert [row.uuid for row in ask(state, sort_by="uuid", offset=3000, limit=2).rows] == ["03000", "03001"]


@pytest.mark.parametrize(
    "query",
    [
        {"search": " OR ".join(f"needle{n}" for n in range(60))},
        {"sort_by": "args", "limit": None},
        {"received_start": 0.0, "search": "kwargs:a=5"},
    ],
)
def test_the_loop_stays_free_while_a_query_scans_s64(state: State, event: MakeEvent, query: dict[str, Any]) -> None:
    kwargs = "{'a': 1, 'b': [1, 2, 3]}"
    state.apply([event("task-received", str(n), args="y" * 300, kwargs=kwargs) for n in range(20_000)])

    async def measure() -> tuple[float, int]:
        longest, turns = 0.0, 0
        work = asyncio.ensure_future(state.tasks.query(TaskQuery(**query)))
        while not work.done():
            start = perf_counter()
            await asyncio.sleep(0)
            longest, turns = max(longest, perf_counter() - start), turns + 1
        await work
        return longest, turns

    longest, turns = asyncio.run(measure())
    assert turns > 3
    assert longest < 0.5


def test_tasks_may_change_and_vanish_while_a_query_scans(event: MakeEvent) -> None:
    state = State(max_tasks=5000)
    state.apply([event("task-received", str(n), name="a") for n in range(5000)])

    async def scan() -> Page:
        work = asyncio.ensure_future(state.tasks.query(TaskQuery(sort_by="name", search="a", name="a", limit=None)))
        turn = 0
        while not work.done():
            await asyncio.sleep(0)
            turn += 1
            state.apply([event("task-started", f"new {turn}"), event("task-succeeded", "4999")])
        return await work

    assert asyncio.run(scan()).matching >= 4900


def test_queues_are_filtered_and_counted_off_an_index(event: MakeEvent) -> None:
    state = State(max_tasks=3)
    state.apply([event("task-sent", uuid, float(n), name="a", queue="mail") for n, uuid in enumerate("xyz")])
    assert found(state, queue="MAIL") == "zyx"
    assert state.tasks.counts("queue") == {"mail": 3}
    state.apply([event("task-sent", "x", 10.0, name="a", queue="slow", clock=9)])
    assert state.tasks.counts("queue") == {"mail": 2, "slow": 1}
    assert found(state, queue="slow", name="a") == "x"
    state.apply([event("task-received", "w", 11.0, name="a")])
    assert state.tasks.counts("queue") == {"mail": 1, "slow": 1}
    assert found(state, queue="nope") == ""


def test_tasks_are_counted_by_each_indexed_field_and_by_no_other(filled: State) -> None:
    assert filled.tasks.counts() == {"RECEIVED": 3, "STARTED": 1, "SUCCESS": 1, "PENDING": 1}
    assert filled.tasks.counts("name")["a.two"] == 2
    assert filled.tasks.counts("worker")["W2@host"] == 1
    with pytest.raises(QueryError, match="expected one of state, name, worker, queue"):
        filled.tasks.counts("uuid")
