"""HTML made in Python, for the one place where templates are too slow: the cells of long tables."""

from __future__ import annotations

import re
from html import escape as _escape

__all__ = ["MISSING", "Html", "escaped"]

MISSING = (
    '<span class="missing"><span aria-hidden="true">&ndash;</span><span class="visually-hidden">none</span></span>'
)
"""What stands where there is no value; the same as the macro `missing`."""

_UNSAFE = re.compile("[&<>\"']")


class Html(str):
    """A text that is HTML already: templates write it down as it is."""

    __slots__ = ()

    def __html__(self) -> str:
        return str(self)


def escaped(words: str) -> str:
    """Return a text for use between tags and in quoted attributes."""
    return _escape(words) if _UNSAFE.search(words) else words
