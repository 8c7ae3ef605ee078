"""The searchable fields of some hundred tasks as they were when they were put together."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import compress, repeat
from operator import attrgetter, is_

from flower.state.search.columns import Column, Places, everywhere
from flower.state.search.pairs import KwargsColumn
from flower.state.tasks import TaskRecord

__all__ = ["COLUMNS", "PLAIN", "Chunk", "chunks"]

PLAIN = ("args", "kwargs", "result", "uuid", "name", "state", "worker")
"""The fields in which a plain word is looked for, first those that have it most often."""

COLUMNS = (*PLAIN, "queue", "exception")

_LONG = ("args", "kwargs", "result", "exception")
_CHARACTERS = 2**20
_FEW = 24
_HEXADECIMAL = b"0123456789abcdefABCDEF-"

_values = attrgetter(*COLUMNS)


class Chunk:
    """Some tasks; `left` says how many of them are still as they are here, the others have changed or are gone."""

    __slots__ = ("_gone", "_live", "all", "columns", "hexadecimal", "known", "kwargs", "left", "size", "uuids")

    def __init__(self, uuids: list[str], texts: Mapping[str, Sequence[str]]) -> None:
        self.uuids = uuids
        self.hexadecimal = not "".join(uuids).encode().translate(None, _HEXADECIMAL)
        """Whether ids have none but these characters, so that most words need not be looked for in them."""
        self.left = len(uuids)
        self.all: Places = everywhere(len(uuids))
        self.known: dict[int, Places] = {}
        """What searches found, by a number that stands for the search."""
        self._live = self.all
        self._gone: list[str] = []
        self.kwargs = KwargsColumn(texts["kwargs"])
        self.columns = {name: self.kwargs if name == "kwargs" else Column(texts[name]) for name in COLUMNS}
        self.size = sum(column.size for column in self.columns.values())

    @property
    def behind(self) -> bool:
        """Whether `live` has something to do."""
        return bool(self._gone)

    def leave(self, uuid: str) -> None:
        """Let a task go, whose home this is no longer."""
        self.left -= 1
        self._gone.append(uuid)

    def live(self, homes: Mapping[str, Chunk]) -> Places:
        """Return the places of the tasks whose home this still is."""
        if len(self._gone) > _FEW:
            stayed = bytes(map(is_, map(homes.get, self.uuids), repeat(self)))
            self._live = int.from_bytes(stayed, "little")
        else:
            for uuid in self._gone:
                self._live ^= 1 << (8 * self.uuids.index(uuid))
        self._gone.clear()
        return self._live

    def ids(self, places: Places) -> list[str]:
        """Return the ids of the tasks at some places."""
        flags = places.to_bytes(len(self.uuids), "little")
        if flags.count(1) > _FEW:
            return list(compress(self.uuids, flags))
        return [self.uuids[place] for place in _set(flags)]

    def few(self, places: Places) -> list[int] | None:
        """Return some places one by one, None where they are so many that all may be looked at as well."""
        return list(_set(places.to_bytes(len(self.uuids), "little"))) if places.bit_count() <= _FEW else None


def _set(flags: bytes) -> Iterator[int]:
    place = flags.find(1)
    while place >= 0:
        yield place
        place = flags.find(1, place + 1)


def chunks(records: Sequence[TaskRecord]) -> Iterator[Chunk]:
    """Put tasks together, in pieces that are none too large."""
    texts = _texts(records)
    if len(records) > 1 and sum(sum(map(len, texts[name])) for name in _LONG) > _CHARACTERS:
        half = len(records) // 2
        yield from chunks(records[:half])
        yield from chunks(records[half:])
    else:
        yield Chunk([record.uuid for record in records], texts)


def _texts(records: Sequence[TaskRecord]) -> dict[str, list[str]]:
    columns = zip(*map(_values, records), strict=True)
    return {name: [text or "" for text in column] for name, column in zip(COLUMNS, columns, strict=True)}
