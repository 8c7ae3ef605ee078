"""Moments as callers write them."""

from __future__ import annotations

from datetime import datetime, timezone, tzinfo
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

__all__ = ["moment", "zone"]


def zone(name: str) -> tzinfo:
    """Return the time zone of that name, else UTC."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError):
        return timezone.utc


def moment(text: str, form: str, home: tzinfo) -> datetime:
    """Return a moment written in the format `form` or in ISO 8601; one without a zone is at `home`.

    Raise ValueError for what cannot be read.
    """
    found = _parse(text, form)
    return found if found.tzinfo else found.replace(tzinfo=home)


def _parse(text: str, form: str) -> datetime:
    try:
        return datetime.strptime(text, form)  # the zone is the caller's to add
    except ValueError:
        # Python 3.10 does not read the Z of ISO 8601; a plus in a query string may arrive as a space
        return datetime.fromisoformat(text.replace("Z", "+00:00").replace(" 0", "+0") if "T" in text else text)
