"""Has workers asked about themselves as soon as they show up."""

from __future__ import annotations

from collections.abc import Sequence

from flower.control import InspectService
from flower_plugins import EventSink, TaskChange, WorkerChange

__all__ = ["Arrivals"]


class Arrivals(EventSink):
    """Tells the inspector of every worker that came online."""

    def __init__(self, inspect: InspectService) -> None:
        self._inspect = inspect
        self._online: set[str] = set()

    def on_changes(self, changes: Sequence[TaskChange | WorkerChange]) -> None:
        """Notice workers that were not there, or not online, before."""
        for change in changes:
            if isinstance(change, WorkerChange):
                self._note(change)

    def forget(self, hostname: str) -> None:
        """Take a worker that is no longer kept for new when it comes back."""
        self._online.discard(hostname)

    def _note(self, change: WorkerChange) -> None:
        name = change.worker.hostname
        if not change.worker.online:
            self._online.discard(name)
        elif name not in self._online or change.type == "worker-online":
            self._online.add(name)
            self._inspect.worker_arrived(name)
