"""One answer about queues for all who ask: cached, asked once at a time, never waited for long."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from flower.quiet import QuietLog
from flower_plugins import BrokerInspector, FlowerError, NotFound, QueueReport, QueueStats

__all__ = ["QueueService", "declared_queues"]


class QueueService:
    """Implements `flower_plugins.host.Queues` over the chosen inspector.

    `snapshot` returns workers' inspect replies by host name, `is_online` tells which of them count,
    `declared` the queues of an app no worker of which has answered. `asked` is called when somebody wants
    to know, so that the replies can be kept young.
    """

    def __init__(
        self,
        inspector: BrokerInspector,
        *,
        snapshot: Callable[[], Mapping[str, Mapping[str, Any]]],
        is_online: Callable[[str], bool],
        declared: Sequence[str] = (),
        asked: Callable[[], object] = lambda: None,
        timeout: float = 3.0,
        max_age: float = 1.0,
        clock: Callable[[], float] = time.monotonic,
        log: logging.Logger | None = None,
    ) -> None:
        self._inspector = inspector
        self._snapshot, self._is_online, self._declared = snapshot, is_online, tuple(declared)
        self._timeout, self._max_age, self._clock = timeout, max_age, clock
        self._on_asked = asked
        self._quiet = QuietLog(log or logging.getLogger("flower.brokers"), interval=60, clock=clock)
        self._rows: Sequence[QueueStats] = ()
        self._answered: float | None = None
        self._tried: float | None = None
        self._error = ""
        self._supported = True
        self._asking: asyncio.Task[None] | None = None

    def names(self) -> Sequence[str]:
        """Return the queues online workers consume from, sorted, else those the app declares."""
        names = {
            queue["name"]
            for hostname, info in self._snapshot().items()
            if self._is_online(hostname)
            for queue in info.get("active_queues") or ()
        }
        return sorted(names) if names else self._declared

    async def report(self) -> QueueReport:
        """Return statistics at most `max_age` seconds old, or the last good ones marked stale. Never raises."""
        self._on_asked()
        if self._tried is None or self._clock() - self._tried > self._max_age:
            if self._asking is None:
                self._asking = asyncio.ensure_future(self._ask())
                self._asking.add_done_callback(self._asked)
            await asyncio.shield(self._asking)
        age = 0.0 if self._answered is None else max(self._clock() - self._answered, 0.0)
        return QueueReport(self._rows, age, bool(self._error), self._error, self._supported)

    async def close(self) -> None:
        """End a running question and release the inspector's connections."""
        if self._asking is not None:
            self._asking.cancel()
            await asyncio.gather(self._asking, return_exceptions=True)
        await self._inspector.close()

    def _asked(self, task: asyncio.Task[None]) -> None:
        self._asking = None

    async def _ask(self) -> None:
        try:
            rows = await asyncio.wait_for(self._inspector.queues(self.names()), self._timeout)
        except (asyncio.TimeoutError, TimeoutError):
            self._failed(f"The broker did not answer within {self._timeout:g} s")
        except NotFound as error:
            self._supported, self._error = False, error.message
        except FlowerError as error:
            self._failed(error.message)
        except Exception as error:
            # An inspector is a plugin: whatever it raises costs its answer, not the page. The text of
            # a foreign exception may hold a URL with a password, so that only its type is shown.
            self._failed(f"The queues cannot be read: {type(error).__name__}")
        else:
            self._rows, self._error, self._supported = tuple(rows), "", True
            self._answered = self._clock()
        self._tried = self._clock()

    def _failed(self, error: str) -> None:
        self._error = error
        self._quiet.warning(error, error)


def declared_queues(conf: Any) -> list[str]:
    """Return the names in a Celery app's `task_queues`, and its default queue, sorted."""
    names = {str(conf.task_default_queue)}
    for queue in conf.task_queues or ():
        names.add(str(getattr(queue, "name", queue)))
    return sorted(names)
