"""The tasks in memory: limited in number, in order of change, indexed by some fields and by time of receipt."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING

from celery.states import ALL_STATES

from flower.state.changed import ChangeOrder
from flower.state.field_orders import FieldOrders
from flower.state.index import Index
from flower.state.losses import Losses
from flower.state.orders import ReceivedOrder
from flower.state.tasks import MAX_CHILDREN, TaskRecord
from flower_plugins import Page, QueryError, Task, TaskQuery

if TYPE_CHECKING:
    from flower.state.search.texts import Texts

__all__ = ["COUNTED", "Position", "TaskStore"]

COUNTED = ("state", "name", "worker", "queue")
"""The fields whose values are counted by an index."""

_MAX_NAMES = 20_000
_MAX_ORPHANS = 100_000

Position = tuple[str, "str | None", "str | None", "float | None", "str | None"]
"""Where the indexes hold a record: its state, name, worker, time of receipt and queue before it changed."""


class TaskStore:
    """Keeps the most recently changed tasks; implements `flower_plugins.Tasks`."""

    def __init__(self, *, max_tasks: int, on_evict: Callable[[TaskRecord], None], losses: Losses) -> None:
        self._max_tasks = max(1, max_tasks)
        self.losses = losses
        self._on_evict = on_evict
        self._records: dict[str, TaskRecord] = {}
        self.changed = ChangeOrder()
        self.by_state, self.by_name, self.by_worker = Index(lasting=ALL_STATES), Index(), Index()
        self.by_queue = Index()
        self.indexes = {"state": self.by_state, "name": self.by_name, "worker": self.by_worker, "queue": self.by_queue}
        self.received = ReceivedOrder()
        self.orders = FieldOrders(self.changed)
        self._texts: Texts | None = None
        self._preparing: asyncio.Task[None] | None = None
        self._names: set[str] = set()
        self._sorted_names: Sequence[str] = ()
        self._orphans: OrderedDict[str, dict[str, None]] = OrderedDict()
        self._orphan_count = 0
        self._version = 0
        self.scans = asyncio.Semaphore(4)
        """Bounds how many queries that look at every candidate run at once."""

    @property
    def texts(self) -> Texts:
        """What is searched in, loaded with the first search."""
        if self._texts is None:
            from flower.state.search.texts import Texts

            self._texts = Texts()
        return self._texts

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

        Filters by state, name, worker, queue and time of receipt, the default order and the one by time of
        receipt are read off indexes; everything else looks at each candidate, or makes an index of
        its own for as long as somebody asks, and yields to the loop every few milliseconds.
        """
        from flower.state import query as queries  # only here: a Flower that nobody looks at searches nothing

        return await queries.answer(self, query)

    def prepare_search(self) -> None:
        """Begin to put the texts of tasks together, which takes seconds of a million tasks. Return at once."""
        if not self.texts.live and (self._preparing is None or self._preparing.done()):
            self._preparing = asyncio.ensure_future(self.texts.prepare(self._records))

    def names(self) -> Sequence[str]:
        """Return every task name seen since the start, sorted, up to 20,000."""
        if len(self._sorted_names) != len(self._names):
            self._sorted_names = tuple(sorted(self._names))
        return self._sorted_names

    def counts(self, field: str = "state") -> Mapping[str, int]:
        """Return how many kept tasks have each value of an indexed field: state, name, worker or queue."""
        index = self.indexes.get(field)
        if index is None:
            raise QueryError(f"Invalid field {field[:100]!r}, expected one of {', '.join(COUNTED)}")
        return {value: len(group) for value, group in index.groups.items() if group}

    def loss(self, task: Task) -> str:
        """Return "lost" or "restarted" for a task that nobody works on any more, else ""."""
        return self.losses.of(task)  # type: ignore[arg-type]  # the store's own, which plugins know as Task

    def is_lost(self, task: TaskRecord) -> bool:
        """Tell whether nobody works on an open task any more."""
        return self.losses.of(task) != ""

    def touch(self) -> None:
        """Make the version grow, because what is shown of tasks changed and no record did."""
        self._version += 1

    def kept(self) -> dict[str, TaskRecord]:
        """Return all tasks by id; the store's own, not to be changed."""
        return self._records

    # Index.move is repeated here four times: the `reduce` scenario of tests/bench pays for it.
    def place(self, record: TaskRecord, before: Position | None) -> None:
        """Take in a new record (`before` None) or a changed one that stood at `before`."""
        uuid = record.uuid
        stood = record.order
        self._version = record.order = self._version + 1
        if before is None:
            self._enter(record)
            return
        old_state, old_name, old_worker, old_received, old_queue = before
        self.changed.leave(uuid, stood)
        self.changed.enter(record)
        state, name, worker = record.state, record.name, record.worker
        groups = self.by_state.groups
        group = groups[old_state]
        del group[uuid]
        if state == old_state:
            group[uuid] = record
        else:
            if not group:
                self.by_state.close(old_state)
            if state not in groups:
                self.by_state.open(state)
            groups[state][uuid] = record
        if name is not None and name == old_name:
            group = self.by_name.groups[name]
            del group[uuid]
            group[uuid] = record
        elif name != old_name:
            self.by_name.move(record, old_name, name)
            self._note_name(name)
        if worker is not None and worker == old_worker:
            group = self.by_worker.groups[worker]
            del group[uuid]
            group[uuid] = record
        elif worker != old_worker:
            self.by_worker.move(record, old_worker, worker)
        queue = record.queue
        if queue is not None and queue == old_queue:
            group = self.by_queue.groups[queue]
            del group[uuid]
            group[uuid] = record
        elif queue != old_queue:
            self.by_queue.move(record, old_queue, queue)
        if record.received != old_received:
            self.received.move(uuid, old_received, record.received)
        if self._texts is not None and self._texts.live:
            self._texts.note(uuid)

    def tick(self) -> None:
        """Give up what was made for readers who have left; to be called with every tick."""
        self.orders.expire()
        if self._texts is not None:
            self._texts.expire()

    def link(self, record: TaskRecord) -> None:
        """Note a task as its parent's child; the parent may arrive later."""
        uuid, parent_id = record.uuid, record.parent_id
        if parent_id is None:
            return
        parent = self._records.get(parent_id)
        if parent is not None:
            record.parent_id = parent.uuid  # one text for both
            parent.add_child(uuid)
            return
        children = self._orphans.setdefault(parent_id, {})
        if uuid in children or len(children) >= MAX_CHILDREN:
            return
        children[uuid] = None
        self._orphan_count += 1
        while self._orphan_count > _MAX_ORPHANS:
            self._orphan_count -= len(self._orphans.popitem(last=False)[1])

    def _enter(self, record: TaskRecord) -> None:
        uuid = record.uuid
        self._records[uuid] = record
        self.changed.enter(record)
        self.by_state.move(record, None, record.state)
        if record.name is not None:
            self.by_name.move(record, None, record.name)
            self._note_name(record.name)
        if record.worker is not None:
            self.by_worker.move(record, None, record.worker)
        if record.queue is not None:
            self.by_queue.move(record, None, record.queue)
        self.received.enter(uuid, record.received)
        if self._texts is not None and self._texts.live:
            self._texts.note(uuid)
        if self._orphans:
            self._adopt(record)
        if len(self._records) > self._max_tasks:
            self._evict()

    def _note_name(self, name: str | None) -> None:
        if name is not None and len(self._names) < _MAX_NAMES:
            self._names.add(name)

    def _adopt(self, record: TaskRecord) -> None:
        children = self._orphans.pop(record.uuid, {})
        self._orphan_count -= len(children)
        for child in children:
            record.add_child(child)

    def _disown(self, uuid: str, parent_id: str) -> None:
        """Let go of a child whose parent never came."""
        children = self._orphans[parent_id]
        if uuid in children:
            del children[uuid]
            self._orphan_count -= 1
            if not children:
                del self._orphans[parent_id]

    def _evict(self) -> None:
        uuid = self.changed.oldest()
        record = self._records.pop(uuid)
        self.changed.leave(uuid, record.order)
        self.by_state.discard(record.state, uuid)
        self.by_name.discard(record.name, uuid)
        self.by_worker.discard(record.worker, uuid)
        self.by_queue.discard(record.queue, uuid)
        self.received.leave(uuid, record.received)
        if record.parent_id is not None and record.parent_id in self._orphans:
            self._disown(uuid, record.parent_id)
        if self._texts is not None and self._texts.live:
            self._texts.drop(uuid)
        self._on_evict(record)
