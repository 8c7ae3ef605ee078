"""Events: from the broker through the gateway and the pump to the state, and what is known of that stream."""

from flower.events.event import Event
from flower.events.gateway import Gateway
from flower.events.pump import Pump
from flower.events.status import NOT_YET, StreamMetrics, StreamStatus
from flower.events.supervisor import Supervisor

__all__ = ["NOT_YET", "Event", "Gateway", "Pump", "StreamMetrics", "StreamStatus", "Supervisor"]
