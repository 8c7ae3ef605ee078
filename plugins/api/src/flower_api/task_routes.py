"""The routes that run tasks, read their results and revoke them."""

from __future__ import annotations

from collections.abc import Sequence

from flower_api.answers import (
    BAD_REQUEST,
    MESSAGE,
    NO_BACKEND,
    OUTCOMES,
    PARTLY,
    READ_ONLY,
    UNAVAILABLE,
    UNKNOWN_TASK,
    TaskOutcome,
    TaskQueried,
    TaskSent,
)
from flower_api.options import ApplyBody, TaskBody
from flower_api.order_bodies import RevokeBody, StampsBody
from flower_api.params import CALL_PARAMS, RESULT_PARAMS, REVOKE_PARAMS
from flower_plugins import Answer, Example, Route

__all__ = ["task_routes"]

_SENT = Answer(200, "The task was published", TaskSent)
_OUTCOME = Answer(200, "The state and, when the task is ready, its result", TaskOutcome)
_QUERIED = Answer(200, "The workers that hold the task", TaskQueried)


def task_routes() -> Sequence[Route]:
    """Return them."""
    return [
        Route(
            "/api/task/apply/(?P<name>.+)",
            "flower_api.running:ApplyHandler",
            access="write",
            surface="api",
            name="apply task",
            examples=[Example("Wait for the result, ten seconds at most", body={"args": [2, 3], "timeout": 10})],
            help="Run a task of the app and wait for its result; refused without a result backend that answers.",
            params=CALL_PARAMS,
            body=ApplyBody,
            answers=[_OUTCOME, BAD_REQUEST, READ_ONLY, UNKNOWN_TASK, NO_BACKEND],
        ),
        Route(
            "/api/task/async-apply/(?P<name>.+)",
            "flower_api.running:AsyncApplyHandler",
            access="write",
            surface="api",
            name="send app task",
            examples=[Example("In a minute, or never", body={"args": [2, 3], "countdown": 60, "expires": 300})],
            help="Run a task of the app.",
            params=CALL_PARAMS,
            body=TaskBody,
            answers=[_SENT, BAD_REQUEST, READ_ONLY, UNKNOWN_TASK, UNAVAILABLE],
        ),
        Route(
            "/api/task/send-task/(?P<name>.+)",
            "flower_api.running:SendTaskHandler",
            access="write",
            surface="api",
            name="send task",
            examples=[Example(body={"args": [2], "kwargs": {"b": 3}})],
            help="Run a task of any name.",
            params=CALL_PARAMS,
            body=TaskBody,
            answers=[_SENT, BAD_REQUEST, READ_ONLY, UNAVAILABLE],
        ),
        Route(
            "/api/task/result/(?P<id>.+)",
            "flower_api.results:ResultHandler",
            access="read",
            surface="api",
            name="task result",
            examples=[Example("What is known now"), Example("Wait two seconds for it", {"timeout": 2})],
            help="What the result backend knows of a task; PENDING when that is nothing.",
            params=RESULT_PARAMS,
            answers=[_OUTCOME, BAD_REQUEST, NO_BACKEND],
        ),
        Route(
            "/api/task/abort/(?P<id>.+)",
            "flower_api.results:AbortHandler",
            access="write",
            surface="api",
            name="abort task",
            help="Mark a task as aborted in the result backend, for tasks made to look at that.",
            answers=[MESSAGE, BAD_REQUEST, READ_ONLY, NO_BACKEND],
        ),
        Route(
            "/api/task/revoke/(?P<id>.+)",
            "flower_api.revoking:RevokeHandler",
            access="write",
            surface="api",
            name="revoke task",
            examples=[
                Example("Not to be run"),
                Example("Not to be run, nor to run on", {"terminate": True, "signal": "SIGKILL"}),
            ],
            help="Have workers drop a task; whether one knows it is not asked.",
            params=REVOKE_PARAMS,
            answers=[MESSAGE, BAD_REQUEST, READ_ONLY, UNAVAILABLE],
        ),
        Route(
            "/api/task/query/(?P<id>.+)",
            "flower_api.revoking:QueryTaskHandler",
            access="read",
            surface="api",
            name="query task",
            help="Which workers hold a task, by their own word.",
            answers=[_QUERIED, BAD_REQUEST, READ_ONLY, UNAVAILABLE],
        ),
        Route(
            "/api/tasks/revoke",
            "flower_api.revoking:RevokeManyHandler",
            access="write",
            surface="api",
            name="revoke tasks",
            examples=[Example(body={"ids": ["TASK_ID"]})],
            help="Have workers drop several tasks.",
            body=RevokeBody,
            answers=[OUTCOMES, PARTLY, BAD_REQUEST, READ_ONLY, UNAVAILABLE],
        ),
        Route(
            "/api/tasks/revoke-by-stamps",
            "flower_api.revoking:RevokeStampedHandler",
            access="write",
            surface="api",
            name="revoke stamped tasks",
            examples=[Example("All tasks of one order", body={"stamps": {"order": ["4711"]}})],
            help="Have workers drop the tasks with one of these stamps.",
            body=StampsBody,
            answers=[MESSAGE, BAD_REQUEST, READ_ONLY, UNAVAILABLE],
        ),
    ]
