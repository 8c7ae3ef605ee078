"""The tasks that a search found, as places in chunks: they are counted and told from others without being listed."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from itertools import chain

from flower.state.pages import Members
from flower.state.search.chunk import Chunk
from flower.state.search.columns import Places
from flower.state.tasks import TaskRecord

__all__ = ["Found"]


class Found(Members):
    """`places` says of each chunk which tasks match, `late` of each task that changed since; `homes` is the texts' own.

    `test` tells of a record that went elsewhere meanwhile whether it matches.
    """

    def __init__(
        self,
        places: Mapping[Chunk, Places],
        homes: Mapping[str, Chunk],
        late: Mapping[str, bool],
        test: Callable[[str], bool],
    ) -> None:
        super().__init__((), in_order=False)
        self._places, self._homes, self._late, self._test = places, homes, late, test
        self._listed: dict[Chunk, dict[str, None]] = {}
        for uuid in late:
            home = homes.get(uuid)
            if home is not None and places.get(home):
                self._list(home).pop(uuid, None)
        # Sums of bits, for a list would have to be made of every chunk.
        self._count = sum(late.values()) + sum(
            len(self._listed[chunk]) if chunk in self._listed else found.bit_count() for chunk, found in places.items()
        )

    def __len__(self) -> int:
        return self._count

    def test(self, record: TaskRecord) -> bool:
        """Tell whether a task is among these."""
        return self._has(record.uuid)

    def among(self, uuids: list[str]) -> list[str]:
        """Return those of some ids that are among these."""
        return [uuid for uuid in uuids if self._has(uuid)]

    def uuids(self) -> list[str]:
        """Return the ids, in no order."""
        found = (
            self._listed[chunk] if chunk in self._listed else chunk.ids(places)
            for chunk, places in self._places.items()
            if places
        )
        return [*chain.from_iterable(found), *(uuid for uuid, passes in self._late.items() if passes)]

    def _has(self, uuid: str) -> bool:
        if uuid in self._late:
            return self._late[uuid]
        home = self._homes.get(uuid)
        if home is None:
            return False
        places = self._places.get(home)
        if places is None:
            return self._test(uuid)
        return places != 0 and uuid in self._list(home)

    def _list(self, chunk: Chunk) -> dict[str, None]:
        listed = self._listed.get(chunk)
        if listed is None:
            listed = self._listed[chunk] = dict.fromkeys(chunk.ids(self._places[chunk]))
        return listed
