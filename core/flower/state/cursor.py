"""Cursors: where a page ended, so that the next one begins there however many tasks have come since."""

from __future__ import annotations

import binascii
import json
import math
from base64 import urlsafe_b64decode, urlsafe_b64encode

from flower.state.orders import Key
from flower.state.tasks import TaskRecord
from flower_plugins import QueryError

__all__ = ["read_cursor", "write_cursor"]

_MAX_CHARACTERS = 2000
_SORTED = frozenset(("", "received"))


def write_cursor(record: TaskRecord, sort_by: str, descending: bool) -> str:
    """Return the cursor behind a record: an opaque text, safe in a URL; "" for an order that has none."""
    if sort_by not in _SORTED:
        return ""
    value = record.received if sort_by else record.order
    text = json.dumps([sort_by, descending, value, record.uuid], separators=(",", ":"))
    return urlsafe_b64encode(text.encode()).decode().rstrip("=")


def read_cursor(text: str, sort_by: str, descending: bool) -> Key | None:
    """Return the key of the record a cursor was written for, None for no cursor. Raise QueryError for a foreign one."""
    if not text:
        return None
    if sort_by not in _SORTED:
        raise QueryError("A cursor can continue the default order and the one by received only.")
    try:
        if len(text) > _MAX_CHARACTERS:
            raise ValueError
        field, down, value, uuid = json.loads(urlsafe_b64decode(text + "=" * (-len(text) % 4)))
        number = None if value is None else float(value)
        if not isinstance(uuid, str) or (number is not None and not math.isfinite(number)):
            raise ValueError
    except (TypeError, ValueError, OverflowError, RecursionError, binascii.Error):
        raise QueryError("The cursor cannot be read: pass `next` of the page before, as it is.") from None
    if (field, down) != (sort_by, descending):
        raise QueryError("The cursor belongs to another order than the one asked for.")
    return number is not None, number or 0.0, uuid
