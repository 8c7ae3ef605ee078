"""Searches off the index of texts against a plain look at every task, however they are nested and whatever changes."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flower.events.event import Event
from flower.state import State, TaskRecord, query
from flower.state.search import texts as texts_module
from flower_plugins import Page, TaskQuery

MakeEvent = Callable[..., Event]
Passing = Callable[[TaskRecord], bool]

PLAIN = ("uuid", "name", "state", "worker", "args", "kwargs", "result")
KINDS = ["received", "started", "succeeded", "failed", "retried"]


def has(text: str, *fields: str) -> Passing:
    return lambda record: any(text.casefold() in (getattr(record, field) or "").casefold() for field in fields)


LEAVES: list[tuple[str, Passing]] = [
    ("a7", has("a7", *PLAIN)),
    ("ß", has("ß", *PLAIN)),
    ("e", has("e", *PLAIN)),
    ("nowhere", lambda record: False),
    ("name:N1", has("n1", "name")),
    ("args:a1", has("a1", "args")),
    ("result:a1", has("a1", "result")),
    ("uuid:t1", has("t1", "uuid")),
    ("worker:w2", has("w2", "worker")),
    ("kwargs:user", has("user", "kwargs")),
    ("queue:mail", has("mail", "queue")),
    ("exception:boom", has("boom", "exception")),
    ("traceback:line", has("line", "traceback")),
    ("state:FAILURE", lambda record: record.state == "FAILURE"),
    ("state:started", lambda record: record.state == "STARTED"),
    ("kwargs:user=1", lambda record: record.kwargs in ("{'user': 1, 'x': 'y'}", '{"user": 1}')),
    ("kwargs:user=11", lambda record: record.kwargs == "{'user': 11, 'x': 'y'}"),
    ("kwargs:x=Y", lambda record: (record.kwargs or "").endswith("'x': 'y'}")),
    ("retries:>1", lambda record: record.retries is not None and record.retries > 1),
    ("runtime:>=2", lambda record: record.runtime is not None and record.runtime >= 2),
]


def _either(parts: list[tuple[str, Passing]]) -> tuple[str, Passing]:
    return "(" + " OR ".join(t for t, _ in parts) + ")", lambda record: any(p(record) for _, p in parts)


def _each(parts: list[tuple[str, Passing]]) -> tuple[str, Passing]:
    return "(" + " ".join(t for t, _ in parts) + ")", lambda record: all(p(record) for _, p in parts)


def _without(part: tuple[str, Passing]) -> tuple[str, Passing]:
    return f"NOT {part[0]}", lambda record: not part[1](record)


def _nested(inner: st.SearchStrategy[tuple[str, Passing]]) -> st.SearchStrategy[tuple[str, Passing]]:
    some = st.lists(inner, min_size=2, max_size=4)
    return some.map(_either) | some.map(_each) | inner.filter(lambda each: each[0][:4] != "NOT ").map(_without)


SEARCHES = st.recursive(st.sampled_from(LEAVES), _nested, max_leaves=6).filter(lambda each: each[0].count("(") < 6)
FILTERS: list[tuple[dict[str, str], Passing]] = [
    ({}, lambda record: True),
    ({"state": "success"}, lambda record: record.state == "SUCCESS"),
    ({"name": "N1é"}, lambda record: record.name == "n1é"),
    ({"worker": "W2@H", "state": "STARTED"}, lambda record: record.worker == "w2@h" and record.state == "STARTED"),
    ({"started_start": "100"}, lambda record: record.started is not None and record.started >= 100),
]


def ask(state: State, /, **fields: Any) -> Page:
    return asyncio.run(state.tasks.query(TaskQuery(**fields)))


def events(event: MakeEvent, picks: list[tuple[str, int]], at: float) -> list[Event]:
    return [
        event(
            f"task-{kind}",
            f"t{n}",
            at=at + place,
            clock=int(at) + place + 1,
            hostname=f"w{n % 3}@h",
            name=f"n{n % 5}é",
            args=f"('a{n}', 'Straße')" if n % 4 else None,
            kwargs=("{'user': %d, 'x': 'y'}", '{"user": %d}', "{'user':%d", "nothing %d")[n % 4] % n,
            result=f"a{n % 6}" if kind == "succeeded" else None,
            runtime=float(n % 4) if kind == "succeeded" else None,
            exception=f"boom {n % 3}" if kind == "failed" else None,
            traceback=f"line {n}" if kind == "failed" else None,
            queue="mail" if n % 7 == 1 else None,
            retries=n % 4,
        )
        for place, (kind, n) in enumerate(picks)
    ]


@pytest.fixture(scope="module", params=[4, 40], ids=["small chunks", "larger chunks"])
def chunked(request: pytest.FixtureRequest) -> Any:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(query, "_FEW", -1)
        patch.setattr(query, "_MANY", 10**9)
        patch.setattr(query, "_MANY_OF_TEXTS", 10**9)
        patch.setattr(texts_module, "_DOCUMENTS", request.param)
        patch.setattr(texts_module, "_STEP", 3)
        patch.setattr(texts_module, "_REMEMBERED", 2)
        yield request.param


@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_whatever_is_searched_for_is_what_a_look_at_each_task_finds(
    chunked: int, event: MakeEvent, data: st.DataObject
) -> None:
    state = State(max_tasks=50)
    searches = data.draw(st.lists(SEARCHES, min_size=1, max_size=3))
    for turn in range(3):
        picks = data.draw(st.lists(st.tuples(st.sampled_from(KINDS), st.integers(0, 70)), max_size=60))
        state.apply(events(event, picks, 100.0 * turn + 1))
        for text, passing in searches:
            fields, fitting = data.draw(st.sampled_from(FILTERS))
            bounds = {key: float(value) if key == "started_start" else value for key, value in fields.items()}
            rows = [row.uuid for row in state.tasks.kept().values() if passing(row) and fitting(row)]
            page = ask(state, search=text, limit=None, **bounds)
            assert sorted(row.uuid for row in page.rows) == sorted(rows), (text, fields)
            assert page.matching == len(rows)
            newest = [row.uuid for row in page.rows]
            assert [row.uuid for row in ask(state, search=text, offset=2, limit=5, **bounds).rows] == newest[2:7]


@pytest.mark.parametrize("changes", [1, 20, 150])
def test_each_task_is_found_once_however_many_search_while_all_of_them_change(
    event: MakeEvent, monkeypatch: pytest.MonkeyPatch, changes: int
) -> None:
    monkeypatch.setattr("flower.state.pace._SLICE", 0.0)  # rest wherever that may be
    monkeypatch.setattr(texts_module, "_DOCUMENTS", 32)
    monkeypatch.setattr(texts_module, "_STEP", 8)
    number = 800
    state = State(max_tasks=number)
    state.apply(events(event, [("received", n) for n in range(number)], 1.0))
    turns = [0]

    async def churn() -> None:
        while True:
            turns[0] += 1
            kind = "started" if turns[0] % 2 else "succeeded"
            picks = [(kind, (turns[0] * 97 + n * 5) % number) for n in range(changes)]
            state.apply(events(event, picks, 1000.0 * turns[0]))
            await asyncio.sleep(0)

    async def search(text: str) -> tuple[int, set[str]]:
        page = await state.tasks.query(TaskQuery(search=text, limit=None))
        assert len(page.rows) == page.matching
        return page.matching, {row.uuid for row in page.rows}

    async def scenario() -> list[tuple[int, set[str]]]:
        work = asyncio.ensure_future(churn())
        found: list[tuple[int, set[str]]] = []
        for _ in range(4):
            found += await asyncio.gather(*map(search, ("user", "NOT nowhere", "t OR straße", "kwargs:user")))
        work.cancel()
        return found

    wanted = {
        "user": {row.uuid for row in state.tasks.kept().values() if "user" in (row.kwargs or "")},
        "all": set(state.tasks.kept()),
    }
    found = asyncio.run(scenario())
    assert turns[0] > 20
    for place, (count, uuids) in enumerate(found):
        assert (count, uuids) == (len(uuids), wanted["all" if place % 4 in (1, 2) else "user"])


def test_what_a_search_found_is_not_looked_for_again_and_forgotten_in_time(
    event: MakeEvent, monkeypatch: pytest.MonkeyPatch
) -> None:
    state = State()
    state.apply(events(event, [("received", n) for n in range(2000)], 1.0))
    texts = state.tasks.texts
    for number in range(20):
        assert ask(state, search=f"a19{number % 10}").matching > 0
    assert len(texts._numbers) == texts_module._REMEMBERED
    assert all(len(chunk.known) == texts_module._REMEMBERED for chunk in texts._chunks)
    monkeypatch.setattr("flower.state.search.sieve.Sieve.places", None)
    before = ask(state, search="a199").matching
    monkeypatch.undo()
    state.apply(events(event, [("succeeded", 199)], 9000.0))
    assert ask(state, search="a199").matching == before
    assert ask(state, search="a199 succ").matching == 1


def test_searches_while_tasks_come_leave_no_small_chunks_behind(event: MakeEvent) -> None:
    state = State()
    state.apply(events(event, [("received", n) for n in range(1200)], 1.0))
    for turn in range(150):
        state.apply(events(event, [("received", 5000 + 10 * turn + n) for n in range(10)], 1000.0 + turn))
        ask(state, search="nowhere")
    assert len(state.tasks.texts._chunks) <= 2700 // (texts_module._DOCUMENTS // 2)


def test_large_texts_make_chunks_of_fewer_tasks_s64(event: MakeEvent) -> None:
    state = State()
    state.apply([event("task-received", f"{n}", args="x" * 60_000 + f" {n}") for n in range(1100)])
    assert ask(state, search="x 77").matching == len([n for n in range(1100) if "77" in str(n)])
    assert max(chunk.size for chunk in state.tasks.texts._chunks) < 2**21


@pytest.mark.parametrize("turn", [1, 5, 20, 39, 40, 41, 60])
def test_a_search_finds_everything_though_the_texts_are_given_up_meanwhile(
    event: MakeEvent, monkeypatch: pytest.MonkeyPatch, turn: int
) -> None:
    monkeypatch.setattr("flower.state.pace._SLICE", 0.0)
    monkeypatch.setattr(texts_module, "_DOCUMENTS", 64)
    state = State()
    state.apply(events(event, [("received", n) for n in range(2000)], 1.0))
    wanted = ask(state, search="a1 OR a2", limit=None).matching
    assert wanted > 500

    async def scenario() -> int:
        work = asyncio.ensure_future(state.tasks.query(TaskQuery(search="a1 OR a2 OR nowhere", limit=5)))
        for _ in range(turn):
            await asyncio.sleep(0)
        state.tasks.texts._clear()
        return (await work).matching

    assert asyncio.run(scenario()) == wanted


def test_what_is_made_ready_is_not_made_again_by_the_search(event: MakeEvent, monkeypatch: pytest.MonkeyPatch) -> None:
    made, number = 0, 5000
    chunks = texts_module.chunks

    def counted(records: list[TaskRecord]) -> Any:
        nonlocal made
        made += len(records)
        return chunks(records)

    async def go() -> tuple[int, int, int]:
        state.tasks.prepare_search()
        state.tasks.prepare_search()
        assert made == 0  # it returns at once
        await asyncio.gather(*asyncio.all_tasks() - {asyncio.current_task()})
        ready = made
        state.tasks.prepare_search()
        page = await state.tasks.query(TaskQuery(search="a7", limit=1))
        return ready, made, page.matching

    monkeypatch.setattr(texts_module, "chunks", counted)
    state = State(max_tasks=number)
    state.apply(events(event, [("received", n) for n in range(number)], 1.0))
    found = sum("a7" in f"a{n}" and n % 4 != 0 for n in range(number))
    assert asyncio.run(go()) == (number, number, found)
