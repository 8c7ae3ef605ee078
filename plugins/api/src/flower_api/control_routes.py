"""The routes that give orders to one worker, and those that question it."""

from __future__ import annotations

from collections.abc import Sequence

from flower_api.answers import (
    BAD_REQUEST,
    MESSAGE,
    NO_REPLY,
    OFFLINE,
    READ_ONLY,
    REFUSED,
    UNAVAILABLE,
    UNKNOWN_TARGET,
    UNKNOWN_WORKER,
    WorkerMemory,
    WorkerReport,
)
from flower_api.params import AUTOSCALE_PARAMS, POOL_PARAMS, QUEUE_PARAMS, RATE_LIMIT_PARAMS, TIMEOUT_PARAMS
from flower_plugins import Answer, Example, Route

__all__ = ["control_routes"]

_REPORT = Answer(200, "The report", WorkerReport)
_MEMORY = Answer(200, "The memory", WorkerMemory)


def control_routes() -> Sequence[Route]:
    """Return them."""
    return [
        Route(
            "/api/worker/shutdown/(?P<name>.+)",
            "flower_api.orders:ShutdownHandler",
            access="admin",
            surface="api",
            name="shut down worker",
            help="End a worker after its running tasks; no answer is awaited.",
            answers=[MESSAGE, READ_ONLY, UNKNOWN_WORKER, OFFLINE, UNAVAILABLE],
        ),
        Route(
            "/api/worker/pool/restart/(?P<name>.+)",
            "flower_api.orders:PoolRestartHandler",
            access="admin",
            surface="api",
            name="restart pool",
            help="Restart a worker's pool.",
            answers=[MESSAGE, REFUSED, UNKNOWN_WORKER, OFFLINE, UNAVAILABLE, NO_REPLY],
        ),
        Route(
            "/api/worker/pool/grow/(?P<name>.+)",
            "flower_api.orders:PoolGrowHandler",
            access="write",
            surface="api",
            name="grow pool",
            examples=[Example("Two more processes", {"n": 2})],
            help="Add processes to a worker's pool.",
            params=POOL_PARAMS,
            answers=[MESSAGE, BAD_REQUEST, REFUSED, UNKNOWN_WORKER, OFFLINE, UNAVAILABLE, NO_REPLY],
        ),
        Route(
            "/api/worker/pool/shrink/(?P<name>.+)",
            "flower_api.orders:PoolShrinkHandler",
            access="write",
            surface="api",
            name="shrink pool",
            examples=[Example("One process less", {"n": 1})],
            help="Take processes from a worker's pool, never the last one.",
            params=POOL_PARAMS,
            answers=[MESSAGE, BAD_REQUEST, REFUSED, UNKNOWN_WORKER, OFFLINE, UNAVAILABLE, NO_REPLY],
        ),
        Route(
            "/api/worker/pool/autoscale/(?P<name>.+)",
            "flower_api.orders:AutoscaleHandler",
            access="write",
            surface="api",
            name="autoscale pool",
            examples=[Example(query={"min": 1, "max": 4})],
            help="Bound the size of the pool of a worker that was started with autoscaling.",
            params=AUTOSCALE_PARAMS,
            answers=[MESSAGE, BAD_REQUEST, REFUSED, UNKNOWN_WORKER, OFFLINE, UNAVAILABLE, NO_REPLY],
        ),
        Route(
            "/api/worker/queue/add-consumer/(?P<name>.+)",
            "flower_api.orders:AddConsumerHandler",
            access="write",
            surface="api",
            name="add consumer",
            examples=[Example(query={"queue": "mail"})],
            help="Have a worker consume from a queue.",
            params=QUEUE_PARAMS,
            answers=[MESSAGE, BAD_REQUEST, REFUSED, UNKNOWN_WORKER, OFFLINE, UNAVAILABLE, NO_REPLY],
        ),
        Route(
            "/api/worker/queue/cancel-consumer/(?P<name>.+)",
            "flower_api.orders:CancelConsumerHandler",
            access="write",
            surface="api",
            name="cancel consumer",
            examples=[Example(query={"queue": "mail"})],
            help="Have a worker no longer consume from a queue.",
            params=QUEUE_PARAMS,
            answers=[MESSAGE, BAD_REQUEST, REFUSED, UNKNOWN_WORKER, OFFLINE, UNAVAILABLE, NO_REPLY],
        ),
        Route(
            "/api/task/timeout/(?P<name>.+)",
            "flower_api.orders:TimeoutHandler",
            access="write",
            surface="api",
            name="limit runtime",
            examples=[
                Example(
                    "A warning after half a minute, the end after a minute",
                    {"workername": "WORKER", "soft": 30, "hard": 60},
                )
            ],
            help="Limit how long a task may run. A limit that is not given stays; without any, both are removed.",
            params=TIMEOUT_PARAMS,
            answers=[MESSAGE, BAD_REQUEST, REFUSED, UNKNOWN_TARGET, OFFLINE, UNAVAILABLE, NO_REPLY],
        ),
        Route(
            "/api/task/rate-limit/(?P<name>.+)",
            "flower_api.orders:RateLimitHandler",
            access="write",
            surface="api",
            name="limit rate",
            examples=[Example("Ten a minute", {"workername": "WORKER", "ratelimit": "10/m"})],
            help="Limit how often a worker runs a task.",
            params=RATE_LIMIT_PARAMS,
            answers=[MESSAGE, BAD_REQUEST, REFUSED, UNKNOWN_TARGET, OFFLINE, UNAVAILABLE, NO_REPLY],
        ),
        Route(
            "/api/worker/report/(?P<name>.+)",
            "flower_api.orders:ReportHandler",
            access="read",
            surface="api",
            name="worker report",
            help="A worker's software and settings, secrets masked.",
            answers=[_REPORT, REFUSED, UNKNOWN_WORKER, OFFLINE, UNAVAILABLE, NO_REPLY],
        ),
        Route(
            "/api/worker/memsample/(?P<name>.+)",
            "flower_api.orders:MemoryHandler",
            access="read",
            surface="api",
            name="worker memory",
            help="A worker's resident memory; it needs psutil to tell.",
            answers=[_MEMORY, REFUSED, UNKNOWN_WORKER, OFFLINE, UNAVAILABLE, NO_REPLY],
        ),
    ]
