"""Paths made of data."""

from __future__ import annotations

import re
from urllib.parse import quote

from flower_dashboard.formats import text

__all__ = ["path"]

_SAFE = re.compile(r"[\w.~@:-]+", re.ASCII)


def path(*parts: object) -> str:
    """Return a path of `parts`, each quoted whole, so that a slash in a name stays part of the name."""
    return "".join([f"/{_quoted(text(part))}" for part in parts])


def _quoted(words: str) -> str:
    """Leave alone what needs no quotes, as nearly all task ids and names do."""
    return words if _SAFE.fullmatch(words) else quote(words, safe="@:", errors="replace")
