"""A thread of one's own for blocking calls, one after the other, which the end of the process does not wait for."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from queue import SimpleQueue
from typing import Any, TypeVar

__all__ = ["Desk"]

T = TypeVar("T")


class Desk:
    """Runs calls in their order. Executors of the standard library are waited for at the end, for ever."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._calls: SimpleQueue[Callable[[], None] | None] = SimpleQueue()
        self._thread: threading.Thread | None = None

    async def run(self, call: Callable[..., T], *args: Any) -> T:
        """Return what `call` returns. A call whose caller gave up before its turn is left out."""
        loop = asyncio.get_running_loop()
        future: asyncio.Future[T] = loop.create_future()

        def settle(result: Any, error: Exception | None) -> None:
            if future.done():
                return
            if error is None:
                future.set_result(result)
            else:
                future.set_exception(error)

        def perform() -> None:
            result: Any = None
            error: Exception | None = None
            if future.cancelled():
                return
            try:
                result = call(*args)
            except BaseException as caught:  # whatever a store raises belongs to its caller, and not to this thread
                error = caught if isinstance(caught, Exception) else RuntimeError(f"the call ended with {caught!r}")
            try:
                loop.call_soon_threadsafe(settle, result, error)
            except RuntimeError:
                # The loop closed while the call ran: nobody is left to tell.
                return

        self._calls.put(perform)
        if self._thread is None:
            self._thread = threading.Thread(target=self._work, name=self._name, daemon=True)
            self._thread.start()
        return await future

    def close(self) -> None:
        """End the thread after the calls that wait."""
        self._calls.put(None)

    def _work(self) -> None:
        while (call := self._calls.get()) is not None:
            call()
