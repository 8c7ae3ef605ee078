"""Tasks and workers made by hand, with the defaults a test does not care about."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

__all__ = ["TASK_FIELDS", "FakeTask", "FakeWorker"]

TASK_FIELDS = (
    "uuid name state received sent started rejected succeeded failed retried revoked args kwargs eta expires "
    "retries worker result exception timestamp runtime traceback exchange routing_key clock client root root_id "
    "parent parent_id children"
).split()
"""The keys of a task in the REST API, in order."""


@dataclass
class FakeTask:
    """A task of plain values; satisfies `flower_plugins.Task`."""

    uuid: str
    name: str | None = "shop.add"
    state: str = "SUCCESS"
    worker: str | None = "w1@shop"
    client: str | None = None
    args: str | None = "(1, 2)"
    kwargs: str | None = "{}"
    result: str | None = "3"
    exception: str | None = None
    traceback: str | None = None
    sent: float | None = None
    received: float | None = 1_700_000_000.0
    started: float | None = 1_700_000_000.5
    succeeded: float | None = 1_700_000_001.0
    failed: float | None = None
    retried: float | None = None
    revoked: float | None = None
    rejected: float | None = None
    timestamp: float = 1_700_000_001.0
    runtime: float | None = 0.5
    retries: int | None = 0
    eta: str | None = None
    expires: str | None = None
    queue: str | None = None
    exchange: str | None = None
    routing_key: str | None = None
    root_id: str | None = None
    parent_id: str | None = None
    children: Sequence[str] = ()
    clock: int = 1
    passed: Sequence[tuple[str, float]] = ()
    extra: Mapping[str, Any] = field(default_factory=dict)

    def fields(self) -> dict[str, Any]:
        """Return the task as the REST API shows it."""
        values = {**asdict(self), "root": self.root_id, "parent": self.parent_id, "children": list(self.children)}
        return {name: values[name] for name in TASK_FIELDS}


@dataclass
class FakeWorker:
    """A worker of plain values; satisfies `flower_plugins.Worker`."""

    hostname: str
    online: bool = True
    last_seen: float | None = 1_700_000_001.0
    pid: int | None = 4711
    freq: float | None = 2.0
    heartbeats: Sequence[float] = (1_700_000_001.0,)
    clock: int = 1
    active: int | None = 0
    processed: int | None = 0
    loadavg: Sequence[float] | None = (0.1, 0.2, 0.3)
    sw_ident: str | None = "py-celery"
    sw_ver: str | None = "5.5.0"
    sw_sys: str | None = "Linux"
    skew: float | None = 0.0
    counts: Mapping[str, int] = field(default_factory=dict)

    def fields(self) -> dict[str, Any]:
        """Return the worker as `/workers?json=1` shows it."""
        own = asdict(self)
        for name in ("online", "last_seen", "counts"):
            del own[name]
        own["heartbeats"] = list(self.heartbeats)
        return {**self.counts, **own, "status": self.online}
