"""Where `flowerconfig.py` imports `humanize` from, as documented for `format_task`."""

from __future__ import annotations

from flower.state.humanize import format_count, format_duration, format_time, humanize

__all__ = ["format_count", "format_duration", "format_time", "humanize"]
