"""Threads for blocking Celery and kombu calls, with deadlines that a hanging broker cannot outlast."""

from __future__ import annotations

import asyncio
import threading
from collections import deque
from collections.abc import Callable
from typing import Any, TypeVar

from flower_plugins import Unavailable

__all__ = ["Executor"]

T = TypeVar("T")

_IDLE_SECONDS = 10.0


class Executor:
    """Runs blocking calls on daemon threads that are made on demand.

    At most `limit` threads work for callers that still wait. A thread whose caller gave up no longer
    counts, so calls that hang starve nobody; together with those there are never more than `ceiling`.
    """

    def __init__(self, *, limit: int = 16, ceiling: int = 64) -> None:
        self._limit, self._ceiling = limit, max(ceiling, limit)
        self._lock = threading.Lock()
        self._wake = threading.Condition(self._lock)
        self._jobs: deque[_Job] = deque()
        self._threads = self._idle = self._stuck = 0
        self._closed = False
        self._drained: Callable[[], object] | None = None

    async def run(self, call: Callable[..., T], *args: Any, timeout: float = 5.0) -> T:
        """Return what `call` returns; raise TimeoutError after `timeout` seconds, time in the queue included.

        The call itself is not interrupted: what it does after the deadline is lost.
        """
        loop = asyncio.get_running_loop()
        future: asyncio.Future[T] = loop.create_future()
        job = _Job(call, args, loop, future)
        self._put(job)
        try:
            done, _ = await asyncio.wait({future}, timeout=timeout)
        except asyncio.CancelledError:
            self._abandon(job)
            raise
        if not done:
            self._abandon(job)
            raise TimeoutError(f"no answer within {timeout:g} s")
        return future.result()

    def submit(self, call: Callable[[], object]) -> None:
        """Run `call` without waiting for it, from any thread; after `close` it is dropped."""
        try:
            self._put(_Job(call, (), None, None))
        except Unavailable:
            return

    async def close(self, timeout: float = 2.0) -> None:
        """Refuse new calls, and wait up to `timeout` seconds for those that run and for what was submitted."""
        loop = asyncio.get_running_loop()
        drained = asyncio.Event()
        with self._lock:
            self._closed = True
            left = [job for job in self._jobs if job.future is not None]
            self._jobs = deque(job for job in self._jobs if job.future is None)
            self._drained = lambda: loop.call_soon_threadsafe(drained.set)
            if self._threads == 0:
                drained.set()
            self._wake.notify_all()
        for job in left:
            job.fail(Unavailable("Flower is shutting down"))
        waiting = asyncio.ensure_future(drained.wait())
        await asyncio.wait({waiting}, timeout=timeout)
        waiting.cancel()
        with self._lock:
            self._drained = None

    def _put(self, job: _Job) -> None:
        with self._lock:
            if self._closed:
                raise Unavailable("Flower is shutting down")
            self._jobs.append(job)
            self._staff()

    def _staff(self) -> None:
        """Wake or make a thread for the next job; the lock is held."""
        if not self._jobs:
            return
        if self._idle:
            self._wake.notify()
        if len(self._jobs) > self._idle and self._threads - self._stuck < self._limit and self._threads < self._ceiling:
            self._threads += 1
            threading.Thread(target=self._work, name="flower-executor", daemon=True).start()

    def _abandon(self, job: _Job) -> None:
        with self._lock:
            job.abandoned = True
            if job.running:
                self._stuck += 1
                self._staff()
            elif job in self._jobs:
                self._jobs.remove(job)

    def _work(self) -> None:
        while (job := self._next()) is not None:
            job.perform()
            self._finish(job)

    def _next(self) -> _Job | None:
        with self._lock:
            while True:
                while self._jobs:
                    job = self._jobs.popleft()
                    if not job.abandoned:
                        job.running = True
                        return job
                surplus = self._threads - self._stuck > self._limit
                if self._closed or surplus or not self._rest():
                    self._threads -= 1
                    if self._threads == 0 and self._drained is not None:
                        self._drained()
                    return None

    def _rest(self) -> bool:
        """Wait for work; False when there was none for a while. The lock is held."""
        self._idle += 1
        try:
            return self._wake.wait(_IDLE_SECONDS) or bool(self._jobs)
        finally:
            self._idle -= 1

    def _finish(self, job: _Job) -> None:
        with self._lock:
            job.running = False
            if job.abandoned:
                self._stuck -= 1


class _Job:
    __slots__ = ("abandoned", "args", "call", "future", "loop", "running")

    def __init__(
        self,
        call: Callable[..., Any],
        args: tuple[Any, ...],
        loop: asyncio.AbstractEventLoop | None,
        future: asyncio.Future[Any] | None,
    ) -> None:
        self.call, self.args, self.loop, self.future = call, args, loop, future
        self.abandoned = self.running = False

    def perform(self) -> None:
        # Whatever the call raises, SystemExit included, belongs to its caller and not to this thread.
        try:
            result = self.call(*self.args)
        except BaseException as error:
            self.fail(error if isinstance(error, Exception) else RuntimeError(f"call ended with {error!r}"))
        else:
            self._settle(lambda future: future.set_result(result))

    def fail(self, error: Exception) -> None:
        self._settle(lambda future: future.set_exception(error))

    def _settle(self, act: Callable[[asyncio.Future[Any]], None]) -> None:
        loop, future = self.loop, self.future
        if loop is None or future is None or self.abandoned:
            return

        def apply() -> None:
            if not future.done() and not self.abandoned:
                act(future)

        try:
            loop.call_soon_threadsafe(apply)
        except RuntimeError:
            # The loop closed while the call ran: nobody is left to tell.
            return
