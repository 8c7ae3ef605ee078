"""What this plugin contributes: the routes under /api."""

from __future__ import annotations

import secrets
from collections.abc import Sequence

from flower_api.plugins import PluginsHandler
from flower_api.queues import QueueLengthHandler
from flower_api.tasks import SORT_FIELDS, TaskInfoHandler, TasksHandler, TaskTypesHandler
from flower_api.workers import WorkersHandler
from flower_plugins import Param, Route, hookimpl

__all__ = ["flower_routes"]

_TIME = "YYYY-MM-DD HH:MM in the Celery app's time zone, or ISO 8601; inclusive"


@hookimpl
def flower_routes() -> Sequence[Route]:
    """Answer the read routes of the API."""
    return [
        Route(
            "/api/tasks",
            TasksHandler,
            access="read",
            surface="api",
            name="list tasks",
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
            help="Every task name seen since the start.",
        ),
        Route(
            "/api/task/info/(?P<id>.*)",
            TaskInfoHandler,
            access="read",
            surface="api",
            name="task info",
            help="One task.",
        ),
        Route(
            "/api/workers",
            WorkersHandler,
            access="read",
            surface="api",
            name="list workers",
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
            help="The queues that workers consume from, with their lengths.",
        ),
        Route(
            "/api/plugins",
            PluginsHandler,
            access="read",
            surface="api",
            name="list plugins",
            help="Every plugin found, with its state and, if it failed, why.",
        ),
    ]
