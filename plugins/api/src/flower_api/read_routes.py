"""The routes that read what Flower knows."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from typing import Any

from flower_api.answers import BAD_REQUEST, UNAVAILABLE, UNKNOWN_TASK, UNKNOWN_WORKER, Plugins, QueueLengths, TaskTypes
from flower_api.plugins import PluginsHandler
from flower_api.queues import QueueLengthHandler
from flower_api.tasks import SORT_FIELDS, TaskInfoHandler, TasksHandler, TaskTypesHandler
from flower_api.workers import WorkersHandler
from flower_plugins import Answer, Param, Route

__all__ = ["read_routes"]

_TIME = "YYYY-MM-DD HH:MM in the Celery app's time zone, or ISO 8601; inclusive"


def read_routes() -> Sequence[Route]:
    """Return them."""
    return [
        Route(
            "/api/tasks",
            TasksHandler,
            access="read",
            surface="api",
            name="list tasks",
            answers=[Answer(200, "Tasks by id", dict[str, dict[str, Any]]), BAD_REQUEST],
            help="The tasks in memory, newest change first, as an object keyed by id.",
            options={"epoch": secrets.token_hex(4)},  # versions begin anew with each start, so tags must differ
            params=(
                Param("limit", int, help="Maximum number of tasks; all by default"),
                Param("offset", int, default=0, help="Skip so many"),
                Param("sort_by", help=f"One of {', '.join(SORT_FIELDS)}; a leading - sorts descending"),
                Param("workername", help="Only tasks of this worker"),
                Param("taskname", help="Only tasks of this name"),
                Param("state", help="Only tasks in this state"),
                Param("received_start", help=_TIME),
                Param("received_end", help=_TIME),
                Param("started_start", help=_TIME),
                Param("started_end", help=_TIME),
                Param("search", help="A search as on the tasks page"),
            ),
        ),
        Route(
            "/api/task/types",
            TaskTypesHandler,
            access="read",
            surface="api",
            name="list task types",
            answers=[Answer(200, "Names, sorted", TaskTypes)],
            help="Every task name seen since the start.",
        ),
        Route(
            "/api/task/info/(?P<id>.*)",
            TaskInfoHandler,
            access="read",
            surface="api",
            name="task info",
            answers=[Answer(200, "The task", dict[str, Any]), UNKNOWN_TASK],
            help="One task.",
        ),
        Route(
            "/api/workers",
            WorkersHandler,
            access="read",
            surface="api",
            name="list workers",
            answers=[Answer(200, "Workers by name", dict[str, Any]), BAD_REQUEST, UNKNOWN_WORKER],
            help="What workers say of themselves, by worker.",
            params=(
                Param("refresh", bool, default=False, help="Ask the workers before answering"),
                Param("workername", help="Only this worker"),
                Param("status", bool, default=False, help="Only whether each worker is online"),
            ),
        ),
        Route(
            "/api/queues/length",
            QueueLengthHandler,
            access="read",
            surface="api",
            name="queue lengths",
            answers=[Answer(200, "Queues", QueueLengths), UNAVAILABLE],
            help="The queues that workers consume from, with their lengths.",
        ),
        Route(
            "/api/plugins",
            PluginsHandler,
            access="read",
            surface="api",
            name="list plugins",
            answers=[Answer(200, "Plugins", Plugins)],
            help="Every plugin found, with its state and, if it failed, why.",
        ),
    ]
