"""Where a reader stands in a long list, and the links from there."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from msgspec import Struct

__all__ = ["SIZES", "Pager", "pager"]

SIZES = (15, 30, 50, 100)


class Pager(Struct, frozen=True):
    """`first` to `last` of `total`; a link is "" where it would lead nowhere. `sizes` are (size, link, chosen)."""

    first: int
    last: int
    total: int
    newest: str
    previous: str
    next: str
    sizes: Sequence[tuple[int, str, bool]]


def pager(link: Callable[[int, int], str], *, offset: int, limit: int, shown: int, total: int) -> Pager:
    """Return the pager of a page of `shown` rows; `link(offset, limit)` makes a URL."""
    return Pager(
        first=offset + 1 if shown else 0,
        last=offset + shown,
        total=total,
        newest=link(0, limit) if offset else "",
        previous=link(max(offset - limit, 0), limit) if offset else "",
        next=link(offset + limit, limit) if offset + shown < total else "",
        sizes=[(size, link(0, size), size == limit) for size in sorted({*SIZES, limit})],
    )
