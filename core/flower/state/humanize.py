"""Words for people: labels from identifiers, times, durations, counts. Documented for use in `format_task`."""

from __future__ import annotations

import math
import re
from datetime import datetime, timezone, tzinfo
from time import time
from typing import Any
from zoneinfo import ZoneInfo

__all__ = ["format_count", "format_duration", "format_time", "humanize"]

_UUID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
_ACRONYMS = re.compile(r"\b(ssl|uri|url|uuid|eta)\b", re.IGNORECASE)
_DAY = 86_400


def humanize(obj: Any, type: str | None = None, length: int | None = None) -> Any:  # noqa: A002 - documented name
    """Return `obj` in words.

    `type` is "duration" (seconds), "time" or "natural-time" (seconds since the epoch), the latter two
    also with a time zone: "time-Europe/Berlin"; UTC otherwise. Without a type, identifiers become labels
    ("broker_use_ssl" gives "Broker use SSL") and lists are joined with commas.

    `length` says that `obj` is data to be shown, not a label: its text is left as it is and cut to that
    many characters, the last of which is an ellipsis.
    """
    if obj is None:
        return ""
    if type == "duration":
        return format_duration(obj)
    kind, _, zone = (type or "").partition("time")
    if kind in ("", "natural-") and type and "time" in type:
        return _natural_time(obj, zone[1:]) if kind else format_time(obj, zone[1:])
    if isinstance(obj, (list, tuple)) and all(isinstance(item, (str, int, float)) for item in obj):
        obj = ", ".join(map(str, obj))
    elif isinstance(obj, str) and length is None:
        obj = _label(obj)
    return obj if length is None else _cut(obj, length)


def format_time(timestamp: float | None, zone: str | tzinfo = "") -> str:
    """Return a time in full, `2026-01-31 09:05:00.000000 UTC`; "" for none or one that no calendar has."""
    if not timestamp:
        return ""
    try:
        return datetime.fromtimestamp(timestamp, _zone(zone)).strftime("%Y-%m-%d %H:%M:%S.%f %Z")
    except (ValueError, OverflowError, OSError, TypeError):
        return ""


def format_duration(seconds: float | None) -> str:
    """Return a duration with the precision that fits it: `123.46 ms`, `1.50 s`, `2m 05s`, `1h 02m 03s`."""
    if not isinstance(seconds, (int, float)) or not math.isfinite(seconds):
        return ""
    if seconds < 1:
        return f"{seconds * 1000:.2f} ms"
    if seconds < 60:
        return f"{seconds:.2f} s"
    minutes, rest = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}h {minutes:02d}m {rest:02d}s" if hours else f"{minutes}m {rest:02d}s"


def format_count(count: int | None) -> str:
    """Return a number with separators between thousands; none counts as 0."""
    return f"{count or 0:,}"


def _label(text: str) -> str:
    if text in ("args", "kwargs") or _UUID.fullmatch(text):
        return text
    words = re.sub("[-_]", " ", text)
    words = _ACRONYMS.sub(lambda match: match[0].upper(), words)
    return words[:1].upper() + words[1:]


def _cut(obj: Any, length: int) -> Any:
    text = obj if isinstance(obj, str) else str(obj)
    if len(text) <= length:
        return obj
    return text[: max(0, length - 1)] + "…" if length > 0 else ""


def _natural_time(timestamp: float, zone: str) -> str:
    if not timestamp:
        return ""
    age = time() - timestamp
    if not 0 <= age < _DAY:
        return format_time(timestamp, zone)
    for seconds, unit in ((3600, "hour"), (60, "minute"), (1, "second")):
        count = int(age // seconds)
        if count:
            return f"{count} {unit}{'s' if count > 1 else ''} ago"
    return "now"


def _zone(zone: str | tzinfo) -> tzinfo:
    if isinstance(zone, tzinfo):
        return zone
    try:
        return ZoneInfo(zone) if zone else timezone.utc
    except (KeyError, ValueError, OSError):  # an unknown name, a malformed one, a folder
        return timezone.utc
