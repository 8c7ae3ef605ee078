"""Clocks of workers that do not agree with ours, in words."""

from __future__ import annotations

from typing import Any

from flower_dashboard.formats import duration, number

__all__ = ["skew"]

_NOTED = 5.0


def skew(worker: Any) -> str:
    """Return how far a worker's clock is off, such as `1h 00m 02s ahead`; "" below five seconds, and for no worker."""
    seconds = number(getattr(worker, "skew", None))
    if seconds is None or abs(seconds) < _NOTED:
        return ""
    return f"{duration(round(abs(seconds)))} {'ahead' if seconds > 0 else 'behind'}"
