"""The searchable texts of all tasks in large pieces, so that most of them are passed over at the speed of C.

Made when somebody searches or is about to, brought up to date by the next search, and given up when nobody has
searched for a while: a cluster that nobody searches pays nothing.
"""

from __future__ import annotations

import asyncio
import time
from collections import OrderedDict
from collections.abc import Callable
from itertools import count

from flower.state.pace import Pace
from flower.state.search.chunk import Chunk, chunks
from flower.state.search.columns import Places
from flower.state.search.found import Found
from flower.state.search.pairs import pairs
from flower.state.search.sieve import Sieve
from flower.state.search.syntax import Node, Term
from flower.state.tasks import TaskRecord

__all__ = ["Texts"]

_DOCUMENTS = 512
_IDLE_SECONDS = 120.0
_MAX_BYTES = 512 * 2**20
_STEP = 64
_REMEMBERED = 8
_AT_ONCE = 64
_TURNS = 20

_Test = Callable[[TaskRecord], bool]


class Texts:
    """Which tasks match a search that texts decide."""

    def __init__(self, monotonic: Callable[[], float] = time.monotonic) -> None:
        self.live = False
        """Whether changes have to be noted."""
        self._monotonic = monotonic
        self._used_at = 0.0
        self._chunks: dict[Chunk, None] = {}
        self._homes: dict[str, Chunk] = {}
        self._changed: dict[str, None] = {}
        self._size = 0
        self._updating = asyncio.Lock()
        self._numbers: OrderedDict[Node, int] = OrderedDict()
        self._remembered: set[int] = set()
        self._number = 0
        self._given_up = 0

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

    async def prepare(self, records: dict[str, TaskRecord]) -> None:
        """Put the texts together, unless there are so few tasks that it takes no time."""
        if len(records) > _AT_ONCE * _STEP:
            await self._update(records, Pace())

    async def find(self, sieve: Sieve, records: dict[str, TaskRecord], test: _Test, pace: Pace) -> Found | None:
        """Return the tasks that match, as they are at the end; `test` says the same of one record.

        Return None when the texts are too large to be kept.
        """
        if not await self._update(records, pace):
            return None
        given_up, number = self._given_up, self._number_of(sieve.node)
        looked_at: dict[Chunk, Places] = {}
        passing: dict[str, bool] = {}
        for turn in count():
            # Whoever searches at the same time may bring texts up to date, and so move tasks to new chunks.
            for chunk in [chunk for chunk in self._chunks if chunk.behind or chunk not in looked_at]:
                if chunk not in looked_at:
                    looked_at[chunk] = await self._places(chunk, sieve, number, pace)
                chunk.live(self._homes)
                await pace.maybe_rest()
            if self._given_up != given_up:  # they became too large for somebody else
                return None
            late = [uuid for uuid in self._changed if uuid not in passing]
            for first in range(0, len(late), _AT_ONCE):
                for uuid in late[first : first + _AT_ONCE]:
                    passing[uuid] = uuid in records and test(records[uuid])
                if len(late) > _AT_ONCE and turn < _TURNS:
                    await pace.maybe_rest()
            few = len(late) + sum(chunk.behind for chunk in self._chunks) <= _AT_ONCE
            if (few or turn >= _TURNS) and all(chunk in looked_at for chunk in self._chunks):
                break
        if self._given_up != given_up:
            return None
        places = {chunk: looked_at[chunk] and looked_at[chunk] & chunk.live(self._homes) for chunk in self._chunks}
        passed = {uuid: passing[uuid] for uuid in self._changed}
        return Found(places, self._homes, passed, lambda uuid: uuid in records and test(records[uuid]))

    async def _update(self, records: dict[str, TaskRecord], pace: Pace) -> bool:
        """Bring the texts up to date. Return False when they are too large to be kept."""
        async with self._updating:
            self._used_at = self._monotonic()
            # A list: of a million ids it is made in a few milliseconds, a dict takes a hundred.
            changed = list(self._changed) if self.live else list(dict.keys(records))
            whole = self.live
            self.live = True
            self._changed = {}
            done = 0
            try:
                done = await self._renew_all(changed, records, pace)
            finally:
                if done < len(changed):
                    # Cancelled, or too large: what is in no chunk yet must not be passed over by the next search.
                    if whole and self._size <= _MAX_BYTES:
                        self._changed.update(dict.fromkeys(changed))
                    else:
                        self._clear()
            return done == len(changed)

    async def _renew_all(self, changed: list[str], records: dict[str, TaskRecord], pace: Pace) -> int:
        """Return how many were renewed: all, unless they are too large."""
        if not self._homes:
            return await self._make_all(changed, records, pace)
        fresh: dict[str, TaskRecord] = {}
        if changed:
            self._reopen(records, fresh)
        for first in range(0, len(changed), _STEP):
            step = changed[first : first + _STEP]
            for uuid in step:
                self._leave(uuid, records, fresh)
            fresh.update((uuid, records[uuid]) for uuid in step if uuid in records)
            if len(fresh) >= _DOCUMENTS:
                self._seal(list(fresh.values()))
                fresh = {}
                await pace.maybe_rest()  # only here, where every task is in a chunk or noted as changed
            if self._size > _MAX_BYTES:
                return first
        if fresh:
            self._seal(list(fresh.values()))
        return len(changed)

    async def _make_all(self, uuids: list[str], records: dict[str, TaskRecord], pace: Pace) -> int:
        """Do the same where nothing is in a chunk yet."""
        for first in range(0, len(uuids), _DOCUMENTS):
            if self._size > _MAX_BYTES:
                return first
            fresh = [record for record in map(records.get, uuids[first : first + _DOCUMENTS]) if record is not None]
            if fresh:
                self._seal(fresh)
            await pace.maybe_rest()
        return len(uuids)

    async def _places(self, chunk: Chunk, sieve: Sieve, number: int, pace: Pace) -> Places:
        found = chunk.known.get(number)
        if found is None:
            settled = {pair: await _settled(chunk, pair, pace) for pair in sieve.pairs}
            found = sieve.places(chunk, settled)
            if number in self._remembered:  # not if others have pushed it out meanwhile
                chunk.known[number] = found
        return found

    def _number_of(self, node: Node) -> int:
        """Return what stands for a search in the chunks, which remember what the latest few found."""
        number = self._numbers.get(node)
        if number is None:
            self._number += 1
            number = self._numbers[node] = self._number
            self._remembered.add(number)
            if len(self._numbers) > _REMEMBERED:
                _, forgotten = self._numbers.popitem(last=False)
                self._remembered.discard(forgotten)
                for chunk in self._chunks:
                    chunk.known.pop(forgotten, None)
        self._numbers.move_to_end(node)
        return number

    def _reopen(self, records: dict[str, TaskRecord], fresh: dict[str, TaskRecord]) -> None:
        """Take the newest chunk apart unless it is full, lest every search leave a small one behind."""
        newest = next(reversed(self._chunks), None)
        if newest is not None and newest.left < _DOCUMENTS // 2:
            self._dissolve(newest, records, fresh)

    def _leave(self, uuid: str, records: dict[str, TaskRecord], fresh: dict[str, TaskRecord]) -> None:
        """Take a task out of where it is; of a chunk that is mostly gone the rest moves on."""
        fresh.pop(uuid, None)  # it may have moved there a moment ago
        chunk = self._homes.pop(uuid, None)
        if chunk is None:
            return
        chunk.leave(uuid)
        if chunk.left <= _DOCUMENTS // 4 and chunk in self._chunks:
            self._dissolve(chunk, records, fresh)

    def _dissolve(self, chunk: Chunk, records: dict[str, TaskRecord], fresh: dict[str, TaskRecord]) -> None:
        del self._chunks[chunk]
        self._size -= chunk.size
        for uuid in chunk.uuids:
            if self._homes.get(uuid) is chunk:
                del self._homes[uuid]
                if uuid in records:
                    fresh[uuid] = records[uuid]

    def _seal(self, fresh: list[TaskRecord]) -> None:
        for chunk in chunks(fresh):
            self._chunks[chunk] = None
            self._size += chunk.size
            self._homes.update(dict.fromkeys(chunk.uuids, chunk))

    def _clear(self) -> None:
        self.live = False
        self._chunks, self._homes, self._changed, self._size = {}, {}, {}, 0
        self._numbers.clear()
        self._remembered.clear()
        self._given_up += 1


async def _settled(chunk: Chunk, pair: Term, pace: Pace) -> Places:
    """Parse the keyword arguments that may have a pair."""
    found = bytearray(chunk.kwargs.number)
    for place, text in chunk.kwargs.candidates(pair.key, pair.text):
        found[place] = pairs(text).get(pair.key) == pair.text
        if pace.due:
            await pace.rest()
    return chunk.kwargs.spread(found)
