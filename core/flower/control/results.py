"""Results of tasks for any number of waiters: one poller asks for all of them, and no thread waits."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Callable, Mapping, Sequence
from typing import Protocol

from msgspec import Struct

from flower import audit
from flower.control.bounds import check_seconds, check_uuids
from flower.control.executor import Executor
from flower.control.mailbox import UNAVAILABLE
from flower_plugins import FlowerError, Forbidden, Service, TaskResult, Unavailable

__all__ = ["ResultService"]

log = logging.getLogger("flower")

_CALL_SECONDS = 4.0
_FIRST_PAUSE = 0.05
_LONGEST_PAUSE = 0.5
_AT_ONCE = 200
_MAX_WAITING = 5000


class _Backend(Protocol):
    @property
    def configured(self) -> bool: ...
    def fetch(self, uuids: Sequence[str]) -> Mapping[str, TaskResult | Unavailable]: ...
    def abort(self, uuid: str) -> None: ...
    def abandon(self) -> None: ...
    def close(self) -> None: ...


class _Waiter(Struct, eq=False):
    """Somebody who wants a result by `deadline`; looked at when `due`, then after ever longer pauses."""

    uuid: str
    future: asyncio.Future[TaskResult]
    deadline: float
    due: float
    pause: float = _FIRST_PAUSE


class ResultService(Service):
    """Implements `flower_plugins.host.Results` over a `ResultBackend`.

    `shown` makes of a result what may be shown of it.
    """

    name = "results"

    def __init__(
        self,
        backend: _Backend,
        executor: Executor,
        *,
        shown: Callable[[TaskResult], TaskResult] = lambda result: result,
        read_only: bool = False,
    ) -> None:
        self._backend, self._executor, self._shown, self._read_only = backend, executor, shown, read_only
        self._waiting: dict[_Waiter, None] = {}
        self._hurry = asyncio.Event()
        self._poller: asyncio.Task[None] | None = None

    @property
    def configured(self) -> bool:
        """Tell whether the Celery app has a result backend."""
        return self._backend.configured

    @property
    def waiting(self) -> int:
        """How many wait for a result now."""
        return len(self._waiting)

    async def get(self, uuid: str) -> TaskResult:
        """Return the task's state and, when it is ready, its result."""
        return await self.wait(uuid, 0.0)

    async def wait(self, uuid: str, seconds: float) -> TaskResult:
        """Return the task's state and result once it is ready or the time is over; may be cancelled."""
        check_uuids([uuid])
        check_seconds(seconds, "timeout")
        if len(self._waiting) >= _MAX_WAITING:
            raise Unavailable("Too many requests wait for results")
        loop = asyncio.get_running_loop()
        waiter = _Waiter(uuid, loop.create_future(), loop.time() + seconds, loop.time())
        self._waiting[waiter] = None
        self._hurry.set()
        if self._poller is None or self._poller.done():
            self._poller = asyncio.ensure_future(self._poll())
            self._poller.add_done_callback(self._ended)
        try:
            return self._shown(await waiter.future)
        finally:
            self._waiting.pop(waiter, None)

    async def abort(self, uuid: str) -> None:
        """Mark a task as aborted."""
        with audit.order("abort", [uuid]):
            if self._read_only:
                raise Forbidden("Read only mode is enabled")
            check_uuids([uuid])
            try:
                await self._executor.run(self._backend.abort, uuid, timeout=_CALL_SECONDS)
            except TimeoutError:
                self._backend.abandon()
                raise Unavailable(UNAVAILABLE) from None

    async def start(self) -> None:
        """Do nothing: the poller starts with its first waiter."""

    async def stop(self) -> None:
        """Turn all waiters away and release the connection."""
        poller, self._poller = self._poller, None
        if poller is not None:
            poller.cancel()
            await asyncio.gather(poller, return_exceptions=True)
        self._fail(list(self._waiting), Unavailable("Flower is shutting down"))
        self._executor.submit(self._backend.close)

    async def _poll(self) -> None:
        """Look at the tasks that are due, as long as anybody waits."""
        loop = asyncio.get_running_loop()
        while self._waiting:
            self._hurry.clear()
            now = loop.time()
            due = [waiter for waiter in self._waiting if waiter.due <= now][:_AT_ONCE]
            if due:
                await self._look(due)
                continue
            soonest = min(waiter.due for waiter in self._waiting)
            with contextlib.suppress(asyncio.TimeoutError):
                await asyncio.wait_for(self._hurry.wait(), max(soonest - now, 0.001))

    def _ended(self, poller: asyncio.Task[None]) -> None:
        """Let nobody wait for a poller that a fault of ours has ended; the next question starts another."""
        if poller.cancelled() or (error := poller.exception()) is None:
            return
        log.error("Results are no longer looked for: %r", error, exc_info=error)
        self._fail(list(self._waiting), Unavailable(UNAVAILABLE))

    async def _look(self, due: list[_Waiter]) -> None:
        uuids = list({waiter.uuid: None for waiter in due})
        try:
            found = await self._executor.run(self._backend.fetch, uuids, timeout=_CALL_SECONDS)
        except TimeoutError:
            self._backend.abandon()
            self._fail(due, Unavailable(UNAVAILABLE))
            return
        except Exception as error:  # guards the waiters: whatever ends a look ends their wait as well
            self._fail(due, error if isinstance(error, FlowerError) else Unavailable(UNAVAILABLE))
            return
        now = asyncio.get_running_loop().time()
        for waiter in due:
            result = found[waiter.uuid]
            if isinstance(result, Unavailable):
                self._fail([waiter], result)
                continue
            if result.ready or waiter.deadline <= now:
                self._waiting.pop(waiter, None)
                if not waiter.future.done():
                    waiter.future.set_result(result)
                continue
            waiter.due = min(now + waiter.pause, waiter.deadline)
            waiter.pause = min(waiter.pause * 1.5, _LONGEST_PAUSE)

    def _fail(self, waiters: Sequence[_Waiter], error: FlowerError) -> None:
        for waiter in waiters:
            self._waiting.pop(waiter, None)
            if not waiter.future.done():
                waiter.future.set_exception(type(error)(error.message))
