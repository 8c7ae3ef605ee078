"""Deadlines, starvation and the end of the executor."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable, Coroutine
from typing import Any

import pytest

from flower.control.executor import Executor
from flower_plugins import Unavailable


def run(scenario: Callable[[Executor], Coroutine[Any, Any, None]], limit: int = 2, ceiling: int = 8) -> None:
    async def main() -> None:
        executor = Executor(limit=limit, ceiling=ceiling)
        try:
            await scenario(executor)
        finally:
            await executor.close()

    asyncio.run(main())


async def until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 5
    while not condition():
        assert time.monotonic() < deadline
        await asyncio.sleep(0.005)


def tell_and_wait(started: threading.Event, release: threading.Event) -> bool:
    started.set()
    return release.wait(30)


def test_a_call_returns_its_result_from_another_thread() -> None:
    async def scenario(executor: Executor) -> None:
        assert await executor.run(lambda a, b: (a + b, threading.current_thread().daemon), 1, 2) == (3, True)

    run(scenario)


@pytest.mark.parametrize("error", [ValueError("no"), TimeoutError("own"), KeyError("x")])
def test_an_exception_reaches_the_caller(error: Exception) -> None:
    def fail() -> None:
        raise error

    async def scenario(executor: Executor) -> None:
        with pytest.raises(type(error)) as caught:
            await executor.run(fail)
        assert caught.value is error

    run(scenario)


def test_a_call_that_exits_ends_neither_thread_nor_process() -> None:
    def leave() -> None:
        raise SystemExit(3)

    async def scenario(executor: Executor) -> None:
        with pytest.raises(RuntimeError, match="SystemExit"):
            await executor.run(leave)
        assert await executor.run(lambda: 1) == 1

    run(scenario)


def test_calls_that_hang_starve_nobody() -> None:
    """S50: a call past its deadline gives its slot back, though its thread still hangs."""
    release = threading.Event()

    async def scenario(executor: Executor) -> None:
        hanging = [executor.run(release.wait, timeout=0.1) for _ in range(4)]
        errors = await asyncio.gather(*hanging, return_exceptions=True)
        assert [type(error) for error in errors] == [TimeoutError] * 4
        begun = time.monotonic()
        assert await executor.run(lambda: "quick", timeout=2) == "quick"
        assert time.monotonic() - begun < 1
        release.set()
        await until(lambda: executor._threads <= 2)

    run(scenario)


def test_a_caller_who_is_gone_frees_the_slot_and_queued_calls_of_others_who_left_are_skipped() -> None:
    """S50."""
    release, ran = threading.Event(), threading.Event()

    async def scenario(executor: Executor) -> None:
        started = [threading.Event(), threading.Event()]
        hanging = [asyncio.ensure_future(executor.run(tell_and_wait, e, release)) for e in started]
        await until(lambda: all(event.is_set() for event in started))
        queued = asyncio.ensure_future(executor.run(ran.set))
        await asyncio.sleep(0)
        for call in (queued, *hanging):
            call.cancel()
        await asyncio.gather(queued, *hanging, return_exceptions=True)
        assert await executor.run(lambda: 1, timeout=2) == 1
        assert not ran.is_set()
        release.set()

    run(scenario)


def test_there_are_never_more_threads_than_the_ceiling() -> None:
    release = threading.Event()

    async def scenario(executor: Executor) -> None:
        for _ in range(5):
            await asyncio.gather(*(executor.run(release.wait, timeout=0.02) for _ in range(4)), return_exceptions=True)
        assert executor._threads == 4
        release.set()
        assert await executor.run(lambda: 1, timeout=2) == 1

    run(scenario, ceiling=4)


def test_the_deadline_includes_the_time_in_the_queue() -> None:
    release = threading.Event()

    async def scenario(executor: Executor) -> None:
        busy = [asyncio.ensure_future(executor.run(release.wait)) for _ in range(2)]
        await asyncio.sleep(0)
        with pytest.raises(TimeoutError):
            await executor.run(lambda: 1, timeout=0.05)
        release.set()
        await asyncio.gather(*busy)

    run(scenario, ceiling=2)


def test_many_calls_on_few_threads_all_come_back() -> None:
    async def scenario(executor: Executor) -> None:
        results = await asyncio.gather(*(executor.run(lambda n=n: n, timeout=10) for n in range(500)))
        assert results == list(range(500))
        assert executor._threads <= 2

    run(scenario)


def test_closing_does_not_wait_for_calls_that_hang() -> None:
    release = threading.Event()

    async def main() -> None:
        executor = Executor(limit=1)
        started = threading.Event()
        hanging = asyncio.ensure_future(executor.run(tell_and_wait, started, release, timeout=30))
        await until(started.is_set)
        queued = asyncio.ensure_future(executor.run(lambda: 1, timeout=30))
        await asyncio.sleep(0)
        begun = time.monotonic()
        await executor.close(timeout=0.2)
        assert time.monotonic() - begun < 1
        with pytest.raises(Unavailable):
            await queued
        with pytest.raises(Unavailable):
            await executor.run(lambda: 1)
        executor.submit(release.wait)
        release.set()
        assert await hanging is True

    asyncio.run(main())


def test_closing_waits_for_calls_that_end_soon() -> None:
    done: list[int] = []

    async def main() -> None:
        executor = Executor()
        release = threading.Event()

        def work() -> None:
            release.wait(5)
            done.append(1)

        executor.submit(work)
        closing = asyncio.ensure_future(executor.close())
        await asyncio.sleep(0)
        release.set()
        await closing
        assert executor._threads == 0

    asyncio.run(main())
    assert done == [1]
