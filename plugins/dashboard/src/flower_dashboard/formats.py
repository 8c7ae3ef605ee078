"""How values look in a page. Data comes from anybody who can reach the broker, so nothing here trusts a type."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta, timezone, tzinfo
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

__all__ = [
    "Clock",
    "Stamp",
    "count",
    "duration",
    "label",
    "left",
    "moment",
    "number",
    "plain",
    "short",
    "text",
    "visible",
    "whole",
]

_EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)
_TURNING = {ord(sign): f"\\u{ord(sign):04x}" for sign in "\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"}
_ACRONYMS = {"eta": "ETA", "id": "ID", "pid": "PID", "ssl": "SSL", "uri": "URI", "url": "URL", "uuid": "UUID"}


class Stamp(NamedTuple):
    """One point in time, written in every way that pages need it; see the methods of `Clock`."""

    iso: str
    absolute: str
    day: str
    time: str


class Clock:
    """Writes points in time, given as seconds since the epoch, in one time zone."""

    def __init__(self, zone: str) -> None:
        self._zone = _zone(zone)

    def iso(self, value: Any) -> str:
        """Return ISO 8601 for `<time datetime>`, "" for what is not a point in time."""
        moment = self._moment(value)
        return "" if moment is None else moment.isoformat(timespec="milliseconds")

    def absolute(self, value: Any) -> str:
        """Return date, time to the microsecond and zone."""
        moment = self._moment(value)
        return text(value) if moment is None else f"{moment:%Y-%m-%d %H:%M:%S.%f} {moment.tzname() or ''}".rstrip()

    def stamp(self, value: Any) -> Stamp | None:
        """Return all of it at once, which takes a third of the time; None for what is not a point in time."""
        moment = self._moment(value)
        if moment is None:
            return None
        words = moment.isoformat(timespec="microseconds")
        day, clock = words[:10], words[11:26]
        absolute = f"{day} {clock} {moment.tzname() or ''}".rstrip()
        return Stamp(f"{words[:23]}{words[26:]}", absolute, day, clock[:12])

    def day(self, value: Any) -> str:
        """Return the date alone."""
        moment = self._moment(value)
        return "" if moment is None else f"{moment:%Y-%m-%d}"

    def time(self, value: Any) -> str:
        """Return the time of day to the millisecond."""
        moment = self._moment(value)
        return "" if moment is None else f"{moment:%H:%M:%S}.{moment.microsecond // 1000:03d}"

    def ago(self, value: Any, now: float) -> str:
        """Return how long before `now` it was, in words; beyond a day the date and time."""
        seconds = number(value)
        if seconds is None or self._moment(value) is None:
            return text(value)
        past = now - seconds
        if abs(past) >= 86_400:
            return f"{self.day(value)} {self.time(value)[:8]}"
        words = _span(abs(past))
        if words == "now":
            return words
        return f"{words} ago" if past >= 0 else f"in {words}"

    def _moment(self, value: Any) -> datetime | None:
        seconds = number(value)
        if seconds is None:
            return None
        try:
            # Not fromtimestamp: its range depends on the platform's C library.
            return (_EPOCH + timedelta(seconds=seconds)).astimezone(self._zone)
        except (OverflowError, ValueError):
            return None


def number(value: Any) -> float | None:
    """Return a finite number, None for anything else."""
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return None
    try:
        result = float(value)
    except OverflowError:
        return None
    return result if math.isfinite(result) else None


def left(value: Any, now: float) -> str:
    """Return how long it is until a point in time, to the second; "due" once it is over."""
    moment = number(value)
    if moment is None:
        return text(value)
    seconds = math.ceil(moment - now)
    if seconds <= 0:
        return "due"
    return f"{seconds} s" if seconds < 60 else duration(seconds)


def whole(value: Any) -> int:
    """Return a count, 0 for what is none."""
    if type(value) is int:
        return value
    found = number(value)
    return 0 if found is None else int(found)


def text(value: Any) -> str:
    """Return a value as one piece of text: "" for None, lists of scalars joined, mappings as JSON.

    Lone surrogates, which no URL and no page can carry, become question marks.
    """
    words = _words(value)
    return words if words.isascii() else words.encode("utf-8", "replace").decode("utf-8")


def visible(value: Any) -> str:
    """Return `text` with the signs spelt out that would turn the direction of what is around them, and mislead."""
    words = text(value)
    return words if words.isascii() else words.translate(_TURNING)


def moment(value: Any) -> float | None:
    """Return an ISO 8601 time as seconds since the epoch; without a zone it is UTC, as workers mean it."""
    if not isinstance(value, str):
        return None
    try:
        found = datetime.fromisoformat(value.replace("Z", "+00:00"))
        return (found if found.tzinfo else found.replace(tzinfo=timezone.utc)).timestamp()
    except (ValueError, OverflowError):
        return None


def count(value: Any) -> str:
    """Return a count with thousands separators, "0" for None."""
    found = number(value)
    if found is None:
        return "0" if value is None else text(value)
    return f"{int(found):,}"


def duration(value: Any) -> str:
    """Return seconds as `123.46 ms`, `1.50 s`, `2m 05s` or `1h 02m 03s`; "" for what is no number."""
    seconds = number(value)
    if seconds is None:
        return ""
    if seconds < 0:
        return f"-{duration(-seconds)}"
    if seconds < 1:
        return f"{seconds * 1000:.2f} ms"
    if seconds < 60:
        return f"{seconds:.2f} s"
    minutes, rest = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}h {minutes:02d}m {rest:02d}s" if hours else f"{minutes}m {rest:02d}s"


def rough(value: Any) -> str:
    """Return an estimate in seconds with three digits, as `592 ms`, `1.06 s` or `2m 05s`; "" for what is no number."""
    seconds = number(value)
    if seconds is None:
        return ""
    if seconds < 0:
        return f"-{rough(-seconds)}"
    if seconds < 0.9995:
        return f"{_three(seconds * 1000)} ms"
    return f"{_three(seconds)} s" if seconds < 59.95 else duration(math.floor(seconds + 0.5))


def short(value: Any, length: int = 8) -> str:
    """Return the beginning of an identifier."""
    return text(value)[:length]


def label(key: Any) -> str:
    """Return a key such as `max-tasks-per-child` in words: `Max tasks per child`."""
    words = text(key).replace("-", " ").replace("_", " ").split()
    if not words:
        return text(key)
    words = [_ACRONYMS.get(word.lower(), word) for word in words]
    words[0] = words[0][:1].upper() + words[0][1:]
    return " ".join(words)


def plain(value: Any, depth: int = 20) -> Any:
    """Return `value` made of what strict JSON can say: NaN and infinities become null, strangers text."""
    if value is None or isinstance(value, (bool, int, str)):
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if depth <= 0:
        return "…"
    if isinstance(value, Mapping):
        return {text(key): plain(item, depth - 1) for key, item in value.items()}
    if isinstance(value, (list, tuple, set, frozenset)):
        return [plain(item, depth - 1) for item in value]
    return str(value)


def _three(value: float) -> str:
    """Return a number below 1000 with three digits."""
    return f"{value:#.3g}".rstrip(".") if value >= 0.1 else f"{value:.2f}"


def _span(seconds: float) -> str:
    if seconds < 1:
        return "now"
    for size, unit in ((3600, "hour"), (60, "minute"), (1, "second")):
        amount = int(seconds // size)
        if amount:
            return f"{amount} {unit}{'s' if amount > 1 else ''}"
    return "now"


def _zone(name: str) -> tzinfo:
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return timezone.utc  # No time zone data on this machine, or a name of the app's own making.


def _words(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, str):
        return value
    if isinstance(value, (list, tuple)) and all(isinstance(item, (str, int, float)) for item in value):
        return ", ".join(str(item) for item in value)
    if isinstance(value, (Mapping, Sequence)) and not isinstance(value, (bytes, bytearray)):
        return json.dumps(plain(value), ensure_ascii=False)
    return str(value)
