"""Hands changes to whoever asked for them, each apart from the others."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence

from flower_plugins import TaskChange, WorkerChange

__all__ = ["Callback", "Change", "Subscriber"]

Change = TaskChange | WorkerChange
Callback = Callable[[Sequence[Change]], None]

_MAX_FAILURES = 5
_LOG_INTERVAL = 60.0
_log = logging.getLogger(__name__)


class Subscriber:
    """One callback: its exceptions are counted and logged once a minute, five in a row turn it off.

    `turned_off` is told in words when that happens.
    """

    def __init__(
        self,
        callback: Callback,
        monotonic: Callable[[], float],
        turned_off: Callable[[str], None] | None = None,
        name: str = "",
    ) -> None:
        self.active = True
        self.failures = 0
        self._callback = callback
        self._name = name or getattr(callback, "__qualname__", type(callback).__qualname__)
        self._turned_off = turned_off
        self._monotonic = monotonic
        self._in_a_row = 0
        self._logged_at = float("-inf")

    def deliver(self, changes: Sequence[Change]) -> None:
        """Call back, unless turned off."""
        if not self.active:
            return
        try:
            self._callback(changes)
        except Exception as error:  # the plugin boundary: a sink must not stop the others
            self._fail(error)
        else:
            self._in_a_row = 0

    def _fail(self, error: Exception) -> None:
        self.failures += 1
        self._in_a_row += 1
        name = self._name
        if self._in_a_row >= _MAX_FAILURES:
            self.active = False
            _log.exception("Event sink %s is off after %d failures in a row", name, self._in_a_row)
            if self._turned_off is not None:
                kind = type(error).__name__
                self._turned_off(f"the event sink is off: it raised {kind} {_MAX_FAILURES} times in a row")
        elif self._monotonic() - self._logged_at >= _LOG_INTERVAL:
            self._logged_at = self._monotonic()
            _log.exception("Event sink %s failed (%d times so far)", name, self.failures)
