"""Orders and questions to real workers on real brokers."""

from __future__ import annotations

import asyncio
import json
import signal
import subprocess
import time
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

import pytest

from flower.control import ControlService, EnableEvents, Executor, InspectService, Mailbox
from flower_plugins import Forbidden, InvalidParameter, NoReply, Unavailable

pytestmark = pytest.mark.system


class Desk:
    """The services over one cluster; every worker counts as known and online."""

    def __init__(self, cluster: Any) -> None:
        self.executor = Executor()
        self.mailbox = Mailbox(cluster.app, self.executor)
        self.inspect = InspectService(self.mailbox, is_known=lambda _: True)
        self.control = ControlService(
            self.mailbox, is_known=lambda _: True, is_online=lambda _: True, stream_up=lambda: True
        )

    async def wait_for_worker(self, name: str) -> None:
        await eventually(lambda: self._answers(name), 30)

    async def processes(self, name: str) -> list[int]:
        replies = await self.mailbox.ask({"stats": {}}, [name])
        found: list[int] = replies.get(name, {}).get("stats", {}).get("pool", {}).get("processes", [])
        return found

    async def _answers(self, name: str) -> bool:
        return bool(await self.mailbox.ask({"stats": {}}, [name], timeout=0.5))


def run(cluster: Any, scenario: Callable[[Desk], Coroutine[Any, Any, None]]) -> None:
    async def main() -> None:
        desk = Desk(cluster)
        try:
            await scenario(desk)
        finally:
            await desk.inspect.stop()
            desk.mailbox.close()
            begun = time.monotonic()
            await desk.executor.close()
            assert time.monotonic() - begun < 2.5

    asyncio.run(main())


async def eventually(condition: Callable[[], Coroutine[Any, Any, bool]], seconds: float = 10) -> None:
    deadline = time.monotonic() + seconds
    while not await condition():
        assert time.monotonic() < deadline, "did not happen in time"
        await asyncio.sleep(0.05)


@pytest.mark.parametrize("broker", ["redis_url", "rabbitmq_url"])
def test_a_prefork_worker_obeys(
    broker: str, request: pytest.FixtureRequest, make_cluster: Callable[[str], Any], tmp_path: Path
) -> None:
    cluster = make_cluster(request.getfixturevalue(broker))
    name = cluster.start_worker("-P", "prefork", "-c", "2")

    async def scenario(desk: Desk) -> None:
        await desk.wait_for_worker(name)
        assert await desk.control.pool_grow(name, 2) == f"Growing '{name}' worker's pool by 2"
        await eventually(lambda: has_processes(desk, name, 4))
        assert await desk.control.pool_shrink(name, 1) == f"Shrinking '{name}' worker's pool by 1"
        await eventually(lambda: has_processes(desk, name, 3))
        with pytest.raises(InvalidParameter, match="keeps at least 1"):
            await desk.control.pool_shrink(name, 3)
        assert len(await desk.processes(name)) == 3

        await terminates_a_running_task(desk, cluster, name, tmp_path)
        await drops_a_waiting_task(desk, cluster, name, tmp_path)
        assert await desk.control.pool_restart(name) == f"Restarting '{name}' worker's pool"
        await desk.wait_for_worker(name)
        await desk.control.shutdown(name)
        assert await asyncio.to_thread(cluster.workers[name].wait, 30) == 0

    run(cluster, scenario)


async def has_processes(desk: Desk, name: str, count: int) -> bool:
    return len(await desk.processes(name)) == count


async def terminates_a_running_task(desk: Desk, cluster: Any, name: str, folder: Path) -> None:
    begun = folder / "nap"
    uuid = cluster.send("nap", str(begun))
    await eventually(lambda: exists(begun))
    await desk.control.revoke([uuid], terminate=True, signal="SIGKILL")

    async def idle() -> bool:
        return (await desk.mailbox.ask({"active": {"safe": True}}, [name])).get(name, {}).get("active") == []

    await eventually(idle)


async def drops_a_waiting_task(desk: Desk, cluster: Any, name: str, folder: Path) -> None:
    first, second = folder / "first", folder / "second"
    uuid = str(cluster.app.send_task("touch", args=[str(first)], countdown=1.5).id)
    await desk.control.revoke([uuid])

    async def revoked() -> bool:
        return uuid in (await desk.mailbox.ask({"revoked": {}}, [name])).get(name, {}).get("revoked", [])

    await eventually(revoked)
    cluster.app.send_task("touch", args=[str(second)], countdown=1.5)
    await eventually(lambda: exists(second))
    assert not first.exists()


