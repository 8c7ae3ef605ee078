"""Keyword arguments in the plain texts of tasks: what `kwargs:key=value` looks for before any text is parsed.

Workers send keyword arguments as Python writes a dict, so that a pair has one or two spellings, which are
found at the speed of C. Texts that may spell it otherwise carry a mark, and are parsed each.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any, NamedTuple

from flower.state.literals import read_mapping

__all__ = ["ODD", "Spelling", "is_odd", "pairs", "spellings"]

ODD = b"\xfe"
"""Marks the plain text of a task whose pairs may be spelt in other ways; in no UTF-8."""

_SIGNS = ('"', "\\", "\n", "\t", "' :", " ':", "':  ", ": u'", "': ' ", " ',", " '}", "{' ", ", ' ", "{ ")
_WORDS = frozenset(("true", "false", "set()"))
_CACHED = 1000


class Spelling(NamedTuple):
    """A text to look for; where `ends` is not empty, one of its bytes follows."""

    text: bytes
    ends: bytes = b""


def is_odd(kwargs: str) -> bool:
    """Tell whether keyword arguments are written in another way than Python writes plain ones."""
    if not kwargs.startswith(("{'", "{}")) or any(sign in kwargs for sign in _SIGNS):
        return True
    return kwargs.count("':") != kwargs.count("': ")


def spellings(key: str, value: str) -> tuple[Spelling, ...]:
    """Return texts of which a task that is not odd has at least one if it has the pair; both are folded."""
    if not key.isidentifier():
        return (Spelling(b""),)
    start = f"'{key}': "
    if not value or not value.isprintable() or "'" in value or '"' in value or "\\" in value:
        return (Spelling(start.encode()),)
    quoted = Spelling(f"{start}'{value}'".encode())
    if value[0].isalpha() and value not in _WORDS:
        return (quoted,)
    return quoted, Spelling((start + value).encode(), b",}")


def pairs(kwargs: str) -> dict[str, str]:
    """Return keys and values as texts, stripped and folded; {} for what is no dict."""
    return _read_again(kwargs) if len(kwargs) <= _CACHED else _read(kwargs)


def _read(kwargs: str) -> dict[str, str]:
    mapping = read_mapping(kwargs) or {}
    return {_fold(key): _fold(value) for key, value in mapping.items()}


_read_again = lru_cache(maxsize=1024)(_read)


def _fold(value: Any) -> str:
    return "" if value is None else str(value).strip().casefold()
