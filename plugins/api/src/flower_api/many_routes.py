"""The routes that give one order to several workers."""

from __future__ import annotations

from collections.abc import Sequence

from flower_api.answers import BAD_REQUEST, OUTCOMES, PARTLY, READ_ONLY
from flower_api.order_bodies import AutoscaleBody, ConsumerBody, PoolBody, RateLimitBody, TimeoutBody, WorkersBody
from flower_plugins import Example, Route

__all__ = ["many_routes"]


def many_routes() -> Sequence[Route]:
    """Return them."""
    return [
        Route(
            "/api/workers/shutdown",
            "flower_api.many:ShutdownManyHandler",
            access="admin",
            surface="api",
            name="shut down workers",
            examples=[Example(body={"workers": ["WORKER"]})],
            help="End workers after their running tasks.",
            body=WorkersBody,
            answers=[OUTCOMES, PARTLY, BAD_REQUEST, READ_ONLY],
        ),
        Route(
            "/api/workers/pool/restart",
            "flower_api.many:PoolRestartManyHandler",
            access="admin",
            surface="api",
            name="restart pools",
            examples=[Example(body={"workers": ["WORKER"]})],
            help="Restart the pools of workers.",
            body=WorkersBody,
            answers=[OUTCOMES, PARTLY, BAD_REQUEST, READ_ONLY],
        ),
        Route(
            "/api/workers/pool/grow",
            "flower_api.many:PoolGrowManyHandler",
            access="write",
            surface="api",
            name="grow pools",
            examples=[Example(body={"workers": ["WORKER"], "n": 2})],
            help="Add processes to the pools of workers.",
            body=PoolBody,
            answers=[OUTCOMES, PARTLY, BAD_REQUEST, READ_ONLY],
        ),
        Route(
            "/api/workers/pool/shrink",
            "flower_api.many:PoolShrinkManyHandler",
            access="write",
            surface="api",
            name="shrink pools",
            examples=[Example(body={"workers": ["WORKER"], "n": 1})],
            help="Take processes from the pools of workers.",
            body=PoolBody,
            answers=[OUTCOMES, PARTLY, BAD_REQUEST, READ_ONLY],
        ),
        Route(
            "/api/workers/pool/autoscale",
            "flower_api.many:AutoscaleManyHandler",
            access="write",
            surface="api",
            name="autoscale pools",
            examples=[Example(body={"workers": ["WORKER"], "min": 1, "max": 4})],
            help="Bound the size of the pools of workers.",
            body=AutoscaleBody,
            answers=[OUTCOMES, PARTLY, BAD_REQUEST, READ_ONLY],
        ),
        Route(
            "/api/workers/queue/add-consumer",
            "flower_api.many:AddConsumerManyHandler",
            access="write",
            surface="api",
            name="add consumers",
            examples=[Example(body={"workers": ["WORKER"], "queue": "mail"})],
            help="Have workers consume from a queue.",
            body=ConsumerBody,
            answers=[OUTCOMES, PARTLY, BAD_REQUEST, READ_ONLY],
        ),
        Route(
            "/api/workers/queue/cancel-consumer",
            "flower_api.many:CancelConsumerManyHandler",
            access="write",
            surface="api",
            name="cancel consumers",
            examples=[Example(body={"workers": ["WORKER"], "queue": "mail"})],
            help="Have workers no longer consume from a queue.",
            body=ConsumerBody,
            answers=[OUTCOMES, PARTLY, BAD_REQUEST, READ_ONLY],
        ),
        Route(
            "/api/workers/task/timeout",
            "flower_api.many:TimeoutManyHandler",
            access="write",
            surface="api",
            name="limit runtimes",
            examples=[Example(body={"workers": ["WORKER"], "task": "TASK_NAME", "soft": 30, "hard": 60})],
            help="Limit how long workers let a task run.",
            body=TimeoutBody,
            answers=[OUTCOMES, PARTLY, BAD_REQUEST, READ_ONLY],
        ),
        Route(
            "/api/workers/task/rate-limit",
            "flower_api.many:RateLimitManyHandler",
            access="write",
            surface="api",
            name="limit rates",
            examples=[Example(body={"workers": ["WORKER"], "task": "TASK_NAME", "ratelimit": "10/m"})],
            help="Limit how often workers run a task.",
            body=RateLimitBody,
            answers=[OUTCOMES, PARTLY, BAD_REQUEST, READ_ONLY],
        ),
    ]
