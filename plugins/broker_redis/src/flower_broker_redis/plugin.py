"""What this plugin brings: an inspector for queues in Redis, and a fast source of events."""

from __future__ import annotations

from collections.abc import Sequence

from flower_plugins import BrokerInspector, EventSource, Offer, hookimpl

FLOWER_API_VERSION = 1

_LABEL = "Redis and Redis Sentinel"
_SCHEMES = ("redis", "rediss", "redis+socket", "sentinel")


@hookimpl
def flower_broker_inspectors() -> Sequence[Offer[BrokerInspector]]:
    return [Offer("redis", "flower_broker_redis.inspector:RedisInspector", label=_LABEL, schemes=_SCHEMES)]


@hookimpl
def flower_event_sources() -> Sequence[Offer[EventSource]]:
    return [Offer("redis", "flower_broker_redis.events:RedisEventSource", label=_LABEL, schemes=_SCHEMES)]
