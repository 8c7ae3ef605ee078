"""What core itself contributes, through the same hooks as any plugin, under the plugin name "flower"."""

from __future__ import annotations

from collections.abc import Sequence

from flower.app.host import FlowerHost
from flower_plugins import (
    BrokerInspector,
    EventSink,
    EventSource,
    MetricSource,
    Offer,
    Route,
    Service,
    hookimpl,
)

__all__ = [
    "flower_broker_inspectors",
    "flower_event_sinks",
    "flower_event_sources",
    "flower_metric_sources",
    "flower_routes",
    "flower_services",
]


@hookimpl
def flower_event_sources() -> Sequence[Offer[EventSource]]:
    """Offer the source that works with any broker."""
    return [Offer("kombu", "flower.events.kombu_source:KombuSource", "any broker that kombu speaks to")]


@hookimpl
def flower_broker_inspectors() -> Sequence[Offer[BrokerInspector]]:
    """Offer the inspector that works with any broker."""
    return [Offer("kombu", "flower.brokers.kombu_inspector:KombuInspector", "any broker that kombu speaks to")]


@hookimpl
def flower_event_sinks(host: FlowerHost) -> Sequence[EventSink]:
    """Feed live pages, and notice workers that arrive."""
    return host.flower.own_sinks()


@hookimpl
def flower_metric_sources(host: FlowerHost) -> Sequence[MetricSource]:
    """Count events, the stream's faults and insecure configuration."""
    return host.flower.own_metrics()


@hookimpl
def flower_services(host: FlowerHost) -> Sequence[Service]:
    """Ask workers about themselves, and have them send events."""
    return host.flower.own_services()


@hookimpl
def flower_routes(host: FlowerHost) -> Sequence[Route]:
    """Serve static files, probes and metrics."""
    return host.flower.own_routes()
