"""Replies of workers, cut down to what can be kept and shown: plain JSON values of bounded size."""

from __future__ import annotations

import math
from collections.abc import Mapping
from datetime import date, time, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

__all__ = ["clean", "clean_text"]

_MAX_DEPTH = 16
_MAX_NODES = 50_000
_MAX_CHARACTERS = 4_000_000
_MAX_TEXT = 65_536
_MAX_INT = 2**63


def clean(value: Any) -> Any:
    """Return `value` as None, bool, int, finite float, str, list and dict of text keys.

    What is too deep or too much is left out, NaN and infinities become None, lone surrogates "?".
    """
    return _Cleaner().clean(value, 0)


def clean_text(text: str, limit: int = 500) -> str:
    """Return the text in one printable line of at most `limit` characters."""
    line = "".join(c if c.isprintable() else " " for c in text[:limit].encode("utf-8", "replace").decode())
    return " ".join(line.split())


class _Cleaner:
    def __init__(self) -> None:
        self._nodes, self._characters = _MAX_NODES, _MAX_CHARACTERS

    def clean(self, value: Any, depth: int) -> Any:
        self._nodes -= 1
        if value is None or isinstance(value, bool):
            return value
        if isinstance(value, int):
            return value if -_MAX_INT <= value < _MAX_INT else None
        if isinstance(value, float):
            return value if math.isfinite(value) else None
        if isinstance(value, Mapping):
            return self._mapping(value, depth)
        if isinstance(value, (list, tuple, set, frozenset)):
            return self._sequence(value, depth)
        return self._text(value)

    def _mapping(self, value: Mapping[Any, Any], depth: int) -> dict[str, Any]:
        result: dict[str, Any] = {}
        if depth >= _MAX_DEPTH:
            return result
        for key, item in value.items():
            if self._exhausted():
                break
            result[self._text(key)] = self.clean(item, depth + 1)
        return result

    def _sequence(self, value: Any, depth: int) -> list[Any]:
        result: list[Any] = []
        if depth >= _MAX_DEPTH:
            return result
        for item in value:
            if self._exhausted():
                break
            result.append(self.clean(item, depth + 1))
        return result

    def _text(self, value: Any) -> str:
        if isinstance(value, bytes):
            value = value[:_MAX_TEXT].decode("utf-8", "replace")
        elif isinstance(value, (date, time)):
            value = value.isoformat()
        elif isinstance(value, (bool, float, Decimal, UUID, timedelta)) or value is None:
            value = str(value)
        elif isinstance(value, int):
            value = str(value) if -_MAX_INT <= value < _MAX_INT else "?"
        elif not isinstance(value, str):
            value = f"<{type(value).__name__}>"
        text: str = value[: min(_MAX_TEXT, max(self._characters, 0))]
        self._characters -= len(text)
        return text if text.isascii() else text.encode("utf-8", "replace").decode()

    def _exhausted(self) -> bool:
        return self._nodes <= 0 or self._characters <= 0
