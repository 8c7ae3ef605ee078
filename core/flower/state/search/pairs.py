"""Keyword arguments: what `kwargs:key=value` looks for.

Workers send keyword arguments as Python writes a dict, so that a pair has one to three spellings, which are
found at the speed of C; only what has one of them is parsed. Texts that may spell it otherwise are parsed each.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import Any

from flower.state.literals import read_mapping
from flower.state.search.columns import Column, spelt

__all__ = ["KwargsColumn", "is_odd", "pairs", "spellings"]

_STARTS = ("{'", "{}")
_SIGNS = ('"', "\\", "\n", "\t", "' :", " ':", "':  ", ": u'", "': ' ", " ',", " '}", "{' ", ", ' ", "{ ")
_WORDS = frozenset(("true", "false", "set()"))
_CACHED = 1000
_VALUE = r"(?:'([^'\\\n]*)'|(0|-?[1-9][0-9]{0,14}|True|False|None))"
_SIMPLE = re.compile(rf"\{{(?:'[^'\\\n]*': {_VALUE}(?:, (?=')|(?=\}}\Z)))*\}}")
_PAIR = re.compile(rf"'([^'\\\n]*)': {_VALUE}")


class KwargsColumn(Column):
    """Keyword arguments of many tasks."""

    __slots__ = ("_odd", "_written")

    def __init__(self, values: Sequence[str]) -> None:
        self._written = self._take(values)
        """The texts as they came: the same objects that the records hold."""
        self._odd: Sequence[int] | None = None

    def candidates(self, key: str, value: str) -> Iterator[tuple[int, str]]:
        """Yield place and text of what has to be parsed to find all that have a pair, which is folded."""
        if self._odd is None:
            self._odd = self._find_odd()
        places = set(self._odd if key.isidentifier() else range(len(self._written)))
        for found in map(self.texts_with, map(spelt, spellings(key, value))):
            places.update(place for place, there in enumerate(found or ()) if there)
        for place in sorted(places):
            text = self._written[place]
            # Without an escape, a key that is a plain word stands there as it is.
            if "\\" in text or not key.isidentifier() or key in text.casefold():
                yield place, text

    def _find_odd(self) -> Sequence[int]:
        """Return the places of texts that are odd; where all are plain, as nearly always, after a look at the whole."""
        texts, whole = self._written, self._text
        plain = not any(sign in whole for sign in _SIGNS) and whole.count("':") == whole.count("': ")
        if plain:
            return [place for place, kwargs in enumerate(texts) if kwargs and not kwargs.startswith(_STARTS)]
        return [place for place, kwargs in enumerate(texts) if kwargs and is_odd(kwargs)]


def is_odd(kwargs: str) -> bool:
    """Tell whether keyword arguments are written in another way than Python writes plain ones."""
    if not kwargs.startswith(_STARTS) or any(sign in kwargs for sign in _SIGNS):
        return True
    return kwargs.count("':") != kwargs.count("': ")


def spellings(key: str, value: str) -> tuple[str, ...]:
    """Return texts of which a task that is not odd has at least one if it has the pair; both are folded.

    There are none for a key that may be spelt in any way.
    """
    if not key.isidentifier():
        return ()
    start = f"'{key}': "
    if not value or not value.isprintable() or "'" in value or '"' in value or "\\" in value:
        return (start,)
    quoted = f"{start}'{value}'"
    if value[0].isalpha() and value not in _WORDS:
        return (quoted,)
    return quoted, f"{start}{value},", f"{start}{value}}}"


def pairs(kwargs: str) -> dict[str, str]:
    """Return keys and values as texts, stripped and folded; {} for what is no dict."""
    return _read_again(kwargs) if len(kwargs) <= _CACHED else _read(kwargs)


def _read(kwargs: str) -> dict[str, str]:
    mapping: dict[Any, Any]
    if len(kwargs) <= _CACHED and _SIMPLE.fullmatch(kwargs):  # what most look like, at a tenth of the cost
        mapping = {key: None if word == "None" else text or word for key, text, word in _PAIR.findall(kwargs)}
    else:
        mapping = read_mapping(kwargs) or {}
    return {_fold(key): _fold(value) for key, value in mapping.items()}


_read_again = lru_cache(maxsize=1024)(_read)


def _fold(value: Any) -> str:
    return "" if value is None else str(value).strip().casefold()
