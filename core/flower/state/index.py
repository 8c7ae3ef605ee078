"""Tasks by one of their texts."""

from __future__ import annotations

from collections.abc import Iterable

from flower.state.tasks import TaskRecord

__all__ = ["Index"]

Group = dict[str, TaskRecord]


class Index:
    """Groups of tasks with the same text, each in order of change, oldest first.

    A group's key is the exact text. Readers ask regardless of case, which costs nothing until they do.
    Groups of `lasting` texts stay when they are empty, others do not.
    """

    def __init__(self, lasting: Iterable[str] = ()) -> None:
        self.groups: dict[str, Group] = {}
        self._folded: dict[str, dict[str, None]] = {}
        self._lasting = frozenset(lasting)
        for value in self._lasting:
            self.open(value)

    def move(self, record: TaskRecord, before: str | None, after: str | None) -> None:
        """Put a record at the end of its new group."""
        if before is not None:
            self.discard(before, record.uuid)
        if after is not None:
            group = self.groups.get(after)
            if group is None:
                group = self.open(after)
            group[record.uuid] = record

    def discard(self, value: str | None, uuid: str) -> None:
        """Take a record out of a group."""
        if value is not None:
            group = self.groups[value]
            del group[uuid]
            if not group:
                self.close(value)

    def open(self, value: str) -> Group:
        """Return a new group."""
        self._folded.setdefault(value.casefold(), {})[value] = None
        group = self.groups[value] = {}
        return group

    def close(self, value: str) -> None:
        """Forget a group that became empty, unless it is to last."""
        if value in self._lasting:
            return
        del self.groups[value]
        folded = value.casefold()
        same = self._folded[folded]
        del same[value]
        if not same:
            del self._folded[folded]

    def matching(self, value: str) -> list[Group]:
        """Return the groups whose text is `value`, whatever its case."""
        return [self.groups[exact] for exact in self._folded.get(value.casefold(), ())]

    def holding(self, term: str) -> dict[str, Group]:
        """Return the groups whose text has a folded term in it, by text."""
        values = [exact for folded, same in self._folded.items() if term in folded for exact in same]
        return {exact: self.groups[exact] for exact in values}
