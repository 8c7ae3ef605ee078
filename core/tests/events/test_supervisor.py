from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable

import pytest

from flower.events.pump import Pump
from flower.events.status import StreamStatus
from flower.events.supervisor import Supervisor
from flower_plugins import EventSource
from flower_plugins import Pump as PumpProtocol


class World:
    """A broker that is there or not, and a clock that only sleeping moves."""

    def __init__(self, *, sources: int) -> None:
        self.now = 1000.0
        self.left = sources
        self.delays: list[float] = []
        self.connected_at: list[float] = []
        self.told: list[float] = []
        self.broken: Callable[[float], bool] = lambda now: False
        self.error: Exception = ConnectionError("amqp://guest:s3cret@mq:5672//: refused")
        self.seconds_up = 30.0
        self.log = logging.getLogger("supervisor-test")
        self.status = StreamStatus(now=lambda: self.now)

    async def sleep(self, seconds: float) -> None:
        self.delays.append(seconds)
        self.now += seconds
        await asyncio.sleep(0)

    def run(self) -> None:
        async def main() -> None:
            pump = Pump(lambda messages: [], lambda events: None, self.status)
            pump.attach(asyncio.get_running_loop())
            supervisor = Supervisor(
                lambda: Source(self),
                pump,
                self.status,
                sleep=self.sleep,
                random=lambda: 1.0,
                clock=lambda: self.now,
                log=self.log,
                connected=lambda: self.told.append(self.now),
            )
            task = asyncio.create_task(supervisor.run())
            done, _ = await asyncio.wait({task}, timeout=10)
            assert done
            assert task.cancelled()

        asyncio.run(main())


class Source(EventSource):
    """Connects when the broker is there, stays for `seconds_up`, then breaks."""

    def __init__(self, world: World) -> None:
        self.world = world

    async def run(self, pump: PumpProtocol) -> None:
        world = self.world
        world.left -= 1
        if world.left < 0:
            raise asyncio.CancelledError
        if world.broken(world.now):
            raise world.error
        pump.connected()
        await asyncio.sleep(0)
        world.connected_at.append(world.now)
        world.now += world.seconds_up
        raise world.error


@pytest.mark.parametrize("outage", [10.0, 70.0, 600.0])
def test_after_an_outage_the_stream_is_back_within_five_seconds_r21_r22(
    outage: float, caplog: pytest.LogCaptureFixture
) -> None:
    world = World(sources=100_000)
    back = 1030.0 + outage
    world.broken = lambda now: 1030.0 <= now < back

    async def stop_after_second(seconds: float) -> None:
        await World.sleep(world, seconds)
        if len(world.connected_at) == 2:
            world.left = 0

    world.sleep = stop_after_second  # type: ignore[method-assign]
    with caplog.at_level(logging.INFO, logger="supervisor-test"):
        world.run()
    assert 0 <= world.connected_at[1] - back <= 5.0
    assert all(0 < delay <= 5.0 for delay in world.delays)
    lost = [line for line in caplog.messages if "lost" in line]
    restored = [line for line in caplog.messages if "restored after" in line]
    assert len(lost) == 2
    assert len(restored) == 1
    assert len(caplog.messages) <= 20
    (gap, _) = world.status.gaps()
    assert gap.start == 1030.0
    assert gap.end is not None
    assert 0 <= gap.end - back <= 5.0


def test_no_secret_reaches_the_log_or_the_status_r25(caplog: pytest.LogCaptureFixture) -> None:
    world = World(sources=3)
    world.broken = lambda now: True
    with caplog.at_level(logging.DEBUG, logger="supervisor-test"):
        world.run()
    assert world.status.reason == "ConnectionError: amqp://guest:********@mq:5672//: refused"
    assert not world.status.up
    assert world.status.gaps() == ()
    assert len(caplog.messages) == 1
    assert "s3cret" not in caplog.text


@pytest.mark.parametrize("error", [ValueError(), RecursionError("deep"), MemoryError(), AttributeError("'NoneType'")])
def test_any_exception_of_a_source_only_makes_the_next_try_r52(error: Exception) -> None:
    world = World(sources=5)
    world.error = error
    world.run()
    assert len(world.connected_at) == 5
    assert world.status.reason.startswith(type(error).__name__)


def test_a_stream_that_flaps_does_not_bring_the_short_delay_back() -> None:
    world = World(sources=6)
    world.seconds_up = 0.1
    world.run()
    assert world.delays == [0.25, 0.5, 1.0, 2.0, 3.0, 3.0]


def test_a_stream_that_held_begins_with_the_short_delay() -> None:
    world = World(sources=3)
    world.run()
    assert world.delays == [0.25, 0.25, 0.25]
    assert len(world.told) == len(world.connected_at) == 3


class _Ends(EventSource):
    def __init__(self) -> None:
        pass

    async def run(self, pump: PumpProtocol) -> None:
        pump.connected()
        pump.lost("failover of redis://:pw@a/0")
        await asyncio.sleep(0)


def test_a_source_that_just_ends_is_started_again(caplog: pytest.LogCaptureFixture) -> None:
    starts = 0
    status = StreamStatus()

    async def sleep(seconds: float) -> None:
        nonlocal starts
        starts += 1
        if starts == 3:
            raise asyncio.CancelledError

    async def main() -> None:
        pump = Pump(lambda messages: [], lambda events: None, status)
        pump.attach(asyncio.get_running_loop())
        with pytest.raises(asyncio.CancelledError):
            await Supervisor(_Ends, pump, status, sleep=sleep).run()

    asyncio.run(main())
    assert starts == 3
    assert [gap.reason for gap in status.gaps()] == ["failover of redis://:********@a/0"] * 3
    assert status.reason == "the event source ended"
    assert ":pw" not in caplog.text


def test_the_source_is_told_to_hurry_while_there_is_one(caplog: pytest.LogCaptureFixture) -> None:
    class Gathering(EventSource):
        hurried = 0

        def __init__(self) -> None:
            self.started = asyncio.Event()

        async def run(self, pump: PumpProtocol) -> None:
            self.started.set()
            await asyncio.Event().wait()

        def hurry(self) -> None:
            self.hurried += 1
            if self.hurried > 1:
                raise RuntimeError("amqp://guest:s3cret@mq// is not ready")

    async def main() -> None:
        status = StreamStatus()
        pump = Pump(lambda messages: [], lambda events: None, status)
        source = Gathering()
        supervisor = Supervisor(lambda: source, pump, status)
        supervisor.hurry()
        task = asyncio.create_task(supervisor.run())
        await asyncio.wait_for(source.started.wait(), 10)
        supervisor.hurry()
        assert source.hurried == 1
        supervisor.hurry()
        task.cancel()
        await asyncio.wait({task}, timeout=10)

    asyncio.run(main())
    assert "could not hurry" in caplog.text
    assert "s3cret" not in caplog.text
