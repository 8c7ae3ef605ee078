"""Reads one page of the tasks that match: off an order that is there already, else by sorting them."""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import chain, islice
from operator import attrgetter
from typing import Protocol

from msgspec import Struct

from flower.state.changed import ChangeOrder
from flower.state.cursor import write_cursor
from flower.state.field_orders import FieldOrders
from flower.state.index import Group
from flower.state.orders import Key, ReceivedOrder, sort_key, sort_value
from flower.state.pace import Pace
from flower.state.selection import first_of
from flower.state.tasks import TaskRecord
from flower_plugins import Page

__all__ = ["Ids", "Members", "Order", "Orders", "ReceivedMembers", "ValuedMembers", "Window", "read_page"]

_FEW = 1000
_WALK = 16_384
_STRIDE = 1024
_SHORT = 64
_RUN = 1000
_STEP = 512
_LISTED = 10_000
_FULL = 4
_NEAR = 2000


Ids = dict[str, TaskRecord] | dict[str, None]


class Members:
    """The tasks of one or more groups that share none; `in_order` says whether each is in order of change."""

    def __init__(self, groups: Sequence[Ids], *, in_order: bool) -> None:
        self.groups = groups
        self.in_order = in_order

    def __len__(self) -> int:
        return sum(map(len, self.groups))

    @property
    def ordered(self) -> Ids | None:
        """The one group, oldest change first, if there is such a one."""
        return self.groups[0] if self.in_order and len(self.groups) == 1 else None

    def test(self, record: TaskRecord) -> bool:
        """Tell whether a task is among these."""
        uuid = record.uuid
        return any(uuid in group for group in self.groups) if len(self.groups) != 1 else uuid in self.groups[0]

    def among(self, uuids: list[str]) -> list[str]:
        """Return those of some ids that are among these."""
        if len(self.groups) == 1:
            group = self.groups[0]
            return [uuid for uuid in uuids if uuid in group]
        return [uuid for uuid in uuids if any(uuid in group for group in self.groups)]

    def uuids(self) -> list[str]:
        """Return a copy of the ids."""
        return list(chain.from_iterable(self.groups))


class ValuedMembers(Members):
    """The tasks with one of several values of a field."""

    def __init__(self, field: str, groups: Mapping[str, Group], kept: Group) -> None:
        super().__init__(list(groups.values()), in_order=True)
        self._value, self._values, self._kept = attrgetter(field), frozenset(groups), kept

    def test(self, record: TaskRecord) -> bool:
        """Tell whether a task has one of the values."""
        return self._value(record) in self._values

    def among(self, uuids: list[str]) -> list[str]:
        """Return those of some ids whose task has one of the values."""
        if len(self.groups) == 1:
            return super().among(uuids)
        value, values, kept = self._value, self._values, self._kept
        return [uuid for uuid in uuids if uuid in kept and value(kept[uuid]) in values]


class ReceivedMembers(Members):
    """The tasks received in a range of time, its ends included; counted without being listed."""

    def __init__(self, received: ReceivedOrder, kept: Group, low: float, high: float) -> None:
        super().__init__((), in_order=False)
        self._received, self._kept, self._low, self._high = received, kept, low, high

    def __len__(self) -> int:
        return self._received.between(self._low, self._high)

    def test(self, record: TaskRecord) -> bool:
        """Tell whether a task was received in the range."""
        return record.received is not None and self._low <= record.received <= self._high

    def among(self, uuids: list[str]) -> list[str]:
        """Return those of some ids whose task was received in the range."""
        kept = self._kept
        return [uuid for uuid in uuids if self.test(kept[uuid])]

    def uuids(self) -> list[str]:
        """Return the ids, by time of receipt."""
        return self._received.ids(self._low, self._high)


class Order(Struct, frozen=True):
    """What to sort by; the field "" is the order of change, newest first."""

    field: str
    descending: bool


class Window(Struct, frozen=True):
    """Which rows: from `start` on, counted behind `after` where that is given; `size` None for all of them."""

    start: int
    size: int | None
    after: Key | None = None

    def stop(self, count: int) -> int:
        """Return the place behind the last row, of `count` that there are."""
        return count if self.size is None else self.start + self.size

    def page(self, rows: Sequence[TaskRecord], matching: int, kept: int, order: Order) -> Page:
        """Make a page, with a cursor if there may be more."""
        more = rows and len(rows) == self.size and (self.after is not None or self.start + len(rows) < matching)
        return Page(rows, matching, kept, write_cursor(rows[-1], order.field, order.descending) if more else "")


class Orders(Protocol):
    """The orders that the store keeps."""

    @property
    def received(self) -> ReceivedOrder: ...
    @property
    def orders(self) -> FieldOrders: ...
    @property
    def changed(self) -> ChangeOrder: ...
    def kept(self) -> Group: ...


async def read_page(source: Orders, members: Members | None, order: Order, window: Window, pace: Pace) -> Page:
    """Return a page of some tasks, or of all for `members` None."""
    kept = source.kept()
    count = len(kept) if members is None else len(members)
    stop = window.stop(count)
    if window.start >= stop or not count:
        return Page([], count, len(kept))
    rows: Sequence[TaskRecord] | None = None
    if members is None or count > _FEW or (members.ordered is not None and not order.field):
        rows = await _walked(source, members, order, window, pace)
    if rows is None and not order.field and window.after is None and _FULL * count > len(kept):
        rows = await _passed(source, members, window, pace)
    if rows is None:
        every = list(dict.values(kept)) if members is None else await _records(kept, members.uuids(), pace)
        rows = await _looked_for(every, order, window, stop, pace)
    return window.page(rows, count, len(kept), order)


