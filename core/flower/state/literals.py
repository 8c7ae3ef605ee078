"""Reads Python literals as workers print them, bounded in size and depth; nothing is evaluated."""

from __future__ import annotations

import math
import re
from typing import Any

__all__ = ["read_mapping"]

_MAX_CHARACTERS = 65_536
_MAX_DEPTH = 20
_MAX_VALUES = 4000
_MAX_KEYS = 1000
_MAX_DIGITS = 1000

_SPACE = re.compile(r"\s*")
_STRING = re.compile(r"""([bBuU]?)(?:'([^'\\\n]*(?:\\.[^'\\\n]*)*)'|"([^"\\\n]*(?:\\.[^"\\\n]*)*)")""", re.DOTALL)
_NUMBER = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?", re.ASCII)
_WORD = re.compile(r"(None|True|False|set\(\))(?!\w)")
_ESCAPE = re.compile(r"\\(?:x([0-9a-fA-F]{2})|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|([0-7]{1,3})|(.))", re.DOTALL)
_PLAIN_ESCAPES = {
    "\\": "\\",
    "'": "'",
    '"': '"',
    "a": "\a",
    "b": "\b",
    "f": "\f",
    "n": "\n",
    "r": "\r",
    "t": "\t",
    "v": "\v",
    "\n": "",
}


def read_mapping(text: str) -> dict[Any, Any] | None:
    """Return the dict a text stands for, None where it is anything else.

    Known are texts, bytes, numbers, None, True, False, lists, tuples, dicts and sets. What a worker
    cut short, or the repr of any other object, gives None. Lone surrogates become U+FFFD.
    """
    if len(text) > _MAX_CHARACTERS or not text.lstrip().startswith("{"):
        return None
    try:
        value = _Reader(text).whole()
    except _Unreadable:
        return None
    return value if isinstance(value, dict) else None


class _Unreadable(Exception):
    pass


class _Reader:
    def __init__(self, text: str) -> None:
        self._text = text
        self._place = 0
        self._values = 0

    def whole(self) -> Any:
        value = self._value(0)
        self._skip()
        if self._place != len(self._text):
            raise _Unreadable
        return value

    def _value(self, depth: int) -> Any:
        self._values += 1
        if depth > _MAX_DEPTH or self._values > _MAX_VALUES:
            raise _Unreadable
        opening = self._peek()
        if opening == "{":
            self._place += 1
            return self._braces(depth)
        if opening == "[":
            self._place += 1
            return self._items("]", depth)[0]
        if opening == "(":
            self._place += 1
            items, comma = self._items(")", depth)
            return tuple(items) if comma or not items else items[0]
        return self._atom()

    def _atom(self) -> Any:
        if match := self._take(_STRING):
            prefix, single, double = match.groups()
            return _unescape(double if single is None else single, is_bytes=prefix in ("b", "B"))
        if match := self._take(_WORD):
            return set() if match[1] == "set()" else {"None": None, "True": True, "False": False}[match[1]]
        if match := self._take(_NUMBER):
            return _number(match[0])
        raise _Unreadable

    def _items(self, closing: str, depth: int) -> tuple[list[Any], bool]:
        """Read up to the closing bracket; also tell whether there was a comma."""
        items: list[Any] = []
        comma = False
        while self._peek() != closing:
            items.append(self._value(depth + 1))
            separator = self._accept(",")
            comma = comma or separator
            if not separator and self._peek() != closing:
                raise _Unreadable
        self._place += 1
        return items, comma

    def _braces(self, depth: int) -> dict[Any, Any] | set[Any]:
        mapping: dict[Any, Any] = {}
        members: set[Any] = set()
        while self._peek() != "}":
            key = self._value(depth + 1)
            try:
                if self._accept(":"):
                    mapping[key] = self._value(depth + 1)
                else:
                    members.add(key)
            except TypeError:  # not hashable
                raise _Unreadable from None
            if (mapping and members) or max(len(mapping), len(members)) > _MAX_KEYS:
                raise _Unreadable
            if not self._accept(",") and self._peek() != "}":
                raise _Unreadable
        self._place += 1
        return members or mapping

    def _skip(self) -> None:
        match = _SPACE.match(self._text, self._place)
        if match is not None:
            self._place = match.end()

    def _peek(self) -> str:
        self._skip()
        return self._text[self._place : self._place + 1]

    def _accept(self, char: str) -> bool:
        if self._peek() != char:
            return False
        self._place += 1
        return True

    def _take(self, pattern: re.Pattern[str]) -> re.Match[str] | None:
        match = pattern.match(self._text, self._place)
        if match is not None:
            self._place = match.end()
        return match


def _number(text: str) -> int | float:
    if len(text) > _MAX_DIGITS:
        raise _Unreadable
    try:
        return int(text)
    except ValueError:
        value = float(text)
    if not math.isfinite(value):
        raise _Unreadable
    return value


def _unescape(body: str, *, is_bytes: bool) -> str | bytes:
    text = _ESCAPE.sub(_escaped, body) if "\\" in body else body
    if not is_bytes:
        return text
    try:
        return text.encode("latin-1")
    except UnicodeEncodeError:
        raise _Unreadable from None


def _escaped(match: re.Match[str]) -> str:
    byte, short, long, octal, plain = match.groups()
    if plain is not None:
        return _PLAIN_ESCAPES.get(plain, "\\" + plain)
    code = int(octal, 8) if octal else int(byte or short or long, 16)
    if code > 0x10FFFF:
        raise _Unreadable
    return "\ufffd" if 0xD800 <= code <= 0xDFFF else chr(code)
