"""The searchable fields of some hundred tasks as they were when they were put together."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import compress, repeat
from operator import attrgetter, is_

from flower.state.search.columns import Column, Places, everywhere
from flower.state.search.pairs import KwargsColumn
from flower.state.tasks import TaskRecord

__all__ = ["COLUMNS", "PLAIN", "Chunk"]

PLAIN = ("args", "kwargs", "result", "uuid", "name", "state", "worker")
"""The fields in which a plain word is looked for, first those that have it most often."""

COLUMNS = (*PLAIN, "queue", "exception")

_values = attrgetter(*COLUMNS)


class Chunk:
    """Some tasks; `left` says how many of them are still as they are here, the others have changed or are gone."""

    __slots__ = ("_live", "all", "columns", "known", "kwargs", "left", "size", "uuids")

    def __init__(self, records: Sequence[TaskRecord]) -> None:
        self.uuids = [record.uuid for record in records]
        self.left = len(records)
        self.all: Places = everywhere(len(records))
        self.known: dict[int, Places] = {}
        """What searches found, by a number that stands for the search."""
        self._live = self.left, self.all
        values = dict(zip(COLUMNS, zip(*map(_values, records), strict=True), strict=True))
        texts = {name: [text or "" for text in column] for name, column in values.items()}
        self.kwargs = KwargsColumn(texts.pop("kwargs"))
        self.columns: dict[str, Column] = {name: Column(column) for name, column in texts.items()}
        self.columns["kwargs"] = self.kwargs
        self.size = sum(column.size for column in self.columns.values())

    def live(self, homes: Mapping[str, Chunk]) -> Places:
        """Return the places of the tasks whose home this still is."""
        if self._live[0] != self.left:
            stayed = bytes(map(is_, map(homes.get, self.uuids), repeat(self)))
            self._live = self.left, int.from_bytes(stayed, "little")
        return self._live[1]

    def ids(self, places: Places) -> list[str]:
        """Return the ids of the tasks at some places."""
        return list(compress(self.uuids, places.to_bytes(len(self.uuids), "little")))
