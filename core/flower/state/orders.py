"""Tasks in the order of a field: by time of receipt always, by any other field while somebody looks at it."""

from __future__ import annotations

import asyncio
import heapq
import time
from collections.abc import Awaitable, Callable, Iterable, Iterator
from itertools import chain, islice
from typing import Any

from sortedcontainers import SortedList

from flower.state.tasks import NUMERIC_FIELDS, TaskRecord

__all__ = ["Key", "ReceivedOrder", "SortedOrder", "SortedOrders", "sort_key"]

_MAX_LIVE = 2
_IDLE_SECONDS = 120.0
_SORTED_CHARACTERS = 200
_NEAR = 2000
_RUN = 1000
_STEP = 256
_LAST = "\U0010ffff" * 4  # sorts after every id

Key = tuple[bool, Any, str]
"""Whether there is a value, the value, and the id that breaks ties."""


def sort_key(field: str) -> Callable[[TaskRecord], Key]:
    """Return what tasks are sorted by: missing values come first, texts regardless of case, ties by id."""
    numeric = field == "order" or field in NUMERIC_FIELDS

    def key(record: TaskRecord) -> Key:
        value = getattr(record, field)
        if value is None:
            return False, 0, record.uuid
        return True, value if numeric else str(value)[:_SORTED_CHARACTERS].casefold(), record.uuid

    return key


class ReceivedOrder:
    """All tasks by time of receipt; those that were never received come first, by id."""

    def __init__(self) -> None:
        self._received: Any = SortedList()
        self._missing: dict[str, None] = {}

    def enter(self, uuid: str, received: float | None) -> None:
        """Take in a task."""
        if received is None:
            self._missing[uuid] = None
        else:
            self._received.add((received, uuid))

    def leave(self, uuid: str, received: float | None) -> None:
        """Let a task go."""
        if received is None:
            del self._missing[uuid]
        else:
            self._received.remove((received, uuid))

    def move(self, uuid: str, before: float | None, after: float | None) -> None:
        """Put a task where its new time of receipt belongs."""
        self.leave(uuid, before)
        self.enter(uuid, after)

    def walk(self, *, descending: bool, start: int = 0, after: Key | None = None) -> Iterator[str]:
        """Yield ids in order, from the one at `start` on, counted behind a key where there is one.

        The tasks must not change meanwhile.
        """
        if after is not None:
            return islice(self._beyond(after, descending), start, None)
        received = self._received
        if not descending:
            missing = len(self._missing)
            if start < missing:
                return chain(islice(sorted(self._missing), start, None), (uuid for _, uuid in received))
            return (uuid for _, uuid in _from(received, start - missing, descending=False))
        if start >= len(received):
            return islice(self._missing_down(), start - len(received), None)
        return chain((uuid for _, uuid in _from(received, start, descending=True)), self._missing_down())

    def between(self, low: float, high: float) -> int:
        """Return how many tasks were received in a range, its ends included."""
        received = self._received
        return int(received.bisect_left((high, _LAST)) - received.bisect_left((low, "")))

    def range(self, low: float, high: float, start: int, *, descending: bool) -> Iterator[str]:
        """Yield the ids of the tasks received in a range, in order, from the one at `start`."""
        received = self._received
        first, last = received.bisect_left((low, "")), received.bisect_left((high, _LAST))
        first, last = (first, last - start) if descending else (first + start, last)
        return (uuid for _, uuid in received.islice(first, last, descending)) if first < last else iter(())

    def ids(self, low: float, high: float) -> list[str]:
        """Return the ids of all tasks received in a range, by time of receipt."""
        received = self._received
        keys = list(received.islice(received.bisect_left((low, "")), received.bisect_left((high, _LAST))))
        return [uuid for _, uuid in keys]

    def _missing_down(self) -> Iterator[str]:
        """Sort only when somebody gets that far."""
        yield from sorted(self._missing, reverse=True)

    def _beyond(self, after: Key, descending: bool) -> Iterator[str]:
        there, value, uuid = after
        place = value, uuid
        if descending:
            if there:
                keys = self._received.irange(None, place, (True, False), reverse=True)
                return chain((key[1] for key in keys), self._missing_down())
            return (known for known in self._missing_down() if known < uuid)
        if there:
            return (key[1] for key in self._received.irange(place, None, (False, True)))
        return chain((known for known in sorted(self._missing) if known > uuid), (key[1] for key in self._received))