async def exists(path: Path) -> bool:
    return await asyncio.to_thread(path.exists)


def test_a_solo_worker_answers_and_says_no(redis_url: str, make_cluster: Callable[[str], Any]) -> None:
    cluster = make_cluster(redis_url)
    name = cluster.start_worker("-P", "solo")

    async def scenario(desk: Desk) -> None:
        await desk.wait_for_worker(name)
        desk.inspect.worker_arrived(name)
        with pytest.raises(Forbidden, match=f"Failed to grow '{name}' worker's pool: AttributeError"):
            await desk.control.pool_grow(name)
        with pytest.raises(NoReply):
            await ControlService(
                desk.mailbox, is_known=lambda _: True, is_online=lambda _: True, stream_up=lambda: True, timeout=0.2
            ).pool_grow("nobody@test")

        async def inspected() -> bool:
            return desk.inspect.knows(name)

        await eventually(inspected)
        await answers_are_complete_masked_and_quick(desk, name)

    run(cluster, scenario)


async def answers_are_complete_masked_and_quick(desk: Desk, name: str) -> None:
    begun = time.monotonic()
    await desk.inspect.refresh(name)
    assert time.monotonic() - begun < 1, "one worker's answers end the wait"
    info = desk.inspect.info(name) or {}
    assert set(info) == set("stats active_queues registered conf scheduled active reserved revoked timestamp".split())
    assert {"nap", "touch"} <= set(info["registered"])
    assert "canary" not in json.dumps(info)
    begun = time.monotonic()
    await desk.inspect.refresh()
    assert time.monotonic() - begun < 2.5, "four questions cost one wait"


def test_a_worker_without_event_flag_sends_events_when_told(redis_url: str, make_cluster: Callable[[str], Any]) -> None:
    cluster = make_cluster(redis_url)
    name = cluster.start_worker("-P", "solo")

    async def scenario(desk: Desk) -> None:
        await desk.wait_for_worker(name)
        teller = EnableEvents(desk.mailbox, period=0.2)
        await teller.start()

        async def enabled() -> bool:
            replies = await desk.mailbox.ask({"enable_events": {}}, [name])
            return "already" in json.dumps(replies)

        await eventually(enabled)
        await teller.stop()

    run(cluster, scenario)


def test_a_broker_that_hangs_is_unavailable_soon_and_serves_again_when_it_goes_on(
    private_redis: tuple[str, subprocess.Popen[bytes]], make_cluster: Callable[[str], Any]
) -> None:
    """R19."""
    url, process = private_redis
    cluster = make_cluster(url)

    async def scenario(desk: Desk) -> None:
        await desk.control.revoke(["a"])
        process.send_signal(signal.SIGSTOP)
        try:
            begun = time.monotonic()
            orders = [desk.control.revoke(["a"]), desk.control.shutdown("w1"), desk.mailbox.ask({"stats": {}})]
            errors = await asyncio.gather(*orders, return_exceptions=True)
            assert time.monotonic() - begun < 5.5
        finally:
            process.send_signal(signal.SIGCONT)
        assert [str(error) for error in errors] == ["Broker or result backend unavailable"] * 3
        assert {type(error) for error in errors} == {Unavailable}
        begun = time.monotonic()
        await desk.control.revoke(["a"])
        assert time.monotonic() - begun < 2

    run(cluster, scenario)


@pytest.mark.parametrize("url", ["redis://:canary@127.0.0.1:1/0", "amqp://u:canary@127.0.0.1:1//", "redis://h/abc"])
def test_a_broker_that_is_not_there_is_unavailable_without_a_word_of_its_password(
    url: str, make_cluster: Callable[[str], Any], caplog: pytest.LogCaptureFixture
) -> None:
    """R20, S35."""
    cluster = make_cluster(url)

    async def scenario(desk: Desk) -> None:
        for _ in range(3):
            begun = time.monotonic()
            with pytest.raises(Unavailable, match=r"^Broker or result backend unavailable$"):
                await desk.control.revoke(["a"])
            assert time.monotonic() - begun < 5

    run(cluster, scenario)
    assert len([record for record in caplog.records if record.name == "flower.control"]) == 1
    assert "canary" not in caplog.text
