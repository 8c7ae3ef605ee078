"""The searchable texts of all tasks in large pieces, so that most of them are passed over at the speed of C.

Made when somebody searches, brought up to date by the next search, and given up when nobody has
searched for a while: a cluster that nobody searches pays nothing.
"""

from __future__ import annotations

import asyncio
import time
from array import array
from bisect import bisect_right
from collections.abc import Awaitable, Callable, Iterator, Sequence

from flower.state.search.matcher import Search, plain_text
from flower.state.search.pairs import ODD, Spelling
from flower.state.tasks import TaskRecord

__all__ = ["Texts"]

_DOCUMENTS = 512
_IDLE_SECONDS = 120.0
_MAX_BYTES = 512 * 2**20
_STEP = 200
_SAMPLE = 16
_FREQUENT = 8
_END = b"\xff"  # in no UTF-8


class _Chunk:
    """The texts of up to 512 tasks, one after the other."""

    __slots__ = ("data", "ends", "left", "odd", "uuids")

    def __init__(self, uuids: list[str], texts: list[bytes]) -> None:
        self.uuids = uuids
        self.data = b"".join(texts)
        self.ends = array("L")
        self.left = len(uuids)
        end = 0
        for text in texts:
            end += len(text)
            self.ends.append(end)
        self.odd = [uuid for uuid, text in zip(uuids, texts, strict=True) if text.endswith(ODD + _END)]

    def document(self, place: int) -> bytes:
        return self.data[self.ends[place - 1] if place else 0 : self.ends[place]]

    def found(self, search: Search) -> list[str]:
        """Return the ids of the documents that may match."""
        if search.only_terms is None:
            if not search.may_be_among(self.data):
                return []
            return [self.uuids[place] for place in search.places(self._documents())]
        found: list[str] = []
        for spelling in search.only_terms:
            found += self._with_term(spelling)
        if search.is_plain or not self.odd:
            return found if len(search.only_terms) == 1 else list(dict.fromkeys(found))
        return list(dict.fromkeys([*found, *self.odd]))

    def _with_term(self, spelling: Spelling) -> Sequence[str]:
        data, term = self.data, spelling.text
        first = data.find(term)
        if first < 0:
            return ()
        if data.count(term, first, first + len(data) // _SAMPLE) < _FREQUENT:
            return list(self._hits(spelling, first))
        return [uuid for uuid, text in zip(self.uuids, self._documents(), strict=True) if term in text]

    def _documents(self) -> list[bytes]:
        return self.data.split(_END)[:-1]

    def _hits(self, spelling: Spelling, hit: int) -> Iterator[str]:
        """Look for the term in the whole, so that only hits cost anything, and each document counts once."""
        data, ends, uuids, (term, followers) = self.data, self.ends, self.uuids, spelling
        size = len(term)
        while hit >= 0:
            after = hit + size
            if followers and data[after] not in followers:
                hit = data.find(term, after)
                continue
            place = bisect_right(ends, hit)
            end = ends[place]
            if after <= end:
                yield uuids[place]
                hit = data.find(term, end)
            else:
                hit = data.find(term, hit + 1)


class Texts:
    """Which tasks may match a search; each has to be looked at again, for its text may have changed."""

    def __init__(self, monotonic: Callable[[], float] = time.monotonic) -> None:
        self.live = False
        """Whether changes have to be noted."""
        self._monotonic = monotonic
        self._used_at = 0.0
        self._chunks: dict[_Chunk, None] = {}
        self._homes: dict[str, _Chunk] = {}
        self._changed: dict[str, None] = {}
        self._size = 0
        self._updating = asyncio.Lock()

    def note(self, uuid: str) -> None:
        """Take note of a new or changed task."""
        self._changed[uuid] = None

    def drop(self, uuid: str) -> None:
        """Take note that a task is gone."""
        self._changed[uuid] = None

    def expire(self) -> None:
        """Give the texts up when nobody used them for a while."""
        if self.live and self._monotonic() - self._used_at > _IDLE_SECONDS and not self._updating.locked():
            self._clear()

    async def update(self, records: dict[str, TaskRecord], rest: Callable[[], Awaitable[None]]) -> bool:
        """Bring the texts up to date, in steps between which `rest` is awaited.

        Return False when they are too large to be kept.
        """
        async with self._updating:
            self._used_at = self._monotonic()
            # A list: of a million ids it is made in a few milliseconds, a dict takes a hundred.
            changed = list(self._changed) if self.live else list(dict.keys(records))
            whole = self.live
            self.live = True
            self._changed = {}
            done = 0
            try:
                done = await self._renew_all(changed, records, rest)
            finally:
                if done < len(changed):
                    # Cancelled, or too large: what is in no chunk yet must not be passed over by the next search.
                    if whole and self._size <= _MAX_BYTES:
                        self._changed.update(dict.fromkeys(changed))
                    else:
                        self._clear()
            return done == len(changed)

    async def _renew_all(
        self, changed: list[str], records: dict[str, TaskRecord], rest: Callable[[], Awaitable[None]]
    ) -> int:
        """Return how many were renewed: all, unless they are too large."""
        fresh: dict[str, bytes] = {}
        for first in range(0, len(changed), _STEP):
            for uuid in changed[first : first + _STEP]:
                self._leave(uuid, fresh)
                record = records.get(uuid)
                if record is not None:
                    fresh[uuid] = plain_text(record) + _END
            if len(fresh) >= _DOCUMENTS:
                self._seal(fresh)
                fresh = {}
            if self._size > _MAX_BYTES:
                return first
            await rest()
        if fresh:
            self._seal(fresh)
        return len(changed)

    def candidates(self, search: Search) -> Iterator[tuple[list[str], bool]]:
        """Yield, piece by piece, ids of tasks, and whether all of these match or may match.

        What is in none of the pieces does not match. The tasks may change between two pieces.
        """
        changed, homes = self._changed, self._homes
        for chunk in list(self._chunks):
            found = chunk.found(search)
            if changed or chunk.left < len(chunk.uuids):
                found = [uuid for uuid in found if homes.get(uuid) is chunk and uuid not in changed]
            yield found, search.is_plain
        yield list(self._changed), False

    def _leave(self, uuid: str, fresh: dict[str, bytes]) -> None:
        """Take a task out of where it is; of a chunk that is mostly gone the rest moves on."""
        fresh.pop(uuid, None)  # it may have moved there a moment ago
        chunk = self._homes.pop(uuid, None)
        if chunk is None:
            return
        chunk.left -= 1
        if chunk.left > _DOCUMENTS // 4 or chunk not in self._chunks:
            return
        del self._chunks[chunk]
        self._size -= len(chunk.data)
        for place, other in enumerate(chunk.uuids):
            if self._homes.get(other) is chunk:
                del self._homes[other]
                fresh[other] = chunk.document(place)

    def _seal(self, fresh: dict[str, bytes]) -> None:
        uuids = list(fresh)
        chunk = _Chunk(uuids, list(fresh.values()))
        self._chunks[chunk] = None
        self._size += len(chunk.data)
        self._homes.update(dict.fromkeys(uuids, chunk))

    def _clear(self) -> None:
        self.live = False
        self._chunks, self._homes, self._changed, self._size = {}, {}, {}, 0
