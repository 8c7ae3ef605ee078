"""Changes: what the reducer tells sinks after each batch of events."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import NamedTuple

from flower_plugins.records import Task, Worker

__all__ = ["EventSink", "TaskChange", "WorkerChange"]


class TaskChange(NamedTuple):
    """One `task-*` event that was applied; `previous` is the state before, None for a new task.

    `hostname` is who sent the event: the worker, or for `task-sent` the client. The types "task-held"
    and "task-lost" stand for no event, but for what a worker answered when it was asked which tasks it holds.
    """

    task: Task
    previous: str | None
    type: str
    hostname: str


class WorkerChange(NamedTuple):
    """One `worker-*` event that was applied, or "worker-lost" when heartbeats stopped.

    "worker-gone" and "worker-back" say that its open tasks count as lost from now on, or no longer.
    """

    worker: Worker
    type: str


class EventSink(ABC):
    """Receives every change, in batches, on the event loop."""

    @abstractmethod
    def on_changes(self, changes: Sequence[TaskChange | WorkerChange]) -> None:
        """Take note of a batch. Must not block; five exceptions in a row turn the sink off."""
