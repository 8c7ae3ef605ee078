"""The dashboard's URLs, and who may use each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from flower_dashboard import params
from flower_dashboard.batches import Batches
from flower_dashboard.fragments import Fragments
from flower_dashboard.orders import ORDERS
from flower_dashboard.refresher import Refresher
from flower_plugins import Host, Route

__all__ = ["routes"]


def routes(host: Host) -> Sequence[Route]:
    """Return every route; those of a task or worker before its own page, whose pattern takes any name."""
    shared = {"refresher": Refresher(host), "fragments": Fragments()}
    return [
        Route(
            "/",
            "flower_dashboard.pages.overview:OverviewPage",
            "read",
            "page",
            "home",
            params.OVERVIEW_PARAMS,
            "Overview",
            shared,
        ),
        Route(
            "/broker/?",
            "flower_dashboard.pages.broker:BrokerPage",
            "read",
            "page",
            "broker",
            params.BROKER_PARAMS,
            "Queues",
            shared,
        ),
        Route(
            "/task-types/?",
            "flower_dashboard.pages.task_types:TaskTypesPage",
            "read",
            "page",
            "task-types",
            params.TASK_TYPES_PARAMS,
            "Task names in numbers",
            shared,
        ),
        Route(
            "/workers/?",
            "flower_dashboard.pages.workers:WorkersPage",
            "read",
            "page",
            "workers",
            params.WORKERS_PARAMS,
            "Workers",
            shared,
        ),
        *_worker_routes(shared),
        *_tasks_routes(shared),
        *_task_routes(shared),
        Route(
            "/plugins/?", "flower_dashboard.pages.plugins:PluginsPage", "read", "page", "plugins", (), "Plugins", shared
        ),
        Route(
            "/stream",
            "flower_dashboard.stream:StreamHandler",
            "read",
            "page",
            "stream",
            params.STREAM_PARAMS,
            "Changes, as server-sent events",
        ),
    ]


def _worker_routes(shared: Mapping[str, Any]) -> list[Route]:
    one = "/worker/(?P<name>.+?)"
    return [
        Route(
            "/workers/confirm",
            "flower_dashboard.worker_actions:ConfirmManyPage",
            "read",
            "page",
            "workers-confirm",
            params.CONFIRM_ORDER_PARAMS,
            "Confirm an order to several workers",
            shared,
        ),
        Route(
            "/workers/order",
            "flower_dashboard.worker_actions:ManyWorkersOrder",
            "write",
            "page",
            "workers-order",
            params.MANY_PARAMS,
            "Give one order to several workers",
            shared,
        ),
        *_order_routes(shared),
        Route(
            f"{one}/refresh",
            "flower_dashboard.actions:RefreshWorker",
            "read",
            "page",
            "worker-refresh",
            (),
            "Ask a worker again",
        ),
        Route(
            f"{one}/confirm",
            "flower_dashboard.worker_actions:ConfirmOnePage",
            "read",
            "page",
            "worker-confirm",
            params.CONFIRM_ORDER_PARAMS,
            "Confirm an action on a worker",
            shared,
        ),
        Route(
            f"{one}/?",
            "flower_dashboard.pages.worker:WorkerPage",
            "read",
            "page",
            "worker",
            params.WORKER_PARAMS,
            "One worker",
            shared,
        ),
    ]


def _order_routes(shared: Mapping[str, Any]) -> list[Route]:
    one = "/worker/(?P<name>.+?)"

    def options(slug: str) -> dict[str, Any]:
        return {**shared, "order": ORDERS[slug]}

    made = "flower_dashboard.worker_actions:WorkerOrder"
    return [
        Route(
            f"{one}/shutdown",
            made,
            "admin",
            "page",
            "worker-shutdown",
            ORDERS["shutdown"].params,
            "Shut a worker down",
            options("shutdown"),
        ),
        Route(
            f"{one}/pool/restart",
            made,
            "admin",
            "page",
            "worker-pool-restart",
            ORDERS["pool-restart"].params,
            "Restart a pool",
            options("pool-restart"),
        ),
        Route(
            f"{one}/pool/grow",
            made,
            "write",
            "page",
            "worker-pool-grow",
            ORDERS["pool-grow"].params,
            "Add processes",
            options("pool-grow"),
        ),
        Route(
            f"{one}/pool/shrink",
            made,
            "write",
            "page",
            "worker-pool-shrink",
            ORDERS["pool-shrink"].params,
            "Remove processes",
            options("pool-shrink"),
        ),
        Route(
            f"{one}/pool/autoscale",
            made,
            "write",
            "page",
            "worker-autoscale",
            ORDERS["autoscale"].params,
            "Bound the size of a pool",
            options("autoscale"),
        ),
        Route(
            f"{one}/queue/add",
            made,
            "write",
            "page",
            "worker-consumer-add",
            ORDERS["consumer-add"].params,
            "Consume from a queue",
            options("consumer-add"),
        ),
        Route(
            f"{one}/queue/cancel",
            made,
            "write",
            "page",
            "worker-consumer-cancel",
            ORDERS["consumer-cancel"].params,
            "No longer consume from a queue",
            options("consumer-cancel"),
        ),
        Route(
            f"{one}/limit/rate",
            made,
            "write",
            "page",
            "worker-rate-limit",
            ORDERS["rate-limit"].params,
            "Limit how often a task runs",
            options("rate-limit"),
        ),
        Route(
            f"{one}/limit/time",
            made,
            "write",
            "page",
            "worker-time-limit",
            ORDERS["time-limit"].params,
            "Limit how long a task runs",
            options("time-limit"),
        ),
        Route(
            f"{one}/forget",
            made,
            "write",
            "page",
            "worker-forget",
            ORDERS["forget"].params,
            "Remove an offline worker from the list",
            options("forget"),
        ),
    ]


def _tasks_routes(shared: Mapping[str, Any]) -> list[Route]:
    batches = {**shared, "batches": Batches()}
    return [
        Route(
            "/tasks/?",
            "flower_dashboard.pages.tasks:TasksPage",
            "read",
            "page",
            "tasks",
            params.TASKS_PARAMS,
            "Tasks",
            shared,
        ),
        Route(
            "/tasks/datatable/?",
            "flower_dashboard.pages.datatable:TasksDatatable",
            "read",
            "page",
            "tasks-datatable",
            params.DATATABLE_PARAMS,
            "Tasks for DataTables",
        ),
        Route(
            "/tasks/suggest",
            "flower_dashboard.pages.suggest:SuggestTasks",
            "read",
            "page",
            "tasks-suggest",
            params.SUGGEST_PARAMS,
            "What a search may mean",
        ),
        Route(
            "/tasks/export",
            "flower_dashboard.pages.export:ExportTasks",
            "read",
            "page",
            "tasks-export",
            params.EXPORT_PARAMS,
            "Tasks as a file",
        ),
        Route(
            "/tasks/confirm",
            "flower_dashboard.pages.bulk:ConfirmTasksPage",
            "read",
            "page",
            "tasks-confirm",
            params.CONFIRM_TASKS_PARAMS,
            "Confirm an order to many tasks",
            batches,
        ),
        Route(
            "/tasks/revoke",
            "flower_dashboard.pages.bulk:RevokeTasks",
            "write",
            "page",
            "tasks-revoke",
            params.REVOKE_TASKS_PARAMS,
            "Revoke many tasks",
            batches,
        ),
    ]


def _task_routes(shared: Mapping[str, Any]) -> list[Route]:
    one = "/task/(?P<uuid>.+?)"
    return [
        Route(
            f"{one}/revoke",
            "flower_dashboard.actions:RevokeTask",
            "write",
            "page",
            "task-revoke",
            params.REVOKE_PARAMS,
            "Revoke a task",
        ),
        Route(
            f"{one}/abort",
            "flower_dashboard.actions:AbortTask",
            "write",
            "page",
            "task-abort",
            (),
            "Mark a task as aborted",
        ),
        Route(
            f"{one}/result",
            "flower_dashboard.pages.task:TaskResultPage",
            "read",
            "page",
            "task-result",
            params.TASK_RESULT_PARAMS,
            "A task's result",
            shared,
        ),
        Route(
            f"{one}/confirm",
            "flower_dashboard.pages.task:ConfirmTaskPage",
            "read",
            "page",
            "task-confirm",
            params.CONFIRM_TASK_PARAMS,
            "Confirm an action on a task",
            shared,
        ),
        Route(
            f"{one}/?",
            "flower_dashboard.pages.task:TaskPage",
            "read",
            "page",
            "task",
            params.TASK_PARAMS,
            "One task",
            shared,
        ),
    ]
