"""One answer about queues for all who ask: cached, asked once at a time, never waited for long."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import islice
from typing import Any, Protocol

from msgspec.structs import replace

from flower.quiet import QuietLog
from flower_plugins import BrokerInspector, FlowerError, NotFound, QueueReport, QueueStats

__all__ = ["QueueService", "QueueWatcher", "declared_queues"]


_MAX_OTHERS = 200


class QueueWatcher(Protocol):
    """Somebody who wants to know of every answer."""

    def watched(self) -> Iterable[str]:
        """Return queues to ask for even when nobody consumes from them."""

    def seen(self, rows: Sequence[QueueStats]) -> None:
        """Take note of an answer."""


class QueueService:
    """Implements `flower_plugins.host.Queues` over the chosen inspector.

    `snapshot` returns workers' inspect replies by host name, `is_online` tells which of them count,
    `declared` the queues of an app no worker of which has answered. `asked` is called when somebody wants
    to know, so that the replies can be kept young. `history` is told of every good answer, and may watch queues
    besides, which `report` leaves out.
    """

    def __init__(
        self,
        inspector: BrokerInspector,
        *,
        snapshot: Callable[[], Mapping[str, Mapping[str, Any]]],
        is_online: Callable[[str], bool],
        declared: Sequence[str] = (),
        asked: Callable[[], object] = lambda: None,
        history: QueueWatcher | None = None,
        timeout: float = 3.0,
        max_age: float = 1.0,
        clock: Callable[[], float] = time.monotonic,
        log: logging.Logger | None = None,
    ) -> None:
        self._inspector = inspector
        self._snapshot, self._is_online, self._declared = snapshot, is_online, tuple(declared)
        self._timeout, self._max_age, self._clock = timeout, max_age, clock
        self._on_asked, self._history = asked, history
        self._quiet = QuietLog(log or logging.getLogger("flower.brokers"), interval=60, clock=clock)
        self._rows: Sequence[QueueStats] = ()
        self._named: frozenset[str] = frozenset()
        self._answered: float | None = None
        self._tried: float | None = None
        self._error = ""
        self._supported = True
        self._asking: asyncio.Task[None] | None = None
        self.took = 0.0
        """How many seconds the last question took."""

    def names(self) -> Sequence[str]:
        """Return the queues online workers consume from, sorted, else those the app declares."""
        names = {
            queue["name"]
            for hostname, info in self._snapshot().items()
            if self._is_online(hostname)
            for queue in info.get("active_queues") or ()
        }
        return sorted(names) if names else self._declared

    async def report(self, *, watched: bool = False) -> QueueReport:
        """Return statistics at most `max_age` seconds old, or the last good ones marked stale. Never raises."""
        self._on_asked()
        await self._renewed(self._max_age)
        self._warn()
        rows = [row for row in self._rows if row.name in self._named or (watched and (row.messages or row.ready))]
        return replace(self.last(), queues=rows)

    async def sample(self, max_age: float) -> None:
        """Ask for those who only watch, unless somebody did in the last `max_age` seconds; log nothing."""
        if self._supported:
            await self._renewed(max_age)

    def last(self) -> QueueReport:
        """Return what is known already, watched queues included; nobody is asked."""
        age = 0.0 if self._answered is None else max(self._clock() - self._answered, 0.0)
        return QueueReport(self._rows, age, bool(self._error), self._error, self._supported)

    async def close(self) -> None:
        """End a running question and release the inspector's connections."""
        if self._asking is not None:
            self._asking.cancel()
            await asyncio.gather(self._asking, return_exceptions=True)
        await self._inspector.close()

    async def _renewed(self, max_age: float) -> None:
        if self._tried is None or self._clock() - self._tried > max_age:
            if self._asking is None:
                self._asking = asyncio.ensure_future(self._ask())
                self._asking.add_done_callback(self._asked)
            await asyncio.shield(self._asking)

    def _warn(self) -> None:
        """Log why nothing is known, for somebody who wants to know."""
        if self._error and self._supported:
            self._quiet.warning(self._error, self._error)

    def _asked(self, task: asyncio.Task[None]) -> None:
        self._asking = None

    async def _ask(self) -> None:
        began = self._clock()
        try:
            named = self.names()
            watched = () if self._history is None else self._history.watched()
            rows = await asyncio.wait_for(self._inspected((*named, *watched)), self._timeout)
        except (asyncio.TimeoutError, TimeoutError):
            self._error = f"The broker did not answer within {self._timeout:g} s"
        except NotFound as error:
            self._supported, self._error = False, error.message
        except FlowerError as error:
            self._error = error.message
        except Exception as error:
            # An inspector is a plugin: whatever it raises costs its answer, not the page. The text of
            # a foreign exception may hold a URL with a password, so that only its type is shown.
            self._error = f"The queues cannot be read: {type(error).__name__}"
        else:
            self._rows, self._named, self._error, self._supported = tuple(rows), frozenset(named), "", True
            self._answered = self._clock()
            if self._history is not None:
                self._history.seen(self._rows)
        self._tried = self._clock()
        self.took = self._tried - began

    async def _inspected(self, names: Iterable[str]) -> Sequence[QueueStats]:
        wanted = list(dict.fromkeys((*names, *islice(await self._inspector.others(), _MAX_OTHERS))))
        return await self._inspector.queues(wanted)


def declared_queues(conf: Any) -> list[str]:
    """Return the names in a Celery app's `task_queues`, and its default queue, sorted."""
    names = {str(conf.task_default_queue)}
    for queue in conf.task_queues or ():
        names.add(str(getattr(queue, "name", queue)))
    return sorted(names)
