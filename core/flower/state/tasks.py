"""One task as it is kept in memory: flat, typed, and holding ids where other tasks are meant."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any

import msgspec

__all__ = ["FIELDS", "MAX_CHILDREN", "NUMERIC_FIELDS", "TaskRecord"]

MAX_CHILDREN = 1000
MAX_EXTRA_FIELDS = 30
MAX_EXTRA_CHARACTERS = 2000

FIELDS = (
    "uuid",
    "name",
    "state",
    "received",
    "sent",
    "started",
    "rejected",
    "succeeded",
    "failed",
    "retried",
    "revoked",
    "args",
    "kwargs",
    "eta",
    "expires",
    "retries",
    "worker",
    "result",
    "exception",
    "timestamp",
    "runtime",
    "traceback",
    "exchange",
    "routing_key",
    "clock",
    "client",
    "root",
    "root_id",
    "parent",
    "parent_id",
    "children",
)
"""The keys of `TaskRecord.fields`, in their order, which is that of Celery's own task records."""

NUMERIC_FIELDS = frozenset(
    (
        "received",
        "sent",
        "started",
        "rejected",
        "succeeded",
        "failed",
        "retried",
        "revoked",
        "retries",
        "timestamp",
        "runtime",
        "clock",
    )
)

_NOTHING: Mapping[str, Any] = MappingProxyType({})


class TaskRecord(msgspec.Struct, gc=False):
    """One task, merged from its events by `flower.state.reducer`; implements `flower_plugins.Task`.

    The garbage collector does not look inside, so a record never refers to another record.
    For each kind of event the time of the newest one is kept. `worker`, its Lamport `clock` and its
    time `heard` belong to the newest event that a worker sent; until there is one, `clock` is the client's.
    """

    uuid: str
    state: str = "PENDING"
    timestamp: float = 0.0
    order: int = 0
    """Grows with every change of any task in the store."""
    name: str | None = None
    worker: str | None = None
    client: str | None = None
    args: str | None = None
    kwargs: str | None = None
    result: str | None = None
    exception: str | None = None
    traceback: str | None = None
    runtime: float | None = None
    retries: int | None = None
    eta: str | None = None
    expires: str | None = None
    queue: str | None = None
    exchange: str | None = None
    routing_key: str | None = None
    root_id: str | None = None
    parent_id: str | None = None
    clock: int = 0
    heard: float = 0.0
    sent: float | None = None
    received: float | None = None
    started: float | None = None
    succeeded: float | None = None
    failed: float | None = None
    retried: float | None = None
    revoked: float | None = None
    rejected: float | None = None
    custom: float | None = None
    custom_state: str | None = None
    attempt_after: float | None = None
    """When `worker` told of the newest retry: what it told before belongs to an earlier attempt."""
    former: tuple[str, ...] = ()
    """Hosts of earlier attempts, where known."""
    passed: tuple[tuple[str, float], ...] = ()
    """Kind and time of events of which a newer one came, to know them when they are delivered again."""
    waiting: tuple[str, str] | None = None
    """Worker and task label of the metric that counts this task as prefetched."""
    child_ids: dict[str, None] | None = None
    extra_fields: dict[str, Any] | None = None

    @property
    def children(self) -> Sequence[str]:
        """Ids of the tasks that named this one as their parent, oldest first, at most `MAX_CHILDREN`."""
        return tuple(self.child_ids or ())

    @property
    def extra(self) -> Mapping[str, Any]:
        """Fields of this task's events that Celery does not define, bounded in number and size."""
        return self.extra_fields or _NOTHING

    def add_child(self, uuid: str) -> None:
        """Note a child, unless there are too many."""
        if self.child_ids is None:
            self.child_ids = {}
        if len(self.child_ids) < MAX_CHILDREN:
            self.child_ids[uuid] = None

    def add_extra(self, extra: Mapping[str, Any], *, replace: bool) -> None:
        """Note fields Celery does not define; `replace` says whether known ones take the new value."""
        known = self.extra_fields
        if known is None:
            known = self.extra_fields = {}
        for key, value in extra.items():
            if (replace and key in known) or (key not in known and len(known) < MAX_EXTRA_FIELDS):
                known[key] = _cut(value)

    def fields(self) -> dict[str, Any]:
        """Return the task as the REST API shows it, keys as in `FIELDS`."""
        return {
            "uuid": self.uuid,
            "name": self.name,
            "state": self.state,
            "received": self.received,
            "sent": self.sent,
            "started": self.started,
            "rejected": self.rejected,
            "succeeded": self.succeeded,
            "failed": self.failed,
            "retried": self.retried,
            "revoked": self.revoked,
            "args": self.args,
            "kwargs": self.kwargs,
            "eta": self.eta,
            "expires": self.expires,
            "retries": self.retries,
            "worker": self.worker,
            "result": self.result,
            "exception": self.exception,
            "timestamp": self.timestamp,
            "runtime": self.runtime,
            "traceback": self.traceback,
            "exchange": self.exchange,
            "routing_key": self.routing_key,
            "clock": self.clock,
            "client": self.client,
            "root": self.root_id,
            "root_id": self.root_id,
            "parent": self.parent_id,
            "parent_id": self.parent_id,
            "children": list(self.child_ids or ()),
        }


def _cut(value: Any) -> Any:
    """Keep small values as they are and large ones as the beginning of their text."""
    if value is None or isinstance(value, (bool, int, float)):
        return value
    text = value if isinstance(value, str) else repr(value)
    return value if len(text) <= MAX_EXTRA_CHARACTERS else text[:MAX_EXTRA_CHARACTERS] + "…"
