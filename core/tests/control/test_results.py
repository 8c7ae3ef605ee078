"""One poller for all who wait."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

import pytest

from flower.control.executor import Executor
from flower.control.results import ResultService
from flower_plugins import FlowerError, Forbidden, InvalidParameter, TaskResult, Unavailable


class Backend:
    """Results in a dict; notes who asked for what, in which thread."""

    configured = True

    def __init__(self) -> None:
        self.items: dict[str, TaskResult | Unavailable] = {}
        self.looks: list[list[str]] = []
        self.at_once = self.most_at_once = 0
        self.aborted: list[str] = []
        self.abandoned = self.closed = 0
        self.error: Exception | None = None
        self.hang: threading.Event | None = None

    def fetch(self, uuids: Sequence[str]) -> dict[str, TaskResult | Unavailable]:
        self.looks.append(list(uuids))
        self.at_once += 1
        self.most_at_once = max(self.most_at_once, self.at_once)
        try:
            return self._fetch(uuids)
        finally:
            self.at_once -= 1

    def _fetch(self, uuids: Sequence[str]) -> dict[str, TaskResult | Unavailable]:
        if self.hang is not None:
            self.hang.wait(10)
        if self.error is not None:
            raise self.error
        return {uuid: self.items.get(uuid, TaskResult(uuid, "PENDING")) for uuid in uuids}

    def abort(self, uuid: str) -> None:
        self.fetch([uuid])
        self.aborted.append(uuid)

    def abandon(self) -> None:
        self.abandoned += 1

    def close(self) -> None:
        self.closed += 1


def run(scenario: Callable[[ResultService, Backend], Awaitable[Any]], **options: Any) -> Any:
    async def main() -> Any:
        executor, backend = Executor(), Backend()
        service = ResultService(backend, executor, **options)
        try:
            return await scenario(service, backend)
        finally:
            await service.stop()
            await executor.close()
            assert backend.closed

    return asyncio.run(main())


async def soon(condition: Callable[[], Any]) -> None:
    deadline = time.monotonic() + 5
    while not condition():
        assert time.monotonic() < deadline
        await asyncio.sleep(0.005)


def test_a_result_is_read_at_once() -> None:
    async def scenario(service: ResultService, backend: Backend) -> None:
        backend.items["a"] = TaskResult("a", "SUCCESS", 3)
        begun = time.monotonic()
        assert await service.get("a") == TaskResult("a", "SUCCESS", 3)
        assert await service.get("b") == TaskResult("b", "PENDING")
        assert time.monotonic() - begun < 0.5

    run(scenario)


def test_the_state_is_read_after_the_wait() -> None:
    async def scenario(service: ResultService, backend: Backend) -> None:
        waiting = asyncio.ensure_future(service.wait("a", 5))
        await soon(lambda: len(backend.looks) > 1)
        assert not waiting.done()
        backend.items["a"] = TaskResult("a", "SUCCESS", "slept")
        assert await asyncio.wait_for(waiting, 1) == TaskResult("a", "SUCCESS", "slept")
        backend.items["b"] = TaskResult("b", "STARTED")
        begun = time.monotonic()
        assert await service.wait("b", 0.3) == TaskResult("b", "STARTED")
        assert 0.3 <= time.monotonic() - begun < 1

    run(scenario)


def test_all_who_wait_are_served_by_few_looks_one_at_a_time() -> None:
    """S50"""

    async def scenario(service: ResultService, backend: Backend) -> None:
        names = [str(number) for number in range(50)]
        waiting = [asyncio.ensure_future(service.wait(name, 30)) for name in names * 2]
        await soon(lambda: service.waiting == 100 and len(backend.looks) >= 3)
        before = len(backend.looks)
        assert await asyncio.wait_for(service.get("other"), 1) == TaskResult("other", "PENDING")
        await asyncio.sleep(0.6)
        assert len(backend.looks) - before < 30
        assert backend.most_at_once == 1
        assert max(map(len, backend.looks)) == 50
        backend.items = {name: TaskResult(name, "SUCCESS", name) for name in names}
        results = await asyncio.wait_for(asyncio.gather(*waiting), 3)
        assert [result.result for result in results] == names * 2
        assert service.waiting == 0

    run(scenario)


def test_looks_become_rarer() -> None:
    async def scenario(service: ResultService, backend: Backend) -> None:
        await service.wait("a", 2)
        assert 5 <= len(backend.looks) <= 12

    run(scenario)


def test_who_gives_up_is_forgotten() -> None:
    """S50"""

    async def scenario(service: ResultService, backend: Backend) -> None:
        waiting = asyncio.ensure_future(service.wait("a", 30))
        await soon(lambda: len(backend.looks) >= 2)
        waiting.cancel()
        await asyncio.gather(waiting, return_exceptions=True)
        assert service.waiting == 0
        await asyncio.sleep(0.6)
        seen = len(backend.looks)
        await asyncio.sleep(0.6)
        assert len(backend.looks) == seen

    run(scenario)


@pytest.mark.parametrize("error", [Unavailable("no backend"), RuntimeError("a bug")])
def test_a_backend_that_fails_ends_every_wait(error: Exception) -> None:
    async def scenario(service: ResultService, backend: Backend) -> None:
        backend.error = error
        waits = [service.wait(name, 30) for name in "abc"]
        ended = await asyncio.wait_for(asyncio.gather(*waits, return_exceptions=True), 2)
        words = error.message if isinstance(error, FlowerError) else "Broker or result backend unavailable"
        assert [(type(each), str(each)) for each in ended] == [(Unavailable, words)] * 3
        backend.error = None
        assert (await service.get("a")).state == "PENDING"

    run(scenario)


def test_a_fault_of_our_own_ends_every_wait_and_the_next_question_is_answered() -> None:
    async def scenario(service: ResultService, backend: Backend) -> None:
        fetch = backend.fetch
        backend.fetch = lambda uuids: {}  # type: ignore[method-assign]
        with pytest.raises(Unavailable):
            await asyncio.wait_for(service.wait("a", 5.0), 3.0)
        backend.fetch = fetch  # type: ignore[method-assign]
        assert (await service.get("a")).state == "PENDING"

    run(scenario)


def test_a_result_that_cannot_be_read_ends_no_other_wait() -> None:
    async def scenario(service: ResultService, backend: Backend) -> None:
        backend.items["a"], backend.items["b"] = Unavailable("pickle"), TaskResult("b", "SUCCESS", 1)
        ended = await asyncio.gather(service.wait("a", 30), service.wait("b", 30), return_exceptions=True)
        assert (str(ended[0]), ended[1]) == ("pickle", TaskResult("b", "SUCCESS", 1))

    run(scenario)


def test_a_backend_that_hangs_is_given_up_and_another_try_made(monkeypatch: pytest.MonkeyPatch) -> None:
    """R19"""
    monkeypatch.setattr("flower.control.results._CALL_SECONDS", 0.2)

    async def scenario(service: ResultService, backend: Backend) -> None:
        hang = backend.hang = threading.Event()
        try:
            for act in (service.wait("a", 30), service.abort("a")):
                with pytest.raises(Unavailable, match="Broker or result backend unavailable"):
                    await act
            assert backend.abandoned == 2
            backend.hang = None
            assert (await service.get("a")).state == "PENDING"
        finally:
            hang.set()

    run(scenario)


def test_a_task_is_aborted() -> None:
    async def scenario(service: ResultService, backend: Backend) -> None:
        await service.abort("a")
        assert backend.aborted == ["a"]

    run(scenario)


def test_read_only_mode_aborts_nothing() -> None:
    """S55"""

    async def scenario(service: ResultService, backend: Backend) -> None:
        with pytest.raises(Forbidden, match="Read only mode is enabled"):
            await service.abort("a")
        assert backend.aborted == []

    run(scenario, read_only=True)


@pytest.mark.parametrize("seconds", [float("nan"), float("inf"), -1.0, 1e12])
def test_absurd_waits_are_refused(seconds: float) -> None:
    """S50"""

    async def scenario(service: ResultService, backend: Backend) -> None:
        with pytest.raises(InvalidParameter):
            await service.wait("a", seconds)
        with pytest.raises(InvalidParameter):
            await service.get("")
        assert backend.looks == []

    run(scenario)


def test_stopping_turns_everybody_away() -> None:
    async def scenario(service: ResultService, backend: Backend) -> None:
        waiting = asyncio.ensure_future(service.wait("a", 30))
        await soon(lambda: backend.looks)
        await service.stop()
        with pytest.raises(Unavailable, match="shutting down"):
            await waiting

    run(scenario)


def test_what_is_shown_may_differ_from_what_is_stored() -> None:
    async def scenario(service: ResultService, backend: Backend) -> None:
        backend.items["a"] = TaskResult("a", "SUCCESS", "secret")
        assert (await service.get("a")).result == "hidden"

    run(scenario, shown=lambda result: TaskResult(result.uuid, result.state, "hidden"))
