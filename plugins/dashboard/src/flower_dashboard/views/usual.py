"""What is usual for a task name, and what takes longer."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from flower_plugins import Host, Quantiles

__all__ = ["Usual", "is_slow", "usuals"]

_HOUR = 3600.0
_ENOUGH = 5
_SLOW = 1.5


@dataclass(frozen=True, slots=True)
class Usual:
    """How tasks of this name fared in the last hour, in seconds."""

    count: int
    runtime: Quantiles
    wait: Quantiles


def usuals(host: Host) -> Mapping[str, Usual]:
    """Return what is usual by task name, without those of which too few ended to say."""
    return {
        row.name: Usual(row.runtime.count, row.runtime, row.wait)
        for row in host.rollups.summary(_HOUR)
        if row.runtime.count >= _ENOUGH
    }


def is_slow(took: float | None, usual: Usual | None) -> bool:
    """Tell whether so many seconds are far longer than nearly all tasks of the name take."""
    return took is not None and usual is not None and usual.runtime.p95 is not None and took > _SLOW * usual.runtime.p95
