"""Paths made of data."""

from __future__ import annotations

from urllib.parse import quote

from flower_dashboard.formats import text

__all__ = ["path"]


def path(*parts: object) -> str:
    """Return a path of `parts`, each quoted whole, so that a slash in a name stays part of the name."""
    return "".join("/" + quote(text(part), safe="@:", errors="replace") for part in parts)
