"""All tasks by any field: what comes first in each piece of the order of change, found out when somebody looks.

A full piece only loses tasks, for one that changes moves on to the newest piece. What came first in a piece thus bounds
what does later, however many events arrive: an order costs nothing until it is read, and little when it is read again.
"""

from __future__ import annotations

import time
from bisect import insort
from collections.abc import Callable, Collection, Iterator
from itertools import islice
from operator import attrgetter
from typing import Any

from msgspec import Struct

from flower.state.changed import ChangeOrder, Piece
from flower.state.orders import Key, fold, is_numeric, sort_key, sort_value
from flower.state.pace import Pace
from flower.state.tasks import TaskRecord

__all__ = ["FieldOrder", "FieldOrders"]

_SOME = 64
_MAX_LIVE = 8
_IDLE_SECONDS = 3600.0


class _Run(Struct):
    """The first keys of a piece, in order; behind `last` there may be more.

    All of them were in the piece when it had so many tasks as `size` says.
    """

    keys: list[Key]
    last: Key | None
    size: int


class FieldOrder:
    """All tasks by one field in one direction."""

    def __init__(self, changed: ChangeOrder, field: str, *, descending: bool) -> None:
        self.used_at = 0.0
        self._changed = changed
        self._descending = descending
        self._raw, self._value, self._key = attrgetter(field), sort_value(field), sort_key(field)
        self._numeric = is_numeric(field)
        self._heads: list[tuple[Key, int]] = []
        self._known: set[int] = set()
        self._runs: dict[int, _Run] = {}

    async def catch_up(self, pace: Pace) -> None:
        """Look into the pieces that were filled since the last time."""
        changed = self._changed
        if len(self._heads) > 2 * len(changed):
            self._forget()
        while missing := [number for number in changed.full() if number not in self._known]:
            for number in missing:
                piece = changed.piece(number)
                if piece and number not in self._known:
                    self._known.add(number)
                    insort(self._heads, (self._head(piece), number))
                await pace.maybe_rest()

    def walk(self) -> Iterator[str]:
        """Yield ids in order. The tasks must not change meanwhile, nor have changed since `catch_up`."""
        heads, down = self._heads, self._descending
        newest = self._changed.number
        runs = {newest: self._first(self._changed.newest)}
        waiting = [(runs[newest].keys[0], newest, 0)] if runs[newest].keys else []
        met = 0
        while True:
            while met < len(heads):
                place = -1 - met if down else met
                bound, number = heads[place]
                if waiting and (bound < waiting[-1][0] if down else bound > waiting[0][0]):
                    break
                run = runs[number] = self._run(number)
                if run.keys and run.keys[0] == bound:
                    insort(waiting, (bound, number, 0))
                    met += 1
                    continue
                del heads[place]  # that task has left; the next one stands further on, or there is none
                if run.keys:
                    insort(heads, (run.keys[0], number))
            if not waiting:
                return
            key, number, at = waiting.pop(-1 if down else 0)
            yield key[2]
            run, at = runs[number], at + 1
            if at == len(run.keys) and run.last is not None:
                self._complete(run, number)
            if at < len(run.keys):
                insort(waiting, (run.keys[at], number, at))

    def _forget(self) -> None:
        """Let go of the pieces that are gone."""
        self._heads = [(bound, number) for bound, number in self._heads if self._changed.piece(number)]
        self._known = {number for _, number in self._heads}
        self._runs = {number: run for number, run in self._runs.items() if number in self._known}

    def _head(self, piece: Piece) -> Key:
        """Return the key that comes first in a piece."""
        values = list(map(self._raw, piece.values()))
        if self._numeric:
            first = self._end(values)
            if first is not None and values.count(first) == 1:
                return True, first, next(islice(piece, values.index(first), None))
            uuids = [uuid for uuid, value in zip(piece, values, strict=True) if value == first]
        else:
            folded = {value: fold(value) for value in set(values)}  # many tasks share a name
            first = self._end(folded.values())
            uuids = [uuid for uuid, value in zip(piece, values, strict=True) if folded[value] == first]
        uuid = max(uuids) if self._descending else min(uuids)
        return (False, 0, uuid) if first is None else (True, first, uuid)

    def _end(self, values: Collection[Any]) -> Any:
        """Return the value that comes first."""
        known = [value for value in values if value is not None]
        if self._descending:
            return max(known, default=None)
        return min(known) if len(known) == len(values) else None

    def _run(self, number: int) -> _Run:
        """Return the first keys of a piece, without those of tasks that have left."""
        piece = self._changed.piece(number) or {}
        run = self._runs.get(number)
        if run is not None and run.size != len(piece):  # a full piece only loses tasks
            run.keys = [key for key in run.keys if key[2] in piece]
            run.size = len(piece)
        if run is None or not run.keys:
            run = self._runs[number] = self._first(piece)
        return run

    def _first(self, piece: Piece) -> _Run:
        rows = list(piece.values())
        if len(rows) > 2 * _SOME:
            rows = _first_by_value(rows, self._value, self._descending)
        keys = sorted(map(self._key, rows), reverse=self._descending)
        return _Run(keys[:_SOME], keys[_SOME - 1] if len(piece) > _SOME else None, len(piece))

    def _complete(self, run: _Run, number: int) -> None:
        """Add the keys that are still missing."""
        piece = self._changed.piece(number) or {}
        last, down = run.last, self._descending
        keys = [key for key in map(self._key, piece.values()) if last is None or (key < last if down else key > last)]
        run.keys += sorted(keys, reverse=down)
        run.last = None


def _first_by_value(rows: list[TaskRecord], value: Callable[[TaskRecord], Any], descending: bool) -> list[TaskRecord]:
    """Return those that may be among the first some, which saves making keys for the others."""
    values = list(map(value, rows))
    known = sorted(value for value in values if value is not None)
    missing = len(values) - len(known)
    if descending:
        if len(known) < _SOME:
            return rows
        least = known[-_SOME]
        return [row for row, known in zip(rows, values, strict=True) if known is not None and known >= least]
    if missing >= _SOME:
        return [row for row, known in zip(rows, values, strict=True) if known is None]
    if len(known) < _SOME:
        return rows
    most = known[_SOME - 1]
    return [row for row, known in zip(rows, values, strict=True) if known is None or known <= most]


class FieldOrders:
    """The orders that somebody looked at lately."""

    def __init__(self, changed: ChangeOrder, monotonic: Callable[[], float] = time.monotonic) -> None:
        self.live: dict[tuple[str, bool], FieldOrder] = {}
        self._changed = changed
        self._monotonic = monotonic

    async def of(self, field: str, pace: Pace, *, descending: bool) -> FieldOrder:
        """Return the order by a field, brought up to date."""
        order = self.live.get((field, descending))
        if order is None:
            if len(self.live) >= _MAX_LIVE:
                del self.live[min(self.live, key=lambda each: self.live[each].used_at)]
            order = self.live[field, descending] = FieldOrder(self._changed, field, descending=descending)
        order.used_at = self._monotonic()
        await order.catch_up(pace)
        return order

    def expire(self) -> None:
        """Give up what nobody used for an hour."""
        now = self._monotonic()
        for each in [each for each, order in self.live.items() if now - order.used_at > _IDLE_SECONDS]:
            del self.live[each]
