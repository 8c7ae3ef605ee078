"""The routes that read what Flower knows, and those that describe the API."""

from __future__ import annotations

import secrets
from collections.abc import Sequence

from flower_api.answers import BAD_REQUEST, UNAVAILABLE, UNKNOWN_TASK, UNKNOWN_WORKER
from flower_api.params import SORT_FIELDS
from flower_api.schemas import ListedTask, Plugins, QueueLengths, TaskInfo, TaskTypes, WorkerInfo
from flower_plugins import Answer, Example, Param, Route

__all__ = ["read_routes"]

_TIME = "`YYYY-MM-DD HH:MM` in the Celery application's time zone, or ISO 8601; inclusive"


def read_routes() -> Sequence[Route]:
    """Return the routes that change nothing."""
    return [*_task_routes(), *_other_routes()]


def _task_routes() -> Sequence[Route]:
    return [
        Route(
            "/api/tasks",
            "flower_api.tasks:TasksHandler",
            access="read",
            surface="api",
            name="list tasks",
            help="The tasks in memory as an object keyed by id, last changed first unless `sort_by` says otherwise. "
            "`X-Total-Count` tells how many match in all. With a `limit`, `Link` leads to the next page.",
            options={"epoch": secrets.token_hex(4)},  # versions begin anew with each start, so tags must differ
            params=(
                Param("limit", int, help="At most so many; all by default, none from 0 down"),
                Param("offset", int, default=0, help="Skip so many"),
                Param(
                    "after",
                    help="Go on behind a page: the value in that page's `Link`. Unlike `offset` it repeats and skips "
                    "nothing while tasks come in. For the default order and `sort_by=received`",
                ),
                Param("sort_by", help=f"One of {', '.join(SORT_FIELDS)}; a leading `-` sorts descending"),
                Param("workername", help="Only tasks of this worker, in any case; `All` for every one"),
                Param("taskname", help="Only tasks of this name, in any case"),
                Param("state", help="Only tasks in this state, in any case"),
                Param("received_start", help=f"Received then or later; {_TIME}. Tasks without that time are left out"),
                Param("received_end", help="Received then or earlier"),
                Param("started_start", help="Started then or later"),
                Param("started_end", help="Started then or earlier"),
                Param("search", help="The search language of the tasks page"),
            ),
            answers=[Answer(200, "The tasks by id", dict[str, ListedTask]), BAD_REQUEST],
            examples=[
                Example("Two failed tasks", {"state": "FAILURE", "limit": 2}),
                Example("The newest of one type", {"taskname": "TASK_NAME", "sort_by": "-received", "limit": 1}),
                Example("What to look into", {"search": "state:FAILURE OR state:RETRY", "limit": 10}),
            ],
        ),
        Route(
            "/api/task/types",
            "flower_api.tasks:TaskTypesHandler",
            access="read",
            surface="api",
            name="list task types",
            help="Every task name seen since the start, also of tasks that are no longer in memory.",
            answers=[Answer(200, "The names", TaskTypes)],
        ),
        Route(
            "/api/task/info/(?P<id>.*)",
            "flower_api.tasks:TaskInfoHandler",
            access="read",
            surface="api",
            name="task info",
            help="One task, as far as it is in memory.",
            answers=[Answer(200, "The task", TaskInfo), UNKNOWN_TASK],
        ),
    ]


def _other_routes() -> Sequence[Route]:
    return [
        Route(
            "/api/workers",
            "flower_api.workers:WorkersHandler",
            access="read",
            surface="api",
            name="list workers",
            help="What the workers said of themselves when last asked, by name.",
            params=(
                Param("refresh", bool, default=False, help="Ask them before answering"),
                Param("workername", help="Only this worker"),
                Param("status", bool, default=False, help="Only whether each is online, those long gone included"),
            ),
            answers=[
                Answer(200, "By worker; with `status` true or false", dict[str, WorkerInfo | bool]),
                BAD_REQUEST,
                UNKNOWN_WORKER,
            ],
            examples=[
                Example("What is known of all"),
                Example("Who is online", {"status": True}),
                Example("Ask one worker now", {"refresh": True, "workername": "WORKER"}),
            ],
        ),
        Route(
            "/api/queues/length",
            "flower_api.queues:QueueLengthHandler",
            access="read",
            surface="api",
            name="queue lengths",
            help="The queues that workers consume from, with their lengths.",
            answers=[
                Answer(200, "The queues", QueueLengths),
                Answer(404, "This kind of broker cannot be asked", content_type="text/plain"),
                UNAVAILABLE,
            ],
        ),
        Route(
            "/api/plugins",
            "flower_api.plugins:PluginsHandler",
            access="read",
            surface="api",
            name="list plugins",
            help="Every plugin found, with its state and, if it failed, why.",
            answers=[Answer(200, "The plugins", Plugins)],
        ),
        Route(
            r"/api/openapi\.json",
            "flower_api.documents:OpenApiHandler",
            access="read",
            surface="api",
            name="OpenAPI document",
            help="This API in the words of OpenAPI 3.1, plugins' routes included.",
            answers=[Answer(200, "The document", dict)],
            options={"kept": {}},
        ),
        Route(
            "/api/docs",
            "flower_api.documents:DocsHandler",
            access="read",
            surface="page",
            name="API reference",
            help="This API as a page.",
            answers=[Answer(200, "The page", content_type="text/html")],
            options={"kept": {}},
        ),
    ]
