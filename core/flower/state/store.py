"""The tasks in memory: limited in number, in order of change, indexed by state, name and worker."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

from flower.state import query as queries
from flower.state.tasks import MAX_CHILDREN, TaskRecord
from flower_plugins import Page, TaskQuery

__all__ = ["Index", "Position", "TaskStore"]

_MAX_NAMES = 20_000
_MAX_ORPHANS = 100_000
_MAX_FOLDED = 10_000


class Index:
    """Tasks by one of their texts, regardless of case, each group in order of change."""

    def __init__(self) -> None:
        self._groups: dict[str, dict[str, TaskRecord]] = {}
        self._folded: dict[str, str] = {}

    def move(self, record: TaskRecord, before: str | None, after: str | None) -> None:
        """Put a record at the end of its new group."""
        if before is not None and before != after:
            self.discard(before, record.uuid)
        if after is not None:
            group = self._groups.setdefault(self._fold(after), {})
            group.pop(record.uuid, None)
            group[record.uuid] = record

    def discard(self, value: str | None, uuid: str) -> None:
        """Take a record out of a group."""
        if value is None:
            return
        key = self._fold(value)
        group = self._groups.get(key)
        if group is not None:
            group.pop(uuid, None)
            if not group:
                del self._groups[key]

    def group(self, value: str) -> dict[str, TaskRecord]:
        """Return the records with that value, whatever its case."""
        return self._groups.get(value.casefold(), {})

    def _fold(self, value: str) -> str:
        folded = self._folded.get(value)
        if folded is None:
            if len(self._folded) >= _MAX_FOLDED:
                self._folded.clear()
            folded = self._folded[value] = value.casefold()
        return folded


class Position(NamedTuple):
    """Where the indexes hold a record."""

    state: str
    name: str | None
    worker: str | None


class TaskStore:
    """Keeps the most recently changed tasks; implements `flower_plugins.Tasks`."""

    def __init__(self, *, max_tasks: int, on_evict: Callable[[TaskRecord], None]) -> None:
        self._max_tasks = max(1, max_tasks)
        self._on_evict = on_evict
        self._records: OrderedDict[str, TaskRecord] = OrderedDict()
        self._by_state, self._by_name, self._by_worker = Index(), Index(), Index()
        self._counts: dict[str, int] = {}
        self._names: set[str] = set()
        self._sorted_names: Sequence[str] = ()
        self._orphans: OrderedDict[str, dict[str, None]] = OrderedDict()
        self._orphan_count = 0
        self._version = 0
        self.scans = asyncio.Semaphore(4)
        """Bounds how many queries that look at every candidate run at once."""

    @property
    def version(self) -> int:
        """Grows with every change; equal versions mean equal contents."""
        return self._version

    def __len__(self) -> int:
        return len(self._records)

    def get(self, uuid: str) -> TaskRecord | None:
        """Return the task, or None. Looking does not keep a task alive."""
        return self._records.get(uuid)

    async def query(self, query: TaskQuery) -> Page:
        """Return a page of tasks.

        The default order, filtered by at most one of state, name and worker, is read off an index;
        everything else looks at each candidate and yields to the loop every few milliseconds.
        """
        return await queries.answer(self, query)

    def names(self) -> Sequence[str]:
        """Return every task name seen since the start, sorted, up to 20,000."""
        if len(self._sorted_names) != len(self._names):
            self._sorted_names = tuple(sorted(self._names))
        return self._sorted_names

    def counts(self) -> Mapping[str, int]:
        """Return how many kept tasks are in each state."""
        return dict(self._counts)

    def kept(self) -> dict[str, TaskRecord]:
        """Return all tasks by id, in order of change, oldest first; the store's own, not to be changed."""
        return self._records

    def by_state(self, state: str) -> dict[str, TaskRecord]:
        """Return the tasks in a state, regardless of case, in order of change."""
        return self._by_state.group(state)

    def by_name(self, name: str) -> dict[str, TaskRecord]:
        """Return the tasks of a name, regardless of case, in order of change."""
        return self._by_name.group(name)

    def by_worker(self, hostname: str) -> dict[str, TaskRecord]:
        """Return the tasks of a worker, regardless of case, in order of change."""
        return self._by_worker.group(hostname)

    def place(self, record: TaskRecord, before: Position | None) -> None:
        """Take in a new record (`before` None) or a changed one that stood at `before`."""
        self._version += 1
        record.order = self._version
        records = self._records
        if before is None:
            records[record.uuid] = record
            self._adopt(record)
        else:
            records.move_to_end(record.uuid)
            self._uncount(before.state)
        self._counts[record.state] = self._counts.get(record.state, 0) + 1
        state, name, worker = before or (None, None, None)
        self._by_state.move(record, state, record.state)
        self._by_name.move(record, name, record.name)
        self._by_worker.move(record, worker, record.worker)
        if record.name is not None and len(self._names) < _MAX_NAMES:
            self._names.add(record.name)
        if len(records) > self._max_tasks:
            self._evict()

    def link(self, uuid: str, parent_id: str) -> None:
        """Note a task as its parent's child; the parent may arrive later."""
        parent = self._records.get(parent_id)
        if parent is not None:
            parent.add_child(uuid)
            return
        children = self._orphans.setdefault(parent_id, {})
        if uuid in children or len(children) >= MAX_CHILDREN:
            return
        children[uuid] = None
        self._orphan_count += 1
        while self._orphan_count > _MAX_ORPHANS:
            self._orphan_count -= len(self._orphans.popitem(last=False)[1])

    def _adopt(self, record: TaskRecord) -> None:
        children = self._orphans.pop(record.uuid, {})
        self._orphan_count -= len(children)
        for child in children:
            record.add_child(child)

    def _evict(self) -> None:
        uuid, record = self._records.popitem(last=False)
        self._uncount(record.state)
        self._by_state.discard(record.state, uuid)
        self._by_name.discard(record.name, uuid)
        self._by_worker.discard(record.worker, uuid)
        self._on_evict(record)

    def _uncount(self, state: str) -> None:
        left = self._counts[state] - 1
        if left:
            self._counts[state] = left
        else:
            del self._counts[state]
