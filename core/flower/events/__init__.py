"""The way in for events: source, pump, gateway, and what is known of the stream."""

from flower.events.event import Event
from flower.events.gateway import Gateway
from flower.events.pump import Pump
from flower.events.status import StreamMetrics, StreamStatus
from flower.events.supervisor import Supervisor

__all__ = ["Event", "Gateway", "Pump", "StreamMetrics", "StreamStatus", "Supervisor"]
