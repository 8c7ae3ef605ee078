"""Tasks and workers as plugins see them: read-only."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

__all__ = ["EditableTask", "Task", "TaskFormatter", "Worker"]


class Task(Protocol):
    """One task, merged from its events.

    Times are seconds since the epoch (UTC) or None; `runtime` is seconds. `args`, `kwargs` and
    `result` are the texts the worker sent, after formatters, cut at 64 KB.
    """

    @property
    def uuid(self) -> str: ...
    @property
    def name(self) -> str | None: ...
    @property
    def state(self) -> str: ...
    @property
    def worker(self) -> str | None: ...
    @property
    def client(self) -> str | None: ...
    @property
    def args(self) -> str | None: ...
    @property
    def kwargs(self) -> str | None: ...
    @property
    def result(self) -> str | None: ...
    @property
    def exception(self) -> str | None: ...
    @property
    def traceback(self) -> str | None: ...
    @property
    def sent(self) -> float | None: ...
    @property
    def received(self) -> float | None: ...
    @property
    def started(self) -> float | None: ...
    @property
    def succeeded(self) -> float | None: ...
    @property
    def failed(self) -> float | None: ...
    @property
    def retried(self) -> float | None: ...
    @property
    def revoked(self) -> float | None: ...
    @property
    def rejected(self) -> float | None: ...
    @property
    def timestamp(self) -> float: ...
    @property
    def runtime(self) -> float | None: ...
    @property
    def retries(self) -> int | None: ...
    @property
    def eta(self) -> str | None: ...
    @property
    def expires(self) -> str | None: ...
    @property
    def queue(self) -> str | None: ...
    @property
    def exchange(self) -> str | None: ...
    @property
    def routing_key(self) -> str | None: ...
    @property
    def root_id(self) -> str | None: ...
    @property
    def parent_id(self) -> str | None: ...
    @property
    def children(self) -> Sequence[str]: ...
    @property
    def clock(self) -> int: ...
    @property
    def passed(self) -> Sequence[tuple[str, float]]:
        """Kind ("received", "started" …) and time of events of earlier attempts, oldest first, the last 32."""

    @property
    def extra(self) -> Mapping[str, Any]:
        """Fields of custom `task-*` events, bounded in number and size."""

    def fields(self) -> dict[str, Any]:
        """Return the task as the REST API shows it, `worker` in its place among the fields."""


class EditableTask:
    """The copy a formatter may change; what it leaves in args, kwargs, result, exception is kept.

    `args` and `result` are texts. `kwargs` is a mapping when the worker's text can be parsed, on
    which popping a missing key is harmless; otherwise it is a text whose `pop` hides the whole value.
    """

    def __init__(self, task: Task, *, kwargs: Any) -> None:
        self._task = task
        self.args: Any = task.args
        self.kwargs: Any = kwargs
        self.result: Any = task.result
        self.exception: Any = task.exception
        self.traceback: Any = task.traceback

    def __getattr__(self, name: str) -> Any:
        return getattr(self._task, name)


class TaskFormatter(Protocol):
    """Run once per task at ingestion, when an event brings args, kwargs, result or exception."""

    def format(self, task: EditableTask) -> EditableTask | None:
        """Change `task` in place, or return the one to use. Raising hides the task's data."""


class Worker(Protocol):
    """One worker, merged from its heartbeats and task events."""

    @property
    def hostname(self) -> str: ...
    @property
    def online(self) -> bool:
        """True while heartbeats arrive: the last is younger than twice its interval."""

    @property
    def last_seen(self) -> float | None:
        """When the last event arrived here, seconds since the epoch."""

    @property
    def pid(self) -> int | None: ...
    @property
    def freq(self) -> float | None:
        """Seconds between heartbeats, as announced."""

    @property
    def heartbeats(self) -> Sequence[float]: ...
    @property
    def clock(self) -> int: ...
    @property
    def active(self) -> int | None: ...
    @property
    def processed(self) -> int | None: ...
    @property
    def loadavg(self) -> Sequence[float] | None: ...
    @property
    def sw_ident(self) -> str | None: ...
    @property
    def sw_ver(self) -> str | None: ...
    @property
    def sw_sys(self) -> str | None: ...
    @property
    def skew(self) -> float | None:
        """How many seconds the worker's clock is ahead of ours, negative when behind; None before a heartbeat."""

    @property
    def counts(self) -> Mapping[str, int]:
        """Events seen here since the start, by type."""

    def fields(self) -> dict[str, Any]:
        """Return the worker as `/workers?json=1` shows it: event counts, heartbeat fields, status."""
