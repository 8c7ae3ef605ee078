"""Finds the first few tasks of an order in one pass over them, without sorting the others."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import compress
from typing import Any

from flower.state.orders import Key
from flower.state.pace import Pace
from flower.state.tasks import TaskRecord

__all__ = ["first_of"]

_STEP = 4096


async def first_of(
    records: Sequence[TaskRecord],
    value: Callable[[TaskRecord], Any],
    size: int,
    pace: Pace,
    *,
    descending: bool,
    after: Key | None = None,
) -> list[TaskRecord]:
    """Return the first `size` records by a value, then by id, behind the key `after` where one is given.

    A record without a value, None, comes before all others. It is quickest where the first ones are among
    those that are looked at first: the earliest of `records`, or the latest for `descending`.
    """
    found: list[tuple[Key, TaskRecord]] = []
    for first in range(0, len(records), _STEP):
        rows = records[first : first + _STEP] if not descending else records[-first - _STEP : len(records) - first]
        values = list(map(value, rows))
        if len(found) == size:
            near = _near(values, rows, found[-1][0], descending)
            values, rows = list(compress(values, near)), list(compress(rows, near))
        if rows:
            keyed = [
                ((known is not None, 0 if known is None else known, record.uuid), record)
                for known, record in zip(values, rows, strict=True)
            ]
            if after is not None:
                keyed = [each for each in keyed if (each[0] < after if descending else each[0] > after)]
            found = sorted(found + keyed, key=_key, reverse=descending)[:size]
        await pace.maybe_rest()
    return [record for _, record in found]


def _near(values: Sequence[Any], rows: Sequence[TaskRecord], last: Key, descending: bool) -> list[bool]:
    """Tell which records may come before the last one that is on the page so far."""
    there, least, uuid = last
    if there and descending:
        return [value is not None and value >= least for value in values]
    if there:
        return [value is None or value <= least for value in values]
    if descending:
        return [value is not None or record.uuid > uuid for value, record in zip(values, rows, strict=True)]
    return [value is None and record.uuid < uuid for value, record in zip(values, rows, strict=True)]


def _key(keyed: tuple[Key, TaskRecord]) -> Key:
    return keyed[0]
