"""Keeps an event source running for ever, whatever happens to the broker or to the source."""

from __future__ import annotations

import asyncio
import logging
import random as random_module
import time
from collections.abc import Awaitable, Callable, Mapping

from flower.events.backoff import Backoff
from flower.events.status import StreamStatus
from flower.masking import safe_error, safe_line
from flower_plugins import EventSource, Messages, Pump

__all__ = ["Supervisor"]

logger = logging.getLogger(__name__)

_STABLE_SECONDS = 10.0
_REMINDER_SECONDS = 60.0


class Supervisor:
    """Starts the source, starts it again after any end, and tells status and log what that means.

    `clock` is monotonic. One line says that events were lost, one that they are back; in between the
    log repeats the reason once a minute. `connected` is called on the loop each time events begin to flow.
    """

    def __init__(
        self,
        make_source: Callable[[], EventSource],
        pump: Pump,
        status: StreamStatus,
        *,
        sleep: Callable[[float], Awaitable[object]] = asyncio.sleep,
        random: Callable[[], float] = random_module.random,
        clock: Callable[[], float] = time.monotonic,
        log: logging.Logger = logger,
        connected: Callable[[], object] = lambda: None,
    ) -> None:
        self._make_source = make_source
        self._pump = pump
        self._status = status
        self._sleep = sleep
        self._clock = clock
        self._log = log
        self._connected = connected
        self._backoff = Backoff(random)
        self._source: EventSource | None = None
        self._connected_at: float | None = None
        self._lost_at: float | None = None
        self._said_at = 0.0

    async def run(self) -> None:
        """Run until cancelled."""
        loop = asyncio.get_running_loop()
        while True:
            try:
                self._source = self._make_source()
                await self._source.run(_Witness(self._pump, loop, self))
            except Exception as error:  # guards monitoring against any fault of a transport or a plugin
                reason = safe_error(error)
            else:
                reason = "the event source ended"
            self._source = None
            self._status.lost(reason)
            self.on_lost(reason)
            await self._sleep(self._backoff.delay())

    def hurry(self) -> None:
        """Have the source hand over what it lets gather."""
        if self._source is None:
            return
        try:
            self._source.hurry()
        except Exception as error:  # guards the request in which somebody looks
            self._log.warning("The event source could not hurry: %s", safe_error(error))

    def on_connected(self) -> None:
        """Note on the loop that the source says events flow."""
        now = self._clock()
        if self._lost_at is not None:
            self._log.warning("Event stream restored after %.0f s", now - self._lost_at)
        elif self._connected_at is None:
            self._log.info("Event stream connected")
        self._connected_at, self._lost_at = now, None
        self._connected()

    def on_lost(self, reason: str) -> None:
        """Note on the loop that they stopped, or still do not come."""
        now = self._clock()
        if self._lost_at is None:
            stable = self._connected_at is not None and now - self._connected_at >= _STABLE_SECONDS
            if stable:
                self._backoff.reset()
            self._log.error("Event stream lost: %s; trying to reconnect", reason)
            self._lost_at = self._said_at = now
        elif now - self._said_at >= _REMINDER_SECONDS:
            self._log.warning("Still no event stream after %.0f s: %s", now - self._lost_at, reason)
            self._said_at = now


class _Witness:
    """The pump as the source sees it, with the supervisor listening."""

    def __init__(self, pump: Pump, loop: asyncio.AbstractEventLoop, supervisor: Supervisor) -> None:
        self._pump = pump
        self._loop = loop
        self._supervisor = supervisor
        self.offer: Callable[[Messages], None] = pump.offer

    def connected(self, detail: Mapping[str, str] | None = None) -> None:
        self._pump.connected(detail)
        self._loop.call_soon_threadsafe(self._supervisor.on_connected)

    def lost(self, reason: str) -> None:
        safe = safe_line(reason)
        self._pump.lost(safe)
        self._loop.call_soon_threadsafe(self._supervisor.on_lost, safe)
