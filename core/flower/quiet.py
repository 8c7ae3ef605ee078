"""A logger for what may happen ten thousand times a second, or every second of an outage."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable

__all__ = ["QuietLog", "Throttle", "escaped", "one_line"]

_MAX_KEYS = 100


class QuietLog:
    """Logs at most one line per key in `interval` seconds and says how many it kept back.

    Remembers a hundred keys; when there are more it forgets them all. May be used from any thread.
    """

    def __init__(
        self, log: logging.Logger, *, interval: float = 10.0, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._log = log
        self._interval = interval
        self._clock = clock
        self._last: dict[str, float] = {}
        self._held: dict[str, int] = {}

    def warning(self, key: str, message: str) -> None:
        """Log `message`, unless a line with this key was logged a moment ago."""
        self._write(logging.WARNING, key, message, None)

    def error(self, key: str, message: str, error: BaseException) -> None:
        """Log `message` with the traceback of `error`, as rarely."""
        self._write(logging.ERROR, key, message, error)

    def _write(self, level: int, key: str, message: str, error: BaseException | None) -> None:
        now = self._clock()
        last = self._last.get(key)
        if last is not None and now - last < self._interval:
            self._held[key] = self._held.get(key, 0) + 1
            return
        if len(self._last) >= _MAX_KEYS:
            self._last.clear()
            self._held.clear()
        self._last[key] = now
        held = self._held.pop(key, 0)
        suffix = f" ({held} more like it since the last line)" if held else ""
        self._log.log(level, "%s%s", message, suffix, exc_info=error)


class Throttle(logging.Filter):
    """Lets `most` records of somebody else's logger pass each second; the next one says how many were left out."""

    def __init__(self, most: int, clock: Callable[[], float] = time.monotonic) -> None:
        super().__init__()
        self._most, self._clock = most, clock
        self._second, self._passed, self._held = -1, 0, 0

    def filter(self, record: logging.LogRecord) -> bool:
        """Tell whether the record is logged."""
        second = int(self._clock())
        if second != self._second:
            self._second, self._passed = second, 0
        if self._passed >= self._most:
            self._held += 1
            return False
        self._passed += 1
        if self._held:
            record.msg, record.args = f"{record.getMessage()} ({self._held} lines left out before)", ()
            self._held = 0
        return True


def escaped(text: str, keep: str = "") -> str:
    """Return the text with everything that is not printable written out, line ends and terminal codes among it.

    Characters in `keep` stay as they are.
    """
    if text.isprintable():
        return text
    return "".join(
        letter if letter.isprintable() or letter in keep else letter.encode("unicode_escape").decode("ascii")
        for letter in text
    )


def one_line(value: object, limit: int = 200) -> str:
    """Return any value as printable ASCII of bounded length, fit for a log line."""
    written = str(value)
    escaped = written[:limit].encode("unicode_escape").decode("ascii")
    return escaped + ("..." if len(written) > limit else "")