async def _passed(source: Orders, members: Members | None, window: Window, pace: Pace) -> list[TaskRecord]:
    """Go through a copy of the whole order of change: of many tasks that is less work than sorting them."""
    kept, stop = source.kept(), None if window.size is None else window.start + window.size
    ordered = None if members is None else members.ordered
    uuids = source.changed.ids() if ordered is None else list(reversed(ordered))
    if members is None or ordered is not None:
        return await _records(kept, uuids[window.start : stop], pace)
    found: list[str] = []
    for first in range(0, len(uuids), _STRIDE):
        found += members.among([uuid for uuid in uuids[first : first + _STRIDE] if uuid in kept])
        if stop is not None and len(found) >= stop:
            break
        await pace.maybe_rest()
    return await _records(kept, found[window.start : stop], pace)


async def _records(kept: Group, uuids: Sequence[str], pace: Pace) -> list[TaskRecord]:
    """Return the tasks of these ids, of those that are still there."""
    rows: list[TaskRecord] = []
    for first in range(0, len(uuids), _STRIDE):
        rows += [kept[uuid] for uuid in uuids[first : first + _STRIDE] if uuid in kept]
        await pace.maybe_rest()
    return rows


async def _walked(
    source: Orders, members: Members | None, order: Order, window: Window, pace: Pace
) -> list[TaskRecord] | None:
    """Walk along an order until the page is full; None where that would take too many steps, or no order is there.

    There is no rest on the way, for the order may change meanwhile.
    """
    kept = source.kept()
    if not order.field:
        ordered = None if members is None else members.ordered
        if ordered is not None:
            return _taken(iter(reversed(ordered)), kept, None, window)
        if window.after is not None:
            uuids = source.changed.walk_before(int(window.after[1]))
            return _taken(uuids, kept, members, Window(window.start, window.size))
        jump = window.start if members is None else 0
        return _taken(source.changed.walk(jump), kept, members, Window(window.start - jump, window.size))
    if order.field == "received":
        if members is not None and window.size is not None:
            need = window.start + window.size
            if need * len(kept) > len(members) * _WALK:
                return None  # they stand too far apart to be met in time
        jump = window.start if members is None else 0
        uuids = source.received.walk(descending=order.descending, start=jump, after=window.after)
        return _taken(uuids, kept, members, Window(window.start - jump, window.size))
    if window.size is None or window.start + window.size > _NEAR:
        return None
    if members is not None and _FULL * len(members) < len(kept):
        return None
    by_field = await source.orders.of(order.field, pace, descending=order.descending)
    return _taken(by_field.walk(), kept, members, window)


def _taken(uuids: Iterator[str], kept: Group, members: Members | None, window: Window) -> list[TaskRecord] | None:
    if window.size is None:
        return None
    need = window.start + window.size
    if members is None and window.after is None:
        if window.size > _LISTED:
            return None
        return [kept[uuid] for uuid in islice(uuids, window.start, need) if uuid in kept]
    found: list[str] = []
    walked, stride = 0, min(max(_SHORT, 2 * need), _STRIDE)
    while walked < _WALK:
        step = list(islice(uuids, stride))
        walked, stride = walked + stride, min(stride * 2, _STRIDE)
        known = step if members is None else members.among(step)
        if window.after is not None:
            newest = window.after[1]
            known = [uuid for uuid in known if kept[uuid].order < newest]
        found += known
        if len(found) >= need or not step:
            return [kept[uuid] for uuid in found[window.start : need] if uuid in kept]
    return None


async def _looked_for(
    rows: Sequence[TaskRecord], order: Order, window: Window, stop: int, pace: Pace
) -> Sequence[TaskRecord]:
    """Look at every one of some tasks for those on the page."""
    after = window.after
    if after is not None and not order.field:
        after = True, after[1], ""
    field, down = order.field or "order", order.descending
    if stop <= _NEAR:
        return (await first_of(rows, sort_value(field), stop, pace, descending=down, after=after))[window.start :]
    return (await _sorted(rows, sort_key(field), stop, pace, descending=down, after=after))[window.start :]


async def _sorted(
    rows: Sequence[TaskRecord],
    key: Callable[[TaskRecord], Key],
    stop: int,
    pace: Pace,
    *,
    descending: bool,
    after: Key | None,
) -> list[TaskRecord]:
    """Sort short runs, then merge no more of them than the page needs."""
    runs: list[list[tuple[Key, TaskRecord]]] = []
    for first in range(0, len(rows), _RUN):
        run = [(key(record), record) for record in rows[first : first + _RUN]]
        if after is not None:
            run = [keyed for keyed in run if (keyed[0] < after if descending else keyed[0] > after)]
        run.sort(key=_first, reverse=descending)
        runs.append(run[:stop])
        await pace.maybe_rest()
    found = []
    for place, (_, record) in enumerate(islice(heapq.merge(*runs, key=_first, reverse=descending), stop)):
        if not place % _STEP:
            await pace.maybe_rest()
        found.append(record)
    return found


def _first(keyed: tuple[Key, TaskRecord]) -> Key:
    return keyed[0]
