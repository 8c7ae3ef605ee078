"""What is usual for a task name, and what takes longer."""

from __future__ import annotations

from msgspec import Struct

from flower_plugins import Host, Quantiles

__all__ = ["Usual", "is_slow", "usual"]

_HOUR = 3600.0
_ENOUGH = 5
_SLOW = 1.5


class Usual(Struct, frozen=True):
    """How tasks of this name fared in the last hour, in seconds."""

    count: int
    runtime: Quantiles
    wait: Quantiles


def usual(host: Host, name: str) -> Usual | None:
    """Return what is usual for a task name, None where too few ended to say."""
    row = next(iter(host.rollups.summary(_HOUR, task=name)), None) if name else None
    if row is None or row.runtime.count < _ENOUGH:
        return None
    return Usual(row.runtime.count, row.runtime, row.wait)


def is_slow(took: float | None, known: Usual | None) -> bool:
    """Tell whether so many seconds are far longer than nearly all tasks of the name take."""
    return took is not None and known is not None and known.runtime.p95 is not None and took > _SLOW * known.runtime.p95
