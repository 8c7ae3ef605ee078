"""What routes take, apart from their handlers, which are loaded when they are asked for."""

from __future__ import annotations

from flower_plugins import Param
from flower_plugins.bounds import MAX_PROCESSES, MAX_SECONDS

__all__ = [
    "AUTOSCALE_PARAMS",
    "CALL_PARAMS",
    "MAX_WAIT",
    "POOL_PARAMS",
    "QUEUE_PARAMS",
    "RATE_LIMIT_PARAMS",
    "RESULT_PARAMS",
    "REVOKE_PARAMS",
    "SORT_FIELDS",
    "TIMEOUT_PARAMS",
]

SORT_FIELDS = ("name", "received", "started", "state")
MAX_WAIT = 60.0
"""The longest time to wait for a result, in seconds."""

POOL_PARAMS = (Param("n", int, 1, minimum=1, maximum=MAX_PROCESSES, help="How many processes"),)
AUTOSCALE_PARAMS = (
    Param("min", int, required=True, minimum=0, maximum=MAX_PROCESSES, help="The fewest processes"),
    Param("max", int, required=True, minimum=1, maximum=MAX_PROCESSES, help="The most processes"),
)
QUEUE_PARAMS = (Param("queue", required=True, help="The queue's name"),)
_WORKER = Param("workername", required=True, help="The worker that is to keep the limit")
TIMEOUT_PARAMS = (
    _WORKER,
    Param("soft", float, minimum=0, maximum=MAX_SECONDS, help="Soft limit in seconds; 0 removes it"),
    Param("hard", float, minimum=0, maximum=MAX_SECONDS, help="Hard limit in seconds; 0 removes it"),
)
RATE_LIMIT_PARAMS = (_WORKER, Param("ratelimit", required=True, help='A rate such as "10/m"; "0" removes the limit'))
REVOKE_PARAMS = (
    Param("terminate", bool, False, help="Also kill the process that runs the task"),
    Param("signal", default="SIGTERM", help="The signal to kill it with"),
)
CALL_PARAMS = (
    Param("args", help="A list of arguments as JSON; the body wins"),
    Param("kwargs", help="An object of keyword arguments as JSON; the body wins"),
    Param("options", help="An object of options as JSON; the body wins"),
)
RESULT_PARAMS = (Param("timeout", float, minimum=0, maximum=MAX_WAIT, help="Wait so many seconds for the result"),)
