"""What workers say of themselves: asked when they arrive, now and then, and on request."""

from __future__ import annotations

import asyncio
import logging
import time
from collections import OrderedDict
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any, Protocol

from flower.control.questions import Asks, Questions
from flower.masking import mask, safe_error
from flower.quiet import QuietLog
from flower_plugins import Service, Unavailable

__all__ = ["ALL_METHODS", "BASIC_METHODS", "TASK_LISTS", "InspectService", "Listener"]

BASIC_METHODS: Mapping[str, Mapping[str, Any]] = {"stats": {}, "active_queues": {}, "registered": {}, "conf": {}}
ALL_METHODS: Mapping[str, Mapping[str, Any]] = {
    **BASIC_METHODS,
    "scheduled": {},
    "active": {"safe": True},
    "reserved": {},
    "revoked": {},
}
TASK_LISTS: Mapping[str, Mapping[str, Any]] = {"active": {"safe": True}, "reserved": {}, "scheduled": {}}
_MAPPINGS = frozenset(("stats", "conf"))
_GATHER_SECONDS = 0.2
_TRIES = 3
_AT_ONCE = 100
_REQUESTS_AT_ONCE = 50


class Listener(Protocol):
    """Whoever wants to know which tasks workers hold, every time they are asked."""

    def asking(self) -> int:
        """Return a mark of what is known before workers are asked."""

    async def answered(self, replies: Mapping[str, Mapping[str, Any]], mark: int) -> None:
        """Take the replies by host name and method; they may name secrets."""


