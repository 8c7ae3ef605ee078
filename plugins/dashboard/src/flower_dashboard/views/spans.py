"""How far back a chart goes where nobody has chosen."""

from __future__ import annotations

from flower_dashboard.events import ENDED
from flower_plugins import Host

__all__ = ["telling_span"]

_HOUR = 3600.0
_SHORT = 600.0


def telling_span(host: Host) -> str:
    """Return the slug of a span: not an hour of which only the last minutes are known."""
    hour = host.rollups.counts(_HOUR, types=ENDED)
    columns = zip(*hour.values.values(), strict=True)
    unknown = next((place for place, column in enumerate(columns) if any(value is not None for value in column)), 0)
    return "5m" if (len(hour) - unknown) * hour.step <= _SHORT else "1h"
