"""The dashboard's URLs, and who may use each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from flower_dashboard import actions, worker_actions
from flower_dashboard.fragments import Fragments
from flower_dashboard.orders import ORDERS
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
    orders = [
        Route(
            f"{one}/{order.path}",
            worker_actions.WorkerOrder,
            order.access,
            "page",
            f"worker-{order.slug}",
            order.params,
            order.consequence,
            {**shared, "order": order},
        )
        for order in ORDERS.values()
    ]
    return [
        Route(
            "/workers/confirm",
            worker_actions.ConfirmManyPage,
            "read",
            "page",
            "workers-confirm",
            worker_actions.CONFIRM_PARAMS,
            "Confirm an order to several workers",
            shared,
        ),
        Route(
            "/workers/order",
            worker_actions.ManyWorkersOrder,
            "write",
            "page",
            "workers-order",
            worker_actions.MANY_PARAMS,
            "Give one order to several workers",
            shared,
        ),
        *orders,
        Route(f"{one}/refresh", actions.RefreshWorker, "read", "page", "worker-refresh", (), "Ask a worker again"),
        Route(
            f"{one}/confirm",
            worker_actions.ConfirmOnePage,
            "read",
            "page",
            "worker-confirm",
            worker_actions.CONFIRM_PARAMS,
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
