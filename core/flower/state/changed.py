"""Tasks in order of change, in pieces: any place is found without walking there, and any change costs the same."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain, islice

from flower.state.tasks import TaskRecord

__all__ = ["SHIFT", "ChangeOrder", "Piece"]

SHIFT = 11
"""A piece holds the tasks whose `order` is the same but for so many bits."""
_SPARSE = 1 << (SHIFT - 2)

Piece = dict[str, TaskRecord]


class ChangeOrder:
    """All tasks by `TaskRecord.order`, which grows with every change.

    A piece begins with 2,048 tasks and loses those that change again; `newest` is the one that is filled now.
    """

    def __init__(self) -> None:
        self.newest: Piece = {}
        self.number = 0
        """That of `newest`."""
        self._pieces: dict[int, Piece] = {0: self.newest}
        self._oldest = 0

    def enter(self, record: TaskRecord) -> None:
        """Take in a task whose `order` is the highest."""
        if record.order >> SHIFT != self.number:
            self.open(record.order >> SHIFT)
        self.newest[record.uuid] = record

    def leave(self, uuid: str, order: int) -> None:
        """Let a task go that stood at `order`."""
        number = order >> SHIFT
        piece = self._pieces[number]
        del piece[uuid]
        left = len(piece)
        if left == _SPARSE:
            if number != self.number:
                # A dict keeps the room of what was deleted; a copy does not.
                self._pieces[number] = dict(piece)
        elif not left and number != self.number:
            del self._pieces[number]

    def open(self, number: int) -> None:
        """Begin a new piece."""
        if not self.newest:
            del self._pieces[self.number]
        elif len(self.newest) < _SPARSE:
            self._pieces[self.number] = dict(self.newest)
        self.newest = self._pieces[number] = {}
        self.number = number

    def __len__(self) -> int:
        """Return the number of pieces."""
        return len(self._pieces)

    def full(self) -> list[int]:
        """Return the numbers of all pieces but the newest, ascending."""
        return [number for number in self._pieces if number != self.number]

    def piece(self, number: int) -> Piece | None:
        """Return a piece, None for one that is gone."""
        return self._pieces.get(number)

    def oldest(self) -> str:
        """Return the id of the task that has not changed for the longest time. Raise StopIteration if there is none."""
        piece = self._pieces.get(self._oldest)
        if not piece:
            # Seldom, because looking for the first key of a dict passes over all that were deleted.
            self._oldest, piece = next((number, piece) for number, piece in self._pieces.items() if piece)
        return next(iter(piece))

    def walk(self, start: int = 0) -> Iterator[str]:
        """Yield ids, the newest change first, from the one at `start`. The tasks must not change meanwhile."""
        for piece in reversed(self._pieces.values()):
            if start >= len(piece):
                start -= len(piece)
                continue
            yield from islice(reversed(piece), start, None)
            start = 0

    def ids(self) -> list[str]:
        """Return all ids, the newest change first: of a million in a few hundredths of a second."""
        return list(chain.from_iterable(map(reversed, reversed(self._pieces.values()))))

    def walk_before(self, order: int) -> Iterator[str]:
        """Yield the ids of the tasks that changed last before `order`, the newest change first."""
        last = order >> SHIFT
        for number in reversed(self._pieces):
            if number == last:
                yield from (uuid for uuid, record in reversed(self._pieces[number].items()) if record.order < order)
            elif number < last:
                yield from reversed(self._pieces[number])
