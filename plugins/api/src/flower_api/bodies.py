"""JSON bodies: read whatever the Content-Type says, and refused in words when they make no sense."""

from __future__ import annotations

import json
import math
from typing import Annotated, Any, TypeVar

import msgspec
from msgspec import Meta

from flower_plugins import InvalidParameter
from flower_plugins.bounds import MAX_NAME

__all__ = ["Name", "check", "read", "read_object"]

T = TypeVar("T")
Name = Annotated[str, Meta(min_length=1, max_length=MAX_NAME)]
"""What a body calls a task, a queue or a worker."""

_MAX_DEPTH = 64
_MAX_INTEGER = 2**64
_TOO_DEEP = f"The body is nested more than {_MAX_DEPTH} levels deep"


def read_object(body: bytes, complaint: str = "The body must be an object") -> dict[str, Any]:
    """Return the JSON object in a body; an empty one is an empty object."""
    found = _decode(body) if body.strip() else {}
    if not isinstance(found, dict):
        raise InvalidParameter(complaint)
    check(found)
    return found


def read(body: bytes, shape: type[T]) -> T:
    """Return a body as `shape`."""
    try:
        return msgspec.convert(read_object(body), shape)
    except msgspec.ValidationError as error:
        raise InvalidParameter(str(error)[:300]) from None


def check(value: Any) -> None:
    """Refuse what is nested too deeply, and numbers that are not finite or too large to be meant."""
    level = [value]
    for _ in range(_MAX_DEPTH):
        below: list[Any] = []
        for item in level:
            if isinstance(item, dict):
                below.extend(item.values())
            elif isinstance(item, list):
                below.extend(item)
            elif isinstance(item, float) and not math.isfinite(item):
                raise InvalidParameter("The body holds a number that is not finite")
            elif isinstance(item, int) and abs(item) >= _MAX_INTEGER:
                raise InvalidParameter("The body holds a number that is too large")
        if not below:
            return
        level = below
    raise InvalidParameter(_TOO_DEEP)


def _decode(body: bytes) -> Any:
    try:
        return msgspec.json.decode(body)
    except RecursionError:
        raise InvalidParameter(_TOO_DEEP) from None
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise InvalidParameter(_complaint(body) or str(error)) from None


def _complaint(body: bytes) -> str:
    """Return what Python has against it, which is what Flower 2 said; "" when Python would take it."""
    try:
        json.loads(body)
    except RecursionError:
        return _TOO_DEEP
    except ValueError as error:
        return str(error)
    return ""
