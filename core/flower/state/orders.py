"""Tasks by time of receipt, and what they are sorted by otherwise."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import chain, islice
from operator import attrgetter, itemgetter
from typing import Any

from sortedcontainers import SortedList

from flower.state.tasks import NUMERIC_FIELDS, TaskRecord

__all__ = ["Key", "ReceivedOrder", "fold", "is_numeric", "sort_key", "sort_value"]

_SORTED_CHARACTERS = 200
_NEAR = 2000
_LAST = "\U0010ffff" * 4  # sorts after every id
_uuid: Callable[[tuple[float, str]], str] = itemgetter(1)

Key = tuple[bool, Any, str]
"""Whether there is a value, the value, and the id that breaks ties."""


def sort_value(field: str) -> Callable[[TaskRecord], Any]:
    """Return what tasks are sorted by, None for missing values; texts are sorted regardless of case."""
    value = attrgetter(field)
    if is_numeric(field):
        return value
    return lambda record: fold(value(record))


def is_numeric(field: str) -> bool:
    """Tell whether a field is sorted as a number."""
    return field == "order" or field in NUMERIC_FIELDS


def fold(value: object) -> str | None:
    """Return as much of a text as counts for its place in an order, None for no text."""
    return None if value is None else str(value)[:_SORTED_CHARACTERS].casefold()


def sort_key(field: str) -> Callable[[TaskRecord], Key]:
    """Return the keys that tasks are sorted by: missing values come first, ties go by id."""
    value_of = sort_value(field)

    def key(record: TaskRecord) -> Key:
        value = value_of(record)
        return (False, 0, record.uuid) if value is None else (True, value, record.uuid)

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
                return chain(islice(sorted(self._missing), start, None), map(_uuid, received))
            return map(_uuid, _from(received, start - missing, descending=False))
        if start >= len(received):
            return islice(self._missing_down(), start - len(received), None)
        return chain(map(_uuid, _from(received, start, descending=True)), self._missing_down())

    def between(self, low: float, high: float) -> int:
        """Return how many tasks were received in a range, its ends included."""
        received = self._received
        return int(received.bisect_left((high, _LAST)) - received.bisect_left((low, "")))

    def range(self, low: float, high: float, start: int, *, descending: bool) -> Iterator[str]:
        """Yield the ids of the tasks received in a range, in order, from the one at `start`."""
        received = self._received
        first, last = received.bisect_left((low, "")), received.bisect_left((high, _LAST))
        first, last = (first, last - start) if descending else (first + start, last)
        return map(_uuid, received.islice(first, last, descending)) if first < last else iter(())

    def ids(self, low: float, high: float) -> list[str]:
        """Return the ids of all tasks received in a range, by time of receipt."""
        received = self._received
        keys = list(received.islice(received.bisect_left((low, "")), received.bisect_left((high, _LAST))))
        return list(map(_uuid, keys))

    def _missing_down(self) -> Iterator[str]:
        """Sort only when somebody gets that far."""
        yield from sorted(self._missing, reverse=True)

    def _beyond(self, after: Key, descending: bool) -> Iterator[str]:
        there, value, uuid = after
        place = value, uuid
        if descending:
            if there:
                keys = self._received.irange(None, place, (True, False), reverse=True)
                return chain(map(_uuid, keys), self._missing_down())
            return (known for known in self._missing_down() if known < uuid)
        if there:
            return map(_uuid, self._received.irange(place, None, (False, True)))
        return chain((known for known in sorted(self._missing) if known > uuid), map(_uuid, self._received))


def _from(keys: Any, start: int, *, descending: bool) -> Iterator[Any]:
    """Yield from the place `start` on. Far in, the list's positions help; they cost every later change a little."""
    if start < _NEAR:
        return islice(reversed(keys) if descending else iter(keys), start, None)
    if descending:
        return iter(keys.islice(0, len(keys) - start, True)) if start < len(keys) else iter(())
    return iter(keys.islice(start))
