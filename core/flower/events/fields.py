"""Readers for single event fields: each takes any value and returns one of the type it states, or INVALID.

Events are hostile input. What comes out of here is finite, bounded and safe to encode.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from typing import Any, Final
from uuid import UUID

__all__ = ["INVALID", "amount", "averages", "count", "extras", "identifier", "lamport", "scrub", "short", "text"]

INVALID: Final = object()
"""Stands for a value that makes no sense in its field."""

_MAX_INTEGER = 2**53
_SHORT_LIMIT = 1_000
_EXTRA_KEYS = 32
_EXTRA_KEY_LENGTH = 100
_EXTRA_TEXT_LIMIT = 4_096
_EXTRA_NODES = 64
_EXTRA_DEPTH = 4
_MAX_LOADS = 16


def identifier(value: Any, limit: int) -> Any:
    """Return a non-empty text of at most `limit` characters, unchanged but for lone surrogates."""
    if type(value) is not str:
        value = _unwrapped(value)
    if not isinstance(value, str) or not value or len(value) > limit:
        return INVALID
    return scrub(value)


def text(value: Any, limit: int) -> str:
    """Return any value as a text of at most `limit` characters; a mark tells what was cut."""
    if type(value) is not str:
        value = _written(value)
    if len(value) > limit:
        mark = f"… (truncated, {len(value)} characters)"
        value = value[: max(limit - len(mark), 0)] + mark
    return scrub(value)


def short(value: Any, limit: int) -> str:
    """Return any value as the text of a name: at most 1,000 characters, and at most `limit`."""
    return text(value, min(limit, _SHORT_LIMIT))


def count(value: Any) -> Any:
    """Return a whole number from 0 to 2**53."""
    if type(value) is float and value.is_integer():
        value = int(value)
    return value if type(value) is int and 0 <= value <= _MAX_INTEGER else INVALID


def amount(value: Any, limit: float) -> Any:
    """Return a finite number of seconds, from 0 to `limit`."""
    return float(value) if type(value) in (float, int) and 0 <= value <= limit else INVALID


def averages(value: Any) -> Any:
    """Return load averages: a few finite numbers."""
    if not isinstance(value, (list, tuple)) or len(value) > _MAX_LOADS:
        return INVALID
    loads = tuple(amount(item, _MAX_INTEGER) for item in value)
    return INVALID if INVALID in loads else loads


def lamport(value: Any) -> int:
    """Return a logical clock, 0 for whatever is none: a leap to 10**30 must not outlive its event."""
    clock = count(value)
    return 0 if clock is INVALID else int(clock)


def extras(fields: Mapping[str, Any], limit: int) -> dict[str, Any]:
    """Return at most 32 fields that Celery does not define, values bounded singly and together."""
    kept: dict[str, Any] = {}
    room = limit
    for key, value in fields.items():
        if len(kept) == _EXTRA_KEYS or room <= 0:
            break
        if not isinstance(key, str) or len(key) > _EXTRA_KEY_LENGTH:
            continue
        kept[scrub(key)], size = _plain(value, min(room, _EXTRA_TEXT_LIMIT))
        room -= size
    return kept


def scrub(value: str) -> str:
    """Return the text with lone surrogates replaced, which no encoder would take."""
    if value.isascii():
        return value
    try:
        value.encode()
    except UnicodeEncodeError:
        return value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return value


def _plain(value: Any, limit: int) -> tuple[Any, int]:
    """Return a copy that JSON can hold, and about how many characters it takes."""
    if value is None or type(value) is bool:
        return value, 8
    if isinstance(value, (int, float)) and math.isfinite(value) and abs(value) <= _MAX_INTEGER:
        return value, 16
    if isinstance(value, (dict, list, tuple)):
        budget = [_EXTRA_NODES, limit]
        copy = _copied(value, budget, _EXTRA_DEPTH)
        if copy is not INVALID:
            return copy, limit - budget[1] + 16
    written = text(value, limit)
    return written, len(written) + 16


def _copied(value: Any, budget: list[int], depth: int) -> Any:
    """Copy a small container; `budget` holds how many nodes and characters are left."""
    budget[0] -= 1
    if budget[0] < 0 or depth < 0:
        return INVALID
    if value is None or type(value) is bool:
        return value
    if isinstance(value, (int, float)):
        return value if math.isfinite(value) and abs(value) <= _MAX_INTEGER else INVALID
    if isinstance(value, str):
        budget[1] -= len(value)
        return INVALID if budget[1] < 0 else scrub(value)
    if isinstance(value, (list, tuple)) and len(value) <= _EXTRA_NODES:
        items = [_copied(item, budget, depth - 1) for item in value]
        return INVALID if INVALID in items else items
    if isinstance(value, dict) and len(value) <= _EXTRA_NODES and all(isinstance(key, str) for key in value):
        budget[1] -= sum(map(len, value))
        pairs = {scrub(key): _copied(item, budget, depth - 1) for key, item in value.items()}
        return INVALID if budget[1] < 0 or INVALID in pairs.values() else pairs
    return INVALID


def _unwrapped(value: Any) -> Any:
    """Undo kombu's JSON envelope of a date, a decimal or a UUID (kombu.utils.json), as text."""
    if isinstance(value, UUID):
        return str(value)
    if isinstance(value, dict) and value.keys() == {"__type__", "__value__"}:
        inner = value["__value__"]
        if isinstance(inner, str):
            return inner
        if isinstance(inner, dict) and isinstance(inner.get("hex"), str) and len(inner["hex"]) == 32:
            try:
                return str(UUID(hex=inner["hex"]))
            except ValueError:
                return value
    return value


def _written(value: Any) -> str:
    """Return what is not a text as compact JSON, else as Python writes it."""
    value = _unwrapped(value)
    if isinstance(value, str):
        return value
    if isinstance(value, (bytes, bytearray)):
        return value.decode("utf-8", "replace")
    try:
        return json.dumps(value, ensure_ascii=False, separators=(",", ":"), default=str)
    except (ArithmeticError, LookupError, RecursionError, TypeError, ValueError):
        return f"({type(value).__name__} that cannot be shown)"
