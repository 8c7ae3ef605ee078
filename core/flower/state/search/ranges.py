"""Qualifiers that compare: `retries:2`, `runtime:>1.5`, `received:2026-01-01..2026-01-31`, `age:<5m`."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from datetime import datetime, timedelta, timezone
from typing import NamedTuple

from flower.state.search.tokens import refuse

__all__ = ["RANGES", "Bounds", "read_range"]

_OPERATOR = re.compile(r"(>=|<=|=|>|<)?(.*)", re.DOTALL)
_AMOUNT = re.compile(r"(\d{1,15}(?:\.\d{0,9})?|\.\d{1,9})\s*(ms|s|m|h|d|w)?", re.ASCII)
_SECONDS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86_400.0, "w": 604_800.0}
_TIME = re.compile(
    r"(\d{4})-(\d\d)-(\d\d)(?:[T ](\d\d):(\d\d)(?::(\d\d)(\.\d{1,6})?)?)?\s*(Z|[+-]\d\d:?\d\d)?",
    re.ASCII | re.IGNORECASE,
)


class Bounds(NamedTuple):
    """What a value must lie between; None for no bound."""

    low: float | None
    high: float | None
    without_low: bool = False
    without_high: bool = False


class _Span(NamedTuple):
    """What a written value stands for: one number, or all moments of the minute or day that it names."""

    low: float
    high: float
    without_high: bool


def read_range(field: str, text: str, position: int) -> Bounds:
    """Return the bounds that a qualifier's value stands for. Raise QueryError naming the place of a mistake."""
    read, expected = RANGES[field]

    def span(value: str) -> _Span:
        found = read(value.strip())
        if found is None:
            refuse(f"Search qualifier {field} expects {expected}", position)
        return found

    first, dots, last = text.partition("..")
    if dots:
        low = span(first) if first.strip() else None
        high = span(last) if last.strip() else None
        if low is None and high is None:
            refuse(f"Search qualifier {field} expects {expected}", position)
        return Bounds(
            None if low is None else low.low,
            None if high is None else high.high,
            False,
            bool(high and high.without_high),
        )
    match = _OPERATOR.fullmatch(text)
    operator, value = match.groups() if match else ("", text)
    named = span(value)
    if operator == ">":
        return Bounds(named.high, None, not named.without_high)
    if operator == ">=":
        return Bounds(named.low, None)
    if operator == "<":
        return Bounds(None, named.low, without_high=True)
    if operator == "<=":
        return Bounds(None, named.high, without_high=named.without_high)
    return Bounds(named.low, named.high, False, named.without_high)


def _number(text: str) -> _Span | None:
    return _exactly(float(text)) if text.isascii() and text.isdigit() and len(text) <= 15 else None


def _duration(text: str) -> _Span | None:
    match = _AMOUNT.fullmatch(text)
    return None if match is None else _exactly(float(match[1]) * _SECONDS[match[2] or "s"])


def _exactly(value: float) -> _Span | None:
    return _Span(value, value, False) if math.isfinite(value) else None


def _moment(text: str) -> _Span | None:
    """Read a date, or a date and time to the minute, second or microsecond; without a zone it is in UTC."""
    match = _TIME.fullmatch(text)
    if match is None:
        return None
    year, month, day, hour, minute, second, fraction, zone = match.groups()
    try:
        start = datetime(
            int(year), int(month), int(day), int(hour or 0), int(minute or 0), int(second or 0), tzinfo=_zone(zone)
        ).timestamp()
    except (ValueError, OverflowError):
        return None
    if fraction:
        return _exactly(start + float(fraction))
    return _Span(start, start + (1.0 if second else 60.0 if minute else 86_400.0), True)


def _zone(text: str | None) -> timezone:
    if text is None or text in "Zz":
        return timezone.utc
    minutes = int(text[1:3]) * 60 + int(text[-2:])
    return timezone(timedelta(minutes=-minutes if text[0] == "-" else minutes))


_AMOUNT_EXPECTED = "seconds or a duration such as 1.5, >250ms, <=5m or 1h..2h"
_MOMENT_EXPECTED = "a date or time such as 2026-01-31, >=2026-01-31T10:00 or 2026-01-01..2026-01-31"

RANGES: dict[str, tuple[Callable[[str], _Span | None], str]] = {
    "retries": (_number, "a whole number such as 2, >0 or 1..3"),
    "runtime": (_duration, _AMOUNT_EXPECTED),
    "age": (_duration, _AMOUNT_EXPECTED),
    "received": (_moment, _MOMENT_EXPECTED),
    "started": (_moment, _MOMENT_EXPECTED),
}
"""How to read the values of each qualifier, and how to say so."""