class SortedOrder:
    """All tasks by one field, kept up to date while it is in use."""

    def __init__(self, field: str) -> None:
        self.complete = False
        self.used_at = 0.0
        self._key = sort_key(field)
        self._keys: Any = SortedList()
        self._known: dict[str, Key] = {}
        self._late: dict[str, None] = {}
        self._building = asyncio.Lock()

    async def build(self, records: dict[str, TaskRecord], rest: Callable[[], Awaitable[None]]) -> None:
        """Take in all tasks, in steps between which `rest` is awaited; nothing to do where that was done.

        Short runs are sorted and merged, because adding one key after the other in no order takes a
        million tasks three times as long.
        """
        async with self._building:
            if self.complete:
                return
            # At its full size from the first, because a dict of a million that grows holds up the loop.
            # Until their turn comes the values are the wrong ones, which nobody reads while this is not complete.
            known: dict[str, Any] = dict.copy(records)
            self._keys, self._known, self._late = SortedList(), known, {}
            rows = list(dict.values(records))
            runs: list[list[Key]] = []
            for first in range(0, len(rows), _RUN):
                runs.append(sorted(map(self._key, rows[first : first + _RUN])))
                await rest()
            for number, key in enumerate(heapq.merge(*runs)):
                self._keys.add(key)
                self._known[key[2]] = key
                if not number % _STEP:
                    await rest()
            while len(self._late) > _STEP:  # what changed meanwhile; while we catch up, more does
                late, self._late = list(self._late), {}
                for first in range(0, len(late), _STEP):
                    self._catch_up(late[first : first + _STEP], records)
                    await rest()
            self._catch_up(self._late, records)
            self._late = {}
            self.complete = True

    def _catch_up(self, uuids: Iterable[str], records: dict[str, TaskRecord]) -> None:
        for uuid in uuids:
            record = records.get(uuid)
            if record is None:
                self._leave(uuid)
            else:
                self._place(record)

    def note(self, record: TaskRecord) -> None:
        """Put a new or changed task where it belongs."""
        if self.complete:
            self._place(record)
        else:
            self._late[record.uuid] = None

    def _place(self, record: TaskRecord) -> None:
        key, known = self._key(record), self._known.get(record.uuid)
        if key != known:
            if known is not None:
                self._keys.remove(known)
            self._known[record.uuid] = key
            self._keys.add(key)

    def drop(self, uuid: str) -> None:
        """Let a task go."""
        if self.complete:
            self._leave(uuid)
        else:
            self._late[uuid] = None

    def _leave(self, uuid: str) -> None:
        key = self._known.pop(uuid, None)
        if key is not None:
            self._keys.remove(key)

    def walk(self, *, descending: bool, start: int = 0) -> Iterator[str]:
        """Yield ids in order, from the one at `start`. The tasks must not change meanwhile."""
        return (key[2] for key in _from(self._keys, start, descending=descending))

    def shrink(self) -> bool:
        """Free a little of an order that is no longer used; return whether anything is left."""
        for _ in range(min(_STEP, len(self._keys))):
            self._keys.pop()
            self._known.popitem()
        return bool(self._keys)


class SortedOrders:
    """The orders in use, at most two; one that nobody asked for in two minutes is given up."""

    def __init__(self, monotonic: Callable[[], float] = time.monotonic) -> None:
        self.live: dict[str, SortedOrder] = {}
        self._monotonic = monotonic
        self._left: list[SortedOrder] = []

    async def of(
        self, field: str, records: dict[str, TaskRecord], rest: Callable[[], Awaitable[None]]
    ) -> SortedOrder | None:
        """Return the order by a field, made now if it is new; None if meanwhile it had to make room for others."""
        order = self.live.get(field)
        if order is None:
            if len(self.live) >= _MAX_LIVE:
                self._give_up(min(self.live, key=lambda name: self.live[name].used_at))
            order = self.live[field] = SortedOrder(field)
        order.used_at = self._monotonic()
        if not order.complete:
            while self.free():
                await rest()
            await order.build(records, rest)
        return order if self.live.get(field) is order else None

    def expire(self) -> None:
        """Give up what nobody used for a while."""
        now = self._monotonic()
        for field in [field for field, order in self.live.items() if now - order.used_at > _IDLE_SECONDS]:
            self._give_up(field)
        self.free()

    def free(self) -> bool:
        """Free a little of what was given up, for all at once would hold up the loop; tell whether more is left."""
        if self._left and not self._left[-1].shrink():
            self._left.pop()
        return bool(self._left)

    def note(self, record: TaskRecord) -> None:
        """Tell the orders of a new or changed task."""
        for order in self.live.values():
            order.note(record)

    def drop(self, uuid: str) -> None:
        """Tell the orders that a task is gone."""
        for order in self.live.values():
            order.drop(uuid)

    def _give_up(self, field: str) -> None:
        order = self.live.pop(field)
        if order.complete:
            self._left.append(order)


def _from(keys: Any, start: int, *, descending: bool) -> Iterator[Any]:
    """Yield from the place `start` on. Far in, the list's positions help; they cost every later change a little."""
    if start < _NEAR:
        return islice(reversed(keys) if descending else iter(keys), start, None)
    if descending:
        return iter(keys.islice(0, len(keys) - start, True)) if start < len(keys) else iter(())
    return iter(keys.islice(start))
