"""Sortable column headers as links: first click sorts, second turns the order round."""

from __future__ import annotations

from collections.abc import Callable

from msgspec import Struct

__all__ = ["Heading", "heading", "split"]


class Heading(Struct, frozen=True):
    """A column header; `href` is "" when the column cannot be sorted, `order` the value of aria-sort."""

    slug: str
    title: str
    kind: str
    href: str = ""
    order: str = "none"


def split(sort_by: str) -> tuple[str, bool]:
    """Return (field, descending) of a sort order written like `-received`."""
    return sort_by.lstrip("-"), sort_by.startswith("-")


def heading(slug: str, title: str, kind: str, sort_by: str, link: Callable[[str], str]) -> Heading:
    """Return the header of a sortable column; numbers and times sort descending first."""
    field, descending = split(sort_by)
    if field == slug:
        return Heading(
            slug, title, kind, link(slug if descending else f"-{slug}"), "descending" if descending else "ascending"
        )
    first = f"-{slug}" if kind in ("time", "duration", "number") else slug
    return Heading(slug, title, kind, link(first))
