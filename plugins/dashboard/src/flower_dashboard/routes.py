"""The dashboard's URLs, and who may use each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from flower_dashboard import actions
from flower_dashboard.fragments import Fragments
from flower_dashboard.pages import datatable, plugins, task, tasks, worker, workers
from flower_dashboard.refresher import Refresher
from flower_dashboard.stream import STREAM_PARAMS, StreamHandler
from flower_plugins import Host, Route

__all__ = ["routes"]


def routes(host: Host) -> Sequence[Route]:
    """Return every route; those of a task or worker before its own page, whose pattern takes any name."""
    shared = {"refresher": Refresher(host), "fragments": Fragments()}
    return [
        Route("/", workers.WorkersPage, "read", "page", "home", workers.WORKERS_PARAMS, "Workers", shared),
        Route("/workers/?", workers.WorkersPage, "read", "page", "workers", workers.WORKERS_PARAMS, "Workers", shared),
        *_worker_routes(shared),
        Route("/tasks/?", tasks.TasksPage, "read", "page", "tasks", tasks.TASKS_PARAMS, "Tasks", shared),
        Route(
            "/tasks/datatable/?",
            datatable.TasksDatatable,
            "read",
            "page",
            "tasks-datatable",
            datatable.DATATABLE_PARAMS,
            "Tasks for DataTables",
        ),
        *_task_routes(shared),
        Route("/plugins/?", plugins.PluginsPage, "read", "page", "plugins", (), "Plugins", shared),
        Route("/stream", StreamHandler, "read", "page", "stream", STREAM_PARAMS, "Changes, as server-sent events"),
    ]


def _worker_routes(shared: Mapping[str, Any]) -> list[Route]:
    one = "/worker/(?P<name>.+?)"
    pool = actions.POOL_PARAMS
    return [
        Route(f"{one}/shutdown", actions.ShutdownWorker, "admin", "page", "worker-shutdown", (), "Shut a worker down"),
        Route(
            f"{one}/pool/restart",
            actions.PoolRestart,
            "admin",
            "page",
            "worker-pool-restart",
            (),
            "Restart a pool",
            shared,
        ),
        Route(f"{one}/pool/grow", actions.PoolGrow, "write", "page", "worker-pool-grow", pool, "Add processes", shared),
        Route(
            f"{one}/pool/shrink",
            actions.PoolShrink,
            "write",
            "page",
            "worker-pool-shrink",
            pool,
            "Remove processes",
            shared,
        ),
        Route(f"{one}/refresh", actions.RefreshWorker, "read", "page", "worker-refresh", (), "Ask a worker again"),
        Route(
            f"{one}/confirm",
            worker.ConfirmWorkerPage,
            "read",
            "page",
            "worker-confirm",
            worker.CONFIRM_PARAMS,
            "Confirm an action on a worker",
            shared,
        ),
        Route(f"{one}/?", worker.WorkerPage, "read", "page", "worker", worker.WORKER_PARAMS, "One worker", shared),
    ]


def _task_routes(shared: Mapping[str, Any]) -> list[Route]:
    one = "/task/(?P<uuid>.+?)"
    return [
        Route(
            f"{one}/revoke", actions.RevokeTask, "write", "page", "task-revoke", actions.REVOKE_PARAMS, "Revoke a task"
        ),
        Route(
            f"{one}/confirm",
            task.ConfirmTaskPage,
            "read",
            "page",
            "task-confirm",
            task.CONFIRM_PARAMS,
            "Confirm an action on a task",
            shared,
        ),
        Route(f"{one}/?", task.TaskPage, "read", "page", "task", task.TASK_PARAMS, "One task", shared),
    ]
