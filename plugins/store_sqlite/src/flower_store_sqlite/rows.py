"""How a row looks in the file: JSON text and a checksum that tells damage from data."""

from __future__ import annotations

import json
import zlib
from collections.abc import Sequence

from flower_plugins import Row

__all__ = ["Packed", "pack", "unpack", "whole"]

Packed = tuple[str, str, int, str, int]
"""kind, key, order, fields as JSON, checksum: the columns of the table behind its id."""


def pack(row: Row) -> Packed:
    """Return the columns of a row. Raise ValueError, TypeError or RecursionError for what JSON cannot hold."""
    row.key.encode()
    fields = json.dumps(row.fields, allow_nan=False, separators=(",", ":"))
    return row.kind, row.key, row.order, fields, _checksum(row.kind, row.key, row.order, fields)


def whole(columns: Sequence[object]) -> Packed | None:
    """Return the columns if they are what was once packed, None when they are damaged or somebody else's."""
    try:
        kind, key, order, fields, checksum = columns
    except ValueError:
        return None
    if not (isinstance(kind, str) and isinstance(key, str) and isinstance(order, int) and isinstance(fields, str)):
        return None
    try:
        found = _checksum(kind, key, order, fields)
    except UnicodeEncodeError:
        return None
    return (kind, key, order, fields, found) if checksum == found else None


def unpack(packed: Packed) -> Row | None:
    """Return the row, None when its fields cannot be read although the checksum is right."""
    kind, key, order, fields, _ = packed
    try:
        values = json.loads(fields)
    except (ValueError, RecursionError):
        return None
    return Row(kind, key, order, values) if isinstance(values, dict) else None


def _checksum(kind: str, key: str, order: int, fields: str) -> int:
    return zlib.crc32(f"{kind}\0{key}\0{order}\0{fields}".encode())
