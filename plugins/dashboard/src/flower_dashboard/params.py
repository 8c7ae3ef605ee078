"""What the dashboard's routes take; apart from their handlers, which are loaded when they are asked for."""

from __future__ import annotations

from flower_dashboard.orders import ORDERS, order_params
from flower_plugins import Param

__all__ = [
    "BROKER_PARAMS",
    "CONFIRM_ORDER_PARAMS",
    "CONFIRM_TASKS_PARAMS",
    "CONFIRM_TASK_PARAMS",
    "DATATABLE_PARAMS",
    "DEFAULT_LIMIT",
    "DEFAULT_SORT",
    "EXPORT_PARAMS",
    "LONGEST_SEARCH",
    "MANY_PARAMS",
    "MEASURES",
    "MOST_ROWS",
    "OVERVIEW_PARAMS",
    "REVOKE_PARAMS",
    "REVOKE_TASKS_PARAMS",
    "SIGNALS",
    "SPANS",
    "SPLITS",
    "STATUSES",
    "STREAM_PARAMS",
    "SUGGEST_PARAMS",
    "TASKS_PARAMS",
    "TASK_PARAMS",
    "TASK_RESULT_PARAMS",
    "TASK_TYPES_PARAMS",
    "WORKERS_PARAMS",
    "WORKER_PARAMS",
]

DEFAULT_SORT = "-received"
DEFAULT_LIMIT = 50
MOST_ROWS = 5000
LONGEST_SEARCH = 2048
SIGNALS = ("SIGTERM", "SIGINT", "SIGQUIT", "SIGKILL", "SIGUSR1", "SIGHUP", "SIGABRT")

STATUSES = {"": "All", "online": "Online", "offline": "Offline"}

_FRAGMENT = Param("fragment", bool, False, help="Answer with the changing part of the page alone.")
_FLASH = (
    Param("flash", str, "", help="Code of the message to show."),
    Param("target", str, "", help="What it is about."),
)

MEASURES = {"count": "Count", "runtime": "Runtime", "wait": "Wait"}
SPLITS = {"state": "state", "task": "task", "queue": "queue", "worker": "worker"}
SPANS = {"5m": ("5 minutes", 300.0), "1h": ("1 hour", 3600.0), "24h": ("24 hours", 86_400.0)}

OVERVIEW_PARAMS = (
    _FRAGMENT,
    Param("json", bool, False, help="Answer with the workers as JSON, as older Flowers did here."),
    Param("measure", str, "count", choices=tuple(MEASURES), help="What the chart shows."),
    Param("by", str, "state", choices=tuple(SPLITS), help="What the chart is split by."),
    Param("span", str, "", choices=("", *SPANS), help="How far the chart goes back; what is known decides."),
)
TASK_TYPES_PARAMS = (
    _FRAGMENT,
    Param("search", str, "", help="Part of a task's name."),
    Param("sort_by", str, "-ended", help="A column of the page, descending with a leading dash."),
    Param("span", str, "1h", choices=tuple(SPANS), help="How far back the numbers go."),
)
BROKER_PARAMS = (
    _FRAGMENT,
    Param("span", str, "", choices=("", *SPANS), help="How far the graph goes back; what is known decides."),
)
WORKERS_PARAMS = (
    _FRAGMENT,
    Param("json", bool, False, help="Answer with the workers as JSON."),
    Param("refresh", bool, False, help="Ask all workers about themselves, without waiting for the answers."),
    Param("search", str, "", help="Part of a worker's name."),
    Param("status", str, "", choices=tuple(STATUSES), help="Only workers that are online, or offline."),
    Param("sort_by", str, "status", help="A column of the page, descending with a leading dash."),
    Param("offset", int, 0),
    Param("limit", int, 100, minimum=1, maximum=1000),
)
WORKER_PARAMS = (
    _FRAGMENT,
    *_FLASH,
    Param("limit", int, 50, minimum=1, maximum=10_000, help="How many entries of each list to show."),
)
_ACTION = Param("action", str, required=True, choices=tuple(ORDERS), help="What to ask about.")
CONFIRM_ORDER_PARAMS = (_FRAGMENT, _ACTION, *order_params())
MANY_PARAMS = (_ACTION, *order_params())
_FILTERS = (
    Param("search", str, "", help="A text in the search language."),
    Param("state", str, "", help="Only tasks in this state."),
    Param("worker", str, "", help="Only tasks of this worker."),
    Param("name", str, "", help="Only tasks of this name."),
    Param("queue", str, "", help="Only tasks sent to this queue."),
)
_IDS = Param("ids", str, "", help="Tasks, one a line, may be repeated; all that match when there is none.")
TASKS_PARAMS = (
    _FRAGMENT,
    *_FILTERS,
    Param("sort_by", str, DEFAULT_SORT, help="A task field, descending with a leading dash."),
    Param("offset", int, 0, help="Rows to pass over; with a cursor, how many were."),
    Param("limit", int, DEFAULT_LIMIT, minimum=1, maximum=1000),
    Param("after", str, "", help="The cursor of the page before."),
    Param("before", str, "", help="The cursor of the page behind."),
    Param("columns", str, "", help="Columns in their order, separated by commas, instead of `tasks_columns`."),
    Param("own", str, "", help="The same as this browser keeps them: `columns` goes before, and links do not tell."),
)
CONFIRM_TASKS_PARAMS = (
    _FRAGMENT,
    *_FILTERS,
    Param("action", str, required=True, choices=("revoke", "terminate", "export"), help="What to ask about."),
    _IDS,
)
REVOKE_TASKS_PARAMS = (
    Param("batch", str, required=True, help="The word that the question came with."),
    Param("terminate", bool, False, help="Also kill the processes that run the tasks."),
    Param("signal", str, "SIGTERM", choices=SIGNALS, help="The signal to kill them with."),
)
SUGGEST_PARAMS = (
    Param("search", str, "", help="The search text so far."),
    Param("caret", int, LONGEST_SEARCH, minimum=0, help="Where in it the caret stands, the end by default."),
)
EXPORT_PARAMS = (
    *_FILTERS,
    Param("sort_by", str, DEFAULT_SORT, help="received or -received."),
    Param("format", str, "csv", choices=("csv", "json"), help="csv or json."),
    _IDS,
)
DATATABLE_PARAMS = (
    Param("draw", int, required=True, help="Comes back unchanged."),
    Param("start", int, required=True, help="Rows to pass over."),
    Param("length", int, required=True, help=f"Rows to return, none when it is not positive, at most {MOST_ROWS}."),
    Param("order[0][column]", int, required=True, help="Number of the column to sort by."),
    Param("order[0][dir]", str, "asc", help="“desc” for descending."),
    Param("search[value]", str, "", help="A text in the search language."),
)
TASK_PARAMS = (_FRAGMENT, *_FLASH)
TASK_RESULT_PARAMS = (_FRAGMENT,)
CONFIRM_TASK_PARAMS = (
    _FRAGMENT,
    Param("action", str, required=True, choices=("revoke", "terminate", "abort"), help="What to ask about."),
)
REVOKE_PARAMS = (
    Param("terminate", bool, False, help="Also kill the process that runs the task."),
    Param("signal", str, "SIGTERM", choices=SIGNALS, help="The signal to kill it with."),
)
STREAM_PARAMS = (Param("topics", str, required=True, help="Names such as workers, tasks, task:ID, between commas."),)
