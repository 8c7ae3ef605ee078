"""Answers task queries: finds out which tasks match, from indexes where they fit, else in slices."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import NamedTuple, Protocol, cast

from msgspec.structs import replace

from flower.state.changed import ChangeOrder
from flower.state.cursor import read_cursor, write_cursor
from flower.state.field_orders import FieldOrders
from flower.state.index import Group, Index
from flower.state.losses import Losses, open_states
from flower.state.orders import Key, ReceivedOrder
from flower.state.pace import Pace
from flower.state.pages import Ids, Members, Order, ReceivedMembers, ValuedMembers, Window, read_page
from flower.state.search import Search, holds, parse
from flower.state.search.sieve import Sieve
from flower.state.search.syntax import All, Exact
from flower.state.search.texts import Texts
from flower.state.tasks import FIELDS, TaskRecord
from flower_plugins import Page, QueryError, Task, TaskQuery

__all__ = ["SORT_FIELDS", "Source", "answer"]

SORT_FIELDS = frozenset((*FIELDS, "queue"))

_FEW = 500
_MANY = 8
_MANY_OF_TEXTS = 64
_STEP = 64
_ALIASES = {"root": "root_id", "parent": "parent_id"}

_Test = Callable[[TaskRecord], bool]


class Source(Protocol):
    """What a query needs of the store."""

    @property
    def scans(self) -> asyncio.Semaphore:
        """Bounds how many queries that look at every candidate run at once."""

    @property
    def indexes(self) -> Mapping[str, Index]: ...
    @property
    def received(self) -> ReceivedOrder: ...
    @property
    def orders(self) -> FieldOrders: ...
    @property
    def texts(self) -> Texts: ...

    @property
    def losses(self) -> Losses: ...

    def is_lost(self, task: TaskRecord) -> bool:
        """Tell whether a task has not ended and its worker is gone."""

    @property
    def changed(self) -> ChangeOrder: ...

    def kept(self) -> Group:
        """Return all tasks by id."""


async def answer(source: Source, query: TaskQuery) -> Page:
    """Return the page a query asks for. Raise QueryError for a sort field, search or cursor that cannot be read."""
    order = _order(query)
    if query.before:
        return await _backwards(source, query, order)
    after = read_cursor(query.after, order.field, order.descending)
    page = await _forwards(source, query, order, after)
    if not page.rows or not (after or query.offset > 0):
        return page
    return replace(page, previous=_cursor(page.rows[0], order))


async def _backwards(source: Source, query: TaskQuery, order: Order) -> Page:
    """Go the other way round from the row the cursor was written for, and turn what is found."""
    if query.after:
        raise QueryError("A page is either after a cursor or before one, not both.")
    if order.field != "received":
        raise QueryError("A cursor can go back in the order by received only.")
    before = read_cursor(query.before, order.field, order.descending)
    found = await _forwards(source, query, Order(order.field, not order.descending), before)
    rows = found.rows[::-1]
    if not rows:
        return found
    previous = _cursor(rows[0], order) if found.next else ""
    return Page(rows, found.matching, found.kept, _cursor(rows[-1], order), previous)


def _cursor(task: Task, order: Order) -> str:
    """Return the cursor of a row where its order can be gone through in both directions."""
    record = cast(TaskRecord, task)  # the store's own, which plugins know as Task
    return write_cursor(record, order.field, order.descending) if order.field == "received" else ""


async def _forwards(source: Source, query: TaskQuery, order: Order, after: Key | None) -> Page:
    search = parse(query.search)
    window = Window(max(0, query.offset), None if query.limit is None else max(0, query.limit), after)
    filters = _filters(source, query, search)
    ranges = _ranges(query)
    if any(len(members) == 0 for members in filters):
        return Page([], 0, len(source.kept()))
    if not ranges and search.everything and len(filters) < 2:
        members = filters[0] if filters else None
        return await read_page(source, members, order, window, Pace())
    if len(ranges) == 1 and ranges[0].field == "received" and search.everything and not filters:
        found = None if after else _received_page(source, ranges[0], order, window)
        if found is not None:
            return found
        received = ReceivedMembers(source.received, source.kept(), ranges[0].low, ranges[0].high)
        return await read_page(source, received, order, window, Pace())
    async with source.scans:
        pace = Pace()
        matching = await _found(source, filters, _wholes(query), search, pace)
        if matching is None:
            test = None if search.everything else partial(search.left_matches, is_lost=source.is_lost)
            matching = await _matching(source, filters, ranges, test, pace)
        elif ranges or search.has_rest:
            # Those whose worker is gone are found by looking at records: the index is for when that is all.
            matching = await _matching(
                source, [matching], ranges, partial(search.rest_matches, is_lost=source.is_lost), pace
            )
        return await read_page(source, matching, order, window, pace)


class _Range(NamedTuple):
    field: str
    low: float
    high: float

    def test(self, record: TaskRecord) -> bool:
        value = record.received if self.field == "received" else record.started
        return value is not None and self.low <= value <= self.high


def _order(query: TaskQuery) -> Order:
    field = _ALIASES.get(query.sort_by, query.sort_by)
    if field and field not in SORT_FIELDS:
        expected = ", ".join(sorted(SORT_FIELDS))
        raise QueryError(f"Invalid sort_by {query.sort_by[:100]!r}, expected one of {expected}")
    return Order(field, query.descending if field else True)


def _filters(source: Source, query: TaskQuery, search: Search) -> list[Members]:
    """Return the groups that every match is in, the smallest first."""
    kept, indexes = source.kept(), source.indexes
    wanted = {"state": query.state, "name": query.name, "worker": query.worker, "queue": query.queue}
    members = [
        Members(indexes[field].matching(value), in_order=True) for field, value in wanted.items() if _wanted(value)
    ]
    for term in search.indexed:
        index = indexes[term.field]
        if term.field == "state":
            members.append(Members(index.matching(term.text), in_order=True))
        else:
            members.append(ValuedMembers(term.field, index.holding(term.text), kept))
    if search.only_lost:
        states, workers = indexes["state"].groups, indexes["worker"].groups
        members.append(Members([states[state] for state in open_states(states)], in_order=False))
        gone = source.losses.workers()
        groups: list[Ids] = [workers[hostname] for hostname in gone if hostname in workers]
        left = (uuid for uuid in source.losses.abandoned() if uuid in kept)
        groups.append({uuid: None for uuid in left if kept[uuid].worker not in gone})
        members.append(Members(groups, in_order=False))
    return sorted(members, key=len)


def _wanted(value: str) -> str:
    return "" if value.casefold() == "all" else value


def _ranges(query: TaskQuery) -> list[_Range]:
    bounds = (
        ("received", query.received_start, query.received_end),
        ("started", query.started_start, query.started_end),
    )
    return [
        _Range(field, float("-inf") if low is None else low, float("inf") if high is None else high)
        for field, low, high in bounds
        if low is not None or high is not None
    ]


def _received_page(source: Source, received: _Range, order: Order, window: Window) -> Page | None:
    """Read a page of tasks received in a range off the order by time of receipt, if that is the order asked for."""
    if order.field != "received" or window.size is None:
        return None
    kept = source.kept()
    uuids = source.received.range(received.low, received.high, window.start, descending=order.descending)
    rows = [kept[uuid] for _, uuid in zip(range(window.size), uuids)]  # noqa: B905 (the shorter one ends it)
    return window.page(rows, source.received.between(received.low, received.high), len(kept), order)


def _wholes(query: TaskQuery) -> list[Exact]:
    """Return the filters in the words of searches."""
    wanted = (("state", query.state), ("name", query.name), ("worker", query.worker))
    return [Exact(field, _wanted(value).casefold()) for field, value in wanted if _wanted(value)]


async def _found(
    source: Source, filters: Sequence[Members], wholes: Sequence[Exact], search: Search, pace: Pace
) -> Members | None:
    """Return what texts find, None where it is faster to look at each of the few that pass the filters."""
    kept, texts = source.kept(), source.texts
    few = min((len(each) for each in filters), default=len(kept))
    if search.everything or search.in_texts is None:
        return None
    if few <= max(_FEW, len(kept) // (_MANY_OF_TEXTS if texts.live else _MANY)):
        return None
    node = All((search.in_texts, *wholes)) if wholes else search.in_texts
    return await texts.find(Sieve(node), kept, lambda record: holds(node, record), pace)


async def _matching(
    source: Source, filters: Sequence[Members], ranges: Sequence[_Range], test: _Test | None, pace: Pace
) -> Members:
    """Return what passes. What is looked at is copied first: it may change while we rest."""
    kept = source.kept()
    few = min((len(each) for each in filters), default=len(kept))
    received = next((each for each in ranges if each.field == "received"), None)
    in_order, others = False, filters[1:]
    if received is not None and source.received.between(received.low, received.high) < few:
        others = filters
        uuids = source.received.ids(received.low, received.high)
    elif filters:
        in_order = filters[0].ordered is not None
        uuids = filters[0].uuids()
    else:
        uuids = list(dict.keys(kept))
    tests: list[_Test] = [each.test for each in ranges]
    if test is not None:
        tests.append(test)
    matching: dict[str, None] = {}
    for first in range(0, len(uuids), _STEP):
        if pace.due:
            await pace.rest()
        step = uuids[first : first + _STEP]
        for members in others:
            step = members.among(step)
        if tests:
            rows = [kept[uuid] for uuid in step if uuid in kept]
            step = [record.uuid for record in rows if all(test(record) for test in tests)]
        matching.update(dict.fromkeys(step))
    return Members([matching], in_order=in_order)
