"""Entry point: a sink that logs tasks which took long."""

from __future__ import annotations

import logging
from collections.abc import Sequence

from flower_plugins import EventSink, Host, Option, TaskChange, WorkerChange, hookimpl

FLOWER_API_VERSION = 1

log = logging.getLogger(__name__)


class SlowTasks(EventSink):
    """Runs on the event loop for each batch of changes: it must not wait for anything."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds

    def on_changes(self, changes: Sequence[TaskChange | WorkerChange]) -> None:
        for change in changes:
            if isinstance(change, TaskChange) and change.type == "task-succeeded":
                runtime = change.task.runtime
                if runtime is not None and runtime > self._seconds:
                    log.warning("Task %r (%s) took %.1f s", change.task.name, change.task.uuid, runtime)


@hookimpl
def flower_options() -> Sequence[Option]:
    return [Option("slow_tasks_seconds", float, 60.0, "Tasks that took longer are logged")]


@hookimpl
def flower_event_sinks(host: Host) -> Sequence[EventSink]:
    return [SlowTasks(host.settings["slow_tasks_seconds"])]
