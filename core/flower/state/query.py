"""Answers task queries: finds out which tasks match, from indexes where they fit, else in slices."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple, Protocol

from flower.state.cursor import read_cursor
from flower.state.index import Group, Index
from flower.state.orders import ReceivedOrder, SortedOrders
from flower.state.pace import Pace
from flower.state.pages import Members, Order, Window, read_page
from flower.state.search import Search, parse
from flower.state.search.texts import Texts
from flower.state.tasks import FIELDS, TaskRecord
from flower_plugins import Page, QueryError, TaskQuery

__all__ = ["SORT_FIELDS", "Source", "answer"]

SORT_FIELDS = frozenset((*FIELDS, "queue"))

_FEW = 3000
_STEP = 64
_ALIASES = {"root": "root_id", "parent": "parent_id"}

_Test = Callable[[TaskRecord], bool]


class Source(Protocol):
    """What a query needs of the store."""

    @property
    def scans(self) -> asyncio.Semaphore:
        """Bounds how many queries that look at every candidate run at once."""

    @property
    def by_state(self) -> Index: ...
    @property
    def by_name(self) -> Index: ...
    @property
    def by_worker(self) -> Index: ...
    @property
    def received(self) -> ReceivedOrder: ...
    @property
    def orders(self) -> SortedOrders: ...
    @property
    def texts(self) -> Texts: ...

    def kept(self) -> Group:
        """Return all tasks by id, in order of change, oldest first."""


async def answer(source: Source, query: TaskQuery) -> Page:
    """Return the page a query asks for. Raise QueryError for a sort field, search or cursor that cannot be read."""
    order = _order(query)
    after = read_cursor(query.after, order.field, order.descending)
    search = parse(query.search)
    window = Window(max(0, query.offset), None if query.limit is None else max(0, query.limit), after)
    filters = _filters(source, query, search)
    ranges = _ranges(query)
    if not ranges and search.everything and len(filters) < 2:
        members = filters[0] if filters else None
        return await read_page(source, members, order, window, Pace())
    if len(ranges) == 1 and ranges[0].field == "received" and search.everything and not filters and not after:
        found = _received_page(source, ranges[0], order, window)
        if found is not None:
            return found
    async with source.scans:
        pace = Pace()
        matching = await _matching(source, filters, ranges, search, pace)
        return await read_page(source, Members([matching], in_order=False), order, window, pace)


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
    wanted = [
        (source.by_state, _wanted(query.state)),
        (source.by_state, search.state),
        (source.by_name, _wanted(query.name)),
        (source.by_worker, _wanted(query.worker)),
    ]
    members = [Members(index.matching(value), in_order=True) for index, value in wanted if value]
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


async def _matching(
    source: Source, filters: Sequence[Members], ranges: Sequence[_Range], search: Search, pace: Pace
) -> dict[str, TaskRecord]:
    """Return what matches, in no order. What is looked at is copied first: it may change while we rest."""
    in_ranges: list[_Test] = [each.test for each in ranges]
    tests: list[_Test] = [*(each.test for each in filters[1:]), *in_ranges]
    kept = source.kept()
    few = min((len(each) for each in filters), default=len(kept))
    received = next((each for each in ranges if each.field == "received"), None)
    if received is not None and (number := source.received.between(received.low, received.high)) < few:
        few = number
        uuids = list(source.received.range(received.low, received.high, 0, descending=True))
        rows: Iterable[TaskRecord] = [kept[uuid] for uuid in uuids]
        tests.extend(each.test for each in filters[:1])
    else:
        rows = filters[0].rows() if filters else list(dict.values(kept))
    if few > _FEW and search.looks_at_texts and await source.texts.update(kept, pace.maybe_rest):
        return await _search_texts(source, [*(each.test for each in filters), *in_ranges], search, pace)
    return await _scan(rows, tests, search, pace)


async def _scan(
    rows: Iterable[TaskRecord], tests: Sequence[_Test], search: Search, pace: Pace
) -> dict[str, TaskRecord]:
    matching: dict[str, TaskRecord] = {}
    for number, record in enumerate(rows):
        if not number % _STEP and pace.due:
            await pace.rest()
        if _passes(record, tests) and search.matches(record):
            matching[record.uuid] = record
    return matching


async def _search_texts(source: Source, tests: Sequence[_Test], search: Search, pace: Pace) -> dict[str, TaskRecord]:
    matching: dict[str, TaskRecord] = {}
    kept = source.kept()
    for uuids, decided in source.texts.candidates(search):
        if pace.due:
            await pace.rest()
        for number, uuid in enumerate(uuids):
            if not decided and not number % _STEP and pace.due:
                await pace.rest()
            record = kept.get(uuid)
            if record is not None and _passes(record, tests) and (decided or search.matches(record)):
                matching[uuid] = record
    return matching


def _passes(record: TaskRecord, tests: Sequence[_Test]) -> bool:
    return not tests or all(test(record) for test in tests)
