"""Queue lengths per bucket of time: what was seen, the most of it."""

from __future__ import annotations

from array import array

from flower.state.rollups.timeline import Level

__all__ = ["Lengths"]

_NOTHING = 0xFFFFFFFF
_MAX_QUEUES = 200


class Lengths:
    """The lengths of at most 200 queues on one level; a queue that was not seen for a whole ring is forgotten."""

    def __init__(self, level: Level) -> None:
        self._level = level
        self._queues: dict[str, array[int]] = {}
        self._last: dict[str, int] = {}
        level.add(self)

    def note(self, queue: str, messages: int) -> None:
        """Note a length in the open bucket."""
        cells = self._queues.get(queue)
        if cells is None:
            if len(self._queues) >= _MAX_QUEUES:
                return
            cells = self._queues[queue] = array("I", [_NOTHING]) * self._level.length
        index, known = self._level.index, cells[self._level.index]
        messages = min(max(messages, 0), _NOTHING - 1)
        self._last[queue] = messages
        cells[index] = messages if known == _NOTHING else max(known, messages)

    def advance(self, number: int) -> None:
        """Make room for new buckets."""
        index, length = self._level.index, self._level.length
        empty = array("I", [_NOTHING]) * length
        for queue, cells in list(self._queues.items()):
            for place in range(number):
                cells[(index + 1 + place) % length] = _NOTHING
            if cells == empty:
                del self._queues[queue], self._last[queue]

    def rows(self, number: int, queue: str | None, limit: int) -> dict[str, list[float | None]]:
        """Return the last buckets, oldest first, of one queue or of those that were longest when last seen, by name."""
        oldest, index = self._level.index - number + 1, self._level.index
        rows: dict[str, list[float | None]] = {}
        longest = sorted(self._last, key=lambda name: (-self._last[name], name))[:limit]
        for name in sorted(longest) if queue is None else (queue,):
            cells = self._queues.get(name)
            if cells is not None:
                part = cells[oldest : index + 1] if oldest >= 0 else cells[oldest:] + cells[: index + 1]
                row = [None if each == _NOTHING else float(each) for each in part]
                if any(each is not None for each in row):
                    rows[name] = row
        return rows
