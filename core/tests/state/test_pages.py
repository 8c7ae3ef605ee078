"""Pages off indexes against a plain sort of everything."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable, Sequence
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flower.events.event import Event
from flower.state import State, TaskRecord, pages, query, selection
from flower.state.tasks import FIELDS
from flower_plugins import Page, QueryError, TaskQuery

MakeEvent = Callable[..., Event]
KINDS = ["sent", "received", "started", "succeeded", "failed", "retried", "progress"]


def ask(state: State, /, **fields: Any) -> Page:
    return asyncio.run(state.tasks.query(TaskQuery(**fields)))


def ids(rows: Sequence[Any]) -> list[str]:
    return [row.uuid for row in rows]


def crowd(event: MakeEvent, number: int, *, seed: int = 1, **options: Any) -> State:
    """A state after random events on tasks of few names and workers, received out of order."""
    chance = random.Random(seed)
    state = State(**options)
    events = []
    for n in range(number):
        uuid = f"{chance.randrange(number // 2):05}"
        fields: dict[str, Any] = {"name": chance.choice("aAbBc"), "hostname": f"w{chance.randrange(3)}@h"}
        kind = chance.choice(KINDS)
        if kind == "sent":
            fields["hostname"] = "gen1@web"
        if kind == "succeeded":
            fields["runtime"] = chance.random()
        events.append(event(f"task-{kind}", uuid, at=1000.0 + n + chance.random() * 50, clock=n + 1, **fields))
    state.apply(events)
    return state


def expected(state: State, *, sort_by: str, descending: bool, passing: Callable[[TaskRecord], bool]) -> list[str]:
    def key(record: TaskRecord) -> tuple[bool, Any, str]:
        value = getattr(record, sort_by)
        if value is None:
            return False, 0, record.uuid
        return True, value if isinstance(value, (int, float)) else str(value).casefold(), record.uuid

    rows = [record for record in state.tasks.kept().values() if passing(record)]
    return ids(sorted(rows, key=key, reverse=descending))


FILTERS: list[tuple[dict[str, Any], Callable[[TaskRecord], bool]]] = [
    ({}, lambda record: True),
    ({"state": "success"}, lambda record: record.state == "SUCCESS"),
    ({"name": "A"}, lambda record: (record.name or "").casefold() == "a"),
    ({"worker": "w1@h", "name": "b"}, lambda r: r.worker == "w1@h" and (r.name or "").casefold() == "b"),
    (
        {"received_start": 1200.0, "received_end": 1900.0},
        lambda r: r.received is not None and 1200 <= r.received <= 1900,
    ),
    (
        {"received_start": 1200.0, "state": "STARTED"},
        lambda r: r.received is not None and r.received >= 1200 and r.state == "STARTED",
    ),
    ({"started_end": 1500.0}, lambda record: record.started is not None and record.started <= 1500),
    ({"search": "name:b worker:w"}, lambda r: (r.name or "").casefold() == "b" and r.worker is not None),
    ({"search": "state:success name:c 1"}, lambda r: r.state == "SUCCESS" and r.name == "c" and "1" in plain(r)),
    ({"search": "1 -2"}, lambda record: "1" in (text := plain(record)) and "2" not in text),
    ({"search": "name:b OR 33"}, lambda record: (record.name or "").casefold() == "b" or "33" in plain(record)),
    (
        {"search": "NOT name:b started", "worker": "w1@h"},
        lambda r: ((r.name or "").casefold() != "b") and "started" in plain(r) and r.worker == "w1@h",
    ),
]


def plain(record: TaskRecord) -> str:
    texts = (record.uuid, record.name, record.state, record.worker, record.args, record.kwargs, record.result)
    return "\0".join(text or "" for text in texts).casefold()


@pytest.fixture(scope="module", params=["as they are", "made small"])
def limits(request: pytest.FixtureRequest) -> Any:
    """Every way to answer is taken by few tasks too when the limits between them are small."""
    with pytest.MonkeyPatch.context() as patch:
        if request.param == "made small":
            patch.setattr(query, "_FEW", 10)
            patch.setattr(query, "_MANY", 1000)
            patch.setattr(pages, "_FEW", 10)
            patch.setattr(pages, "_NEAR", 60)
            patch.setattr(selection, "_STEP", 16)
            patch.setattr(pages, "_STRIDE", 16)
            patch.setattr(pages, "_WALK", 128)
            patch.setattr(pages, "_LISTED", 200)
            patch.setattr(pages, "_RUN", 30)
        yield request.param


@pytest.fixture(scope="module")
def crowded(event: MakeEvent) -> State:
    return crowd(event, 3000, max_tasks=700)


@pytest.mark.parametrize("sort_by", ["", "received", "name", "worker", "runtime", "uuid"])
@pytest.mark.parametrize("descending", [True, False])
@pytest.mark.parametrize("number", range(len(FILTERS)))
def test_every_page_agrees_with_a_plain_sort(
    crowded: State, limits: str, number: int, sort_by: str, descending: bool
) -> None:
    fields, passing = FILTERS[number]
    down = descending or not sort_by
    rows = expected(crowded, sort_by=sort_by or "order", descending=down, passing=passing)
    assert rows
    for offset, limit in ((0, 7), (3, 20), (len(rows) - 2, 5), (290, 40), (len(rows), 3), (0, None), (2, None)):
        page = ask(crowded, sort_by=sort_by, descending=descending, offset=offset, limit=limit, **fields)
        stop = None if limit is None else offset + limit
        assert (ids(page.rows), page.matching) == (rows[offset:stop], len(rows))


@pytest.mark.parametrize("sort_by", ["", "received"])
@pytest.mark.parametrize("descending", [True, False])
@pytest.mark.parametrize("number", range(len(FILTERS)))
def test_cursors_lead_through_everything_once(
    crowded: State, limits: str, number: int, sort_by: str, descending: bool
) -> None:
    fields, passing = FILTERS[number]
    rows = expected(crowded, sort_by=sort_by or "order", descending=descending or not sort_by, passing=passing)
    found: list[str] = []
    after = ""
    for _ in range(len(rows)):
        page = ask(crowded, sort_by=sort_by, descending=descending, limit=37, after=after, **fields)
        found += ids(page.rows)
        after = page.next
        if not after:
            break
    assert found == rows


@pytest.mark.parametrize("descending", [True, False])
@pytest.mark.parametrize("number", range(len(FILTERS)))
def test_cursors_lead_back_the_same_way(crowded: State, limits: str, number: int, descending: bool) -> None:
    fields, passing = FILTERS[number]
    rows = expected(crowded, sort_by="received", descending=descending, passing=passing)
    order = {"sort_by": "received", "descending": descending, "limit": 37, **fields}
    last = ask(crowded, offset=max(0, len(rows) - 10), **order)
    found, before = ids(last.rows), last.previous
    while before:
        page = ask(crowded, before=before, **order)
        assert page.matching == len(rows)
        if page.rows:
            assert ids(ask(crowded, after=page.next, **order).rows) == found[:37]
        found, before = ids(page.rows) + found, page.previous
    assert found == rows


def test_a_first_page_has_none_before_it(crowded: State) -> None:
    assert ask(crowded, sort_by="received", descending=True, limit=5).previous == ""
    for fields in ({"sort_by": "name"}, {}):
        assert ask(crowded, limit=5, offset=5, **fields).previous == ""
        with pytest.raises(QueryError, match="go back"):
            ask(crowded, before="W10", **fields)
    cursor = ask(crowded, sort_by="received", limit=5, offset=5).previous
    with pytest.raises(QueryError, match="not both"):
        ask(crowded, sort_by="received", before=cursor, after=cursor)


def test_a_cursor_goes_on_where_it_was_when_tasks_have_come_since(event: MakeEvent) -> None:
    state = State()
    state.apply([event("task-received", f"{n:03}", at=float(n)) for n in range(100)])
    orders: list[dict[str, Any]] = [{}, {"sort_by": "received", "descending": True}]
    for fields in orders:
        everything = ids(ask(state, limit=None, **fields).rows)
        first = ask(state, limit=10, **fields)
        new = [event("task-received", f"new {len(state.tasks)} {n}", at=2000.0 + len(state.tasks)) for n in range(25)]
        state.apply(new)
        second = ask(state, limit=10, after=first.next, **fields)
        assert ids([*first.rows, *second.rows]) == everything[:20]
    assert ask(state, limit=3, sort_by="name").next == ""


@pytest.mark.parametrize("cursor", ["x", "é", "W10", "WyIiLHRydWUsbnVsbCw1XQ", "A" * 3000, "bnVsbA"])
def test_a_foreign_cursor_is_refused(crowded: State, cursor: str) -> None:
    with pytest.raises(QueryError, match="cursor"):
        ask(crowded, after=cursor)


def test_a_cursor_of_another_order_is_refused(crowded: State) -> None:
    cursor = ask(crowded, limit=1).next
    with pytest.raises(QueryError, match="another order"):
        ask(crowded, sort_by="received", after=cursor)
    with pytest.raises(QueryError, match="default order"):
        ask(crowded, sort_by="name", after=cursor)


@settings(max_examples=40, deadline=None)
@given(data=st.data())
def test_a_text_index_that_follows_changes_finds_what_a_scan_finds(event: MakeEvent, data: st.DataObject) -> None:
    state = State(max_tasks=60)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(query, "_FEW", -1)
        patch.setattr("flower.state.search.texts._DOCUMENTS", 8)
        for turn in range(4):
            picks = data.draw(st.lists(st.tuples(st.sampled_from(KINDS), st.integers(0, 90)), max_size=60))
            state.apply(
                [
                    event(
                        f"task-{k}",
                        f"t{n}",
                        at=float(turn),
                        name=f"name{n % 7}ß",
                        result=f"r{n % 5}",
                        kwargs=f"{{'n': {n % 3}}}" if n % 2 else f"{{'n':{n % 3}}}",
                    )
                    for k, n in picks
                ]
            )
            for text, passing in (
                ("name3", lambda r: "name3" in plain(r)),
                ("r1 -STARTED", lambda r: "r1" in plain(r) and "started" not in plain(r)),
                ("kwargs:n=1", lambda r: (r.kwargs or "").endswith("1}")),
                ("kwargs:n=1 -r2", lambda r: (r.kwargs or "").endswith("1}") and "r2" not in plain(r)),
                ("NAME2SS OR t1", lambda r: "name2ss" in plain(r) or "t1" in plain(r)),
            ):
                wanted = expected(state, sort_by="order", descending=True, passing=passing)
                page = ask(state, search=text, limit=None)
                assert (ids(page.rows), page.matching) == (wanted, len(wanted))


def test_a_text_index_is_given_up_when_it_grows_too_large_or_nobody_searches(
    event: MakeEvent, monkeypatch: pytest.MonkeyPatch
) -> None:
    state = State()
    state.apply([event("task-received", f"{n}", args="x" * 50) for n in range(3500)])
    assert ask(state, search="x 77").matching == len([n for n in range(3500) if "77" in str(n)])
    assert state.tasks.texts.live
    monkeypatch.setattr("flower.state.search.texts._IDLE_SECONDS", -1.0)
    state.tick()
    assert not state.tasks.texts.live
    monkeypatch.setattr("flower.state.search.texts._MAX_BYTES", 1000)
    assert ask(state, search="x 77").matching == len([n for n in range(3500) if "77" in str(n)])
    assert not state.tasks.texts.live


def test_a_search_that_is_cancelled_leaves_nothing_out(event: MakeEvent) -> None:
    state = State()
    state.apply([event("task-received", f"{n}") for n in range(20_000)])

    async def scenario() -> Page:
        for turns in (1, 3):
            work = asyncio.ensure_future(state.tasks.query(TaskQuery(search="12345")))
            for _ in range(turns):
                await asyncio.sleep(0)
            work.cancel()
            await asyncio.wait([work])
        return await state.tasks.query(TaskQuery(search="12345"))

    assert ids(asyncio.run(scenario()).rows) == ["12345"]


def test_every_field_can_be_sorted_by_while_tasks_change(event: MakeEvent) -> None:
    state = crowd(event, 400)
    for field in FIELDS:
        assert ask(state, sort_by=field, limit=None).matching == len(state.tasks)
