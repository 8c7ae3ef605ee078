"""What this plugin brings: an inspector for queues in Redis."""

from __future__ import annotations

from collections.abc import Sequence

from flower_plugins import BrokerInspector, Offer, hookimpl

FLOWER_API_VERSION = 1


@hookimpl
def flower_broker_inspectors() -> Sequence[Offer[BrokerInspector]]:
    return [
        Offer(
            "redis",
            "flower_broker_redis.inspector:RedisInspector",
            label="Redis and Redis Sentinel",
            schemes=("redis", "rediss", "redis+socket", "sentinel"),
        )
    ]