class InspectService(Service):
    """Implements `flower_plugins.host.Inspect`: a cache of masked replies, bounded by `max_workers`.

    `timeout`, `period` and `spacing`, the least time between two questions to the same worker, are
    seconds. `is_known` tells whether a worker was seen by its events; one that answered an inspect is
    known as well. `check_worker` raises for workers that cannot be asked. With `enabled` False nothing
    is ever broadcast.
    `format_request` returns the request of a task, as workers list them, as it may be kept and shown.
    With a `listener` every question asks for the tasks that workers hold, too.
    """

    name = "inspect"

    def __init__(
        self,
        mailbox: Asks,
        *,
        is_known: Callable[[str], bool],
        check_worker: Callable[[str], None] = lambda _: None,
        format_request: Callable[[Mapping[str, Any]], Mapping[str, Any]] = dict,
        listener: Listener | None = None,
        timeout: float = 1.0,
        max_workers: int = 5000,
        enabled: bool = True,
        period: float = 60.0,
        spacing: float = 1.0,
        log: logging.Logger | None = None,
    ) -> None:
        self._mailbox, self._is_known = mailbox, is_known
        self._timeout, self._max, self.enabled, self._period = timeout, max(max_workers, 1), enabled, period
        self._format, self._spacing, self._listener = format_request, spacing, listener
        self._questions = Questions(mailbox, format_request=format_request, spacing=spacing, timeout=timeout)
        self._check_worker = check_worker
        self._quiet = QuietLog(log or logging.getLogger("flower.control"), interval=60)
        self._cache: OrderedDict[str, dict[str, Any]] = OrderedDict()
        self._times: dict[str, dict[str, float]] = {}
        self._running: dict[str | None, asyncio.Task[None]] = {}
        self._asked: OrderedDict[str | None, float] = OrderedDict()
        self._arrived: dict[str, int] = {}
        self._greeter: asyncio.Task[None] | None = None
        self._periodic: asyncio.Task[None] | None = None
        self._renewal = asyncio.Event()

    def info(self, hostname: str) -> Mapping[str, Any] | None:
        """Return the replies by method and `timestamp`, when the worker last answered; None if it never did."""
        return self._cache.get(hostname)

    def times(self, hostname: str) -> Mapping[str, float]:
        """Return when the worker last answered, by method, seconds since the epoch."""
        return dict(self._times.get(hostname, {}))

    def snapshot(self) -> Mapping[str, Mapping[str, Any]]:
        """Return `info` of every worker that has answered."""
        return dict(self._cache)

    def knows(self, hostname: str) -> bool:
        """Tell whether the worker has ever answered."""
        return hostname in self._cache

    async def refresh(self, hostname: str | None = None) -> None:
        """Ask one worker for everything, or all workers for the basics; return when answered or timed out.

        Callers with the same target share one question, asked at most once per `spacing`. A worker that
        nobody has heard of is not asked. When the question fails the cache stays as it is.
        """
        if not self.enabled or (hostname is not None and not self.knows(hostname) and not self._is_known(hostname)):
            return
        running = self._running.get(hostname)
        if running is None:
            running = asyncio.ensure_future(self._refresh(hostname))
            self._running[hostname] = running
            running.add_done_callback(lambda _: self._running.pop(hostname, None))
        await asyncio.shield(running)

    async def query_task(self, uuid: str) -> Mapping[str, Mapping[str, Any]]:
        """Return `state` and `request` of the task by worker that holds it."""
        self._check_enabled()
        return await self._questions.query_task(uuid)

    async def report(self, hostname: str) -> str:
        """Return what the worker reports of its software and settings, secrets masked."""
        self._check_worker(hostname)
        self._check_enabled()
        return await self._questions.report(hostname)

    async def memsample(self, hostname: str) -> str | None:
        """Return the worker's resident memory in its own words, None when it cannot tell."""
        self._check_worker(hostname)
        self._check_enabled()
        return await self._questions.memsample(hostname)

    def worker_arrived(self, hostname: str) -> None:
        """Ask a worker that came online for the basics, together with others that arrive at the same time."""
        if not self.enabled or (hostname not in self._arrived and len(self._arrived) >= self._max):
            return
        self._arrived[hostname] = _TRIES
        if self._greeter is None or self._greeter.done():
            self._greeter = asyncio.ensure_future(self._greet())

    def freshen(self, max_age: float = 10.0) -> None:
        """Ask all workers soon, unless that was done within `max_age` seconds."""
        if time.monotonic() - self._asked.get(None, float("-inf")) > max_age:
            self._renewal.set()

    def renew(self) -> None:
        """Ask all workers again soon, because events were missed: what is being asked now may already be too old."""
        self._renewal.set()

    def forget(self, hostname: str) -> None:
        """Drop what is kept of a worker that the state has evicted."""
        for kept in (self._cache, self._times, self._arrived):
            kept.pop(hostname, None)
        self._asked.pop(hostname, None)

    async def start(self) -> None:
        """Ask all workers now, and again every `period`, in the background."""
        if self.enabled and self._periodic is None:
            self._periodic = asyncio.ensure_future(self._repeat())

    async def stop(self) -> None:
        """End all questions."""
        tasks = [task for task in (self._periodic, self._greeter, *self._running.values()) if task is not None]
        self._periodic = self._greeter = None
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _check_enabled(self) -> None:
        if not self.enabled:
            raise Unavailable("Workers are not inspected: --inspect is off")

    async def _repeat(self) -> None:
        while True:
            self._renewal.clear()
            await self.refresh()
            waiting = asyncio.ensure_future(self._renewal.wait())
            try:
                await asyncio.wait({waiting}, timeout=self._period)
            finally:
                waiting.cancel()

    async def _refresh(self, hostname: str | None) -> None:
        asked = self._asked.get(hostname)
        if asked is not None:
            await asyncio.sleep(max(asked + self._spacing - time.monotonic(), 0))
        self._asked[hostname] = time.monotonic()
        self._asked.move_to_end(hostname)
        while len(self._asked) > self._max:
            self._asked.popitem(last=False)
        if hostname is None:
            await self._ask(BASIC_METHODS, None)
        else:
            await self._ask(ALL_METHODS, [hostname])

    async def _greet(self) -> None:
        await asyncio.sleep(_GATHER_SECONDS)
        while self._arrived:
            batch = list(self._arrived)[:_AT_ONCE]
            answered = await self._ask(BASIC_METHODS, batch)
            for hostname in batch:
                tries = self._arrived.pop(hostname, 0) - 1
                # Its first heartbeat may come before it listens for commands: try again, behind the others.
                if hostname not in answered and tries > 0:
                    self._arrived[hostname] = tries
            await asyncio.sleep(self._spacing)

    async def _ask(self, methods: Mapping[str, Mapping[str, Any]], destination: Sequence[str] | None) -> set[str]:
        listener = self._listener
        try:
            if listener is None:
                replies = await self._mailbox.ask(methods, destination, timeout=self._timeout)
            else:
                mark = listener.asking()
                replies = await self._mailbox.ask({**methods, **TASK_LISTS}, destination, timeout=self._timeout)
                await listener.answered(replies, mark)
            return {hostname for hostname, reply in replies.items() if await self._store(hostname, reply, methods)}
        except Exception as error:  # guards the loops that ask: a transport may raise anything, and be mended
            self._quiet.warning("ask", f"Workers cannot be inspected: {safe_error(error)}")
            return set()

    async def _store(self, hostname: str, reply: Mapping[str, Any], methods: Collection[str]) -> bool:
        usable = {method: reply[method] for method in methods if method in reply and _is_usable(method, reply[method])}
        if not hostname or not usable:
            return False
        for method in usable.keys() & TASK_LISTS.keys():
            usable[method] = await self._formatted(usable[method])
        now = time.time()
        self._cache[hostname] = {**self._cache.get(hostname, {}), **mask(usable), "timestamp": now}
        self._cache.move_to_end(hostname)
        self._times.setdefault(hostname, {}).update(dict.fromkeys(usable, now))
        while len(self._cache) > self._max:
            self._times.pop(self._cache.popitem(last=False)[0], None)
        return True

    async def _formatted(self, entries: Sequence[Any]) -> list[Any]:
        """Return what may be kept of a worker's task list; what holds no request that can be read is left out."""
        kept: list[Any] = []
        for number, entry in enumerate(entries, 1):
            if number % _REQUESTS_AT_ONCE == 0:
                # A worker may list thousands, and formatters are foreign code.
                await asyncio.sleep(0)
            request = entry.get("request", entry) if isinstance(entry, Mapping) else None
            if not isinstance(request, Mapping):
                continue
            if request is entry:
                kept.append(self._format(request))
            else:
                known = {key: entry[key] for key in ("eta", "priority") if key in entry}
                kept.append({**known, "request": self._format(request)})
        return kept


def _is_usable(method: str, value: Any) -> bool:
    if method in _MAPPINGS:
        return isinstance(value, dict) and value != {} and set(value) != {"error"}
    if not isinstance(value, list):
        return False
    return method != "active_queues" or all(isinstance(q, dict) and isinstance(q.get("name"), str) for q in value)
