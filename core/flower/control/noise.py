"""One log line per cause and minute: an outage must not drown what else the log has to say."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable

__all__ = ["Quiet"]

_MAX_CAUSES = 100


class Quiet:
    """Logs a repeated message at most once per `interval` seconds. May be used from any thread."""

    def __init__(
        self, log: logging.Logger, *, interval: float = 60.0, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._log, self._interval, self._clock = log, interval, clock
        self._last: dict[str, float] = {}

    def warning(self, cause: str, detail: str = "") -> None:
        """Log `cause` with `detail`, unless that cause was logged a moment ago."""
        now = self._clock()
        last = self._last.get(cause)
        if last is not None and now - last < self._interval:
            return
        if len(self._last) >= _MAX_CAUSES:
            self._last.clear()
        self._last[cause] = now
        self._log.warning("%s%s", cause, f": {detail}" if detail else "")
