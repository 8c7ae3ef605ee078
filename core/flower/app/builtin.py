"""What core itself contributes, through the same hooks as any plugin."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from flower_plugins import (
    BrokerInspector,
    EventSink,
    EventSource,
    Host,
    MetricSource,
    Offer,
    Route,
    hookimpl,
)

if TYPE_CHECKING:
    from flower.app.flower import Flower

__all__ = ["Builtin"]


class Builtin:
    """Registered under the name "flower", before every plugin; `flower` is set once it is assembled."""

    flower: Flower

    @hookimpl
    def flower_event_sources(self) -> Sequence[Offer[EventSource]]:
        return [Offer("kombu", "flower.events.kombu_source:KombuSource", "any broker that kombu speaks to")]

    @hookimpl
    def flower_broker_inspectors(self) -> Sequence[Offer[BrokerInspector]]:
        return [Offer("kombu", "flower.brokers.kombu_inspector:KombuInspector", "any broker that kombu speaks to")]

    @hookimpl
    def flower_event_sinks(self, host: Host) -> Sequence[EventSink]:
        return self.flower.own_sinks()

    @hookimpl
    def flower_metric_sources(self, host: Host) -> Sequence[MetricSource]:
        return self.flower.own_metrics()

    @hookimpl
    def flower_routes(self, host: Host) -> Sequence[Route]:
        return self.flower.own_routes()
