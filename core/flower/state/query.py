"""Answers task queries: from an index where one fits, else in slices that leave the loop free."""

from __future__ import annotations

import asyncio
import heapq
from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from time import perf_counter
from typing import Any, Protocol

from flower.state.search import Search, parse
from flower.state.tasks import FIELDS, NUMERIC_FIELDS, TaskRecord
from flower_plugins import Page, QueryError, TaskQuery

__all__ = ["SORT_FIELDS", "Source", "answer"]

SORT_FIELDS = frozenset((*FIELDS, "queue"))

_SLICE = 0.004
_RUN = 1000
_SHALLOW = 5000
_SORTED_CHARACTERS = 200
_ALIASES = {"root": "root_id", "parent": "parent_id"}

_Key = tuple[bool, Any, str]
_Keyed = tuple[_Key, TaskRecord]
_Test = Callable[[TaskRecord], bool]


class Source(Protocol):
    """What a query needs of the store: dicts by id, oldest change first; the groups are plain dicts."""

    @property
    def scans(self) -> asyncio.Semaphore:
        """Bounds how many queries that look at every candidate run at once."""

    def kept(self) -> dict[str, TaskRecord]: ...
    def by_state(self, state: str) -> dict[str, TaskRecord]: ...
    def by_name(self, name: str) -> dict[str, TaskRecord]: ...
    def by_worker(self, hostname: str) -> dict[str, TaskRecord]: ...


async def answer(source: Source, query: TaskQuery) -> Page:
    """Return the page a query asks for. Raise QueryError for a sort field or search text that cannot be read."""
    sort_by = _ALIASES.get(query.sort_by, query.sort_by)
    if sort_by and sort_by not in SORT_FIELDS:
        expected = ", ".join(sorted(SORT_FIELDS))
        raise QueryError(f"Invalid sort_by {query.sort_by[:100]!r}, expected one of {expected}")
    search = parse(query.search)
    states = [state for state in (_wanted(query.state), search.state) if state]
    groups = [source.by_state(state) for state in states]
    tests: list[_Test] = []
    if name := _wanted(query.name):
        groups.append(source.by_name(name))
    if worker := _wanted(query.worker):
        groups.append(source.by_worker(worker))
    groups.sort(key=len)
    tests.extend(_member(group) for group in groups[1:])
    tests.extend(_time_tests(query))
    candidates = groups[0] if groups else source.kept()
    kept = len(source.kept())
    start, stop = _bounds(query, len(candidates))
    if not tests and not sort_by and search.everything and (groups or stop <= _SHALLOW):
        return Page(_slice(candidates, start, stop), len(candidates), kept)
    async with source.scans:
        pace = _Pace()
        matching = await _filter(candidates, tests, search, pace)
        count = len(matching)
        if groups and not sort_by:
            return Page(matching[start:stop], count, kept)
        descending = query.descending if sort_by else True
        return Page(await _sorted_page(matching, sort_by or "order", descending, start, stop, pace), count, kept)


class _Pace:
    """Yields to the loop when a slice of time is used up."""

    def __init__(self) -> None:
        self._deadline = perf_counter() + _SLICE

    async def rest(self) -> None:
        await asyncio.sleep(0)
        self._deadline = perf_counter() + _SLICE

    @property
    def due(self) -> bool:
        return perf_counter() > self._deadline


def _wanted(value: str) -> str:
    return "" if value.casefold() == "all" else value


def _bounds(query: TaskQuery, count: int) -> tuple[int, int]:
    start = max(0, query.offset)
    return start, count if query.limit is None else start + max(0, query.limit)


def _slice(group: dict[str, TaskRecord], start: int, stop: int) -> Sequence[TaskRecord]:
    """Return part of a group, newest change first; near the newest end without looking at the rest."""
    if stop <= _SHALLOW:
        return [group[uuid] for uuid in islice(reversed(group), start, stop)]
    rows = list(group.values())
    rows.reverse()
    return rows[start:stop]


def _member(group: dict[str, TaskRecord]) -> _Test:
    return lambda record: record.uuid in group


def _time_tests(query: TaskQuery) -> Iterator[_Test]:
    for field, start, end in (
        ("received", query.received_start, query.received_end),
        ("started", query.started_start, query.started_end),
    ):
        if start is not None or end is not None:
            low = float("-inf") if start is None else start
            high = float("inf") if end is None else end
            yield _between(field, low, high)


def _between(field: str, low: float, high: float) -> _Test:
    def test(record: TaskRecord) -> bool:
        value = getattr(record, field)
        return value is not None and low <= value <= high

    return test


async def _filter(
    candidates: dict[str, TaskRecord], tests: Sequence[_Test], search: Search, pace: _Pace
) -> list[TaskRecord]:
    """Return what passes, of one group newest change first, of all tasks in no order.

    The candidates are copied: they may change while we rest. Of an OrderedDict, the order of the
    plain dict below is a hundred times faster to copy.
    """
    rows = list(dict.values(candidates))
    rows.reverse()
    if not tests and search.everything:
        return rows
    matching = []
    for record in rows:
        if pace.due:
            await pace.rest()
        if all(test(record) for test in tests) and search.matches(record):
            matching.append(record)
    return matching


async def _sorted_page(
    rows: Sequence[TaskRecord], sort_by: str, descending: bool, start: int, stop: int, pace: _Pace
) -> Sequence[TaskRecord]:
    """Sort short runs, then merge no more of them than the page needs."""
    if start >= stop:
        return []
    key = _key(sort_by)
    runs: list[list[_Keyed]] = []
    for first in range(0, len(rows), _RUN):
        run: list[_Keyed] = []
        for record in rows[first : first + _RUN]:
            if pace.due:
                await pace.rest()
            run.append((key(record), record))
        run.sort(key=_first, reverse=descending)
        runs.append(run[:stop])
    page = []
    for place, (_, record) in enumerate(heapq.merge(*runs, key=_first, reverse=descending)):
        if place >= stop:
            break
        if pace.due:
            await pace.rest()
        if place >= start:
            page.append(record)
    return page


def _first(keyed: _Keyed) -> _Key:
    return keyed[0]


def _key(field: str) -> Callable[[TaskRecord], _Key]:
    """Missing values come first, ties are broken by id; descending is the exact reverse."""
    numeric = field == "order" or field in NUMERIC_FIELDS

    def key(record: TaskRecord) -> _Key:
        value = getattr(record, field)
        if value is None:
            return False, 0, record.uuid
        return True, value if numeric else str(value)[:_SORTED_CHARACTERS].casefold(), record.uuid

    return key
