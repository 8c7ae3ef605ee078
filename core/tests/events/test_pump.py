from __future__ import annotations

import asyncio
import json
import threading
import time
from collections.abc import Sequence

import pytest

import flower_plugins
from flower.events.event import Event
from flower.events.gateway import Gateway
from flower.events.pump import Pump
from flower.events.status import StreamStatus
from flower_plugins import Messages

OVERHEAD = 128


def _body(n: int, pad: int = 0) -> bytes:
    return json.dumps({"type": "task-sent", "hostname": "h", "uuid": f"u-{n}", "args": "x" * pad}).encode()


class Rig:
    """A pump with the real gateway before it and a list behind it."""

    def __init__(self, *, limit_bytes: int = 64 * 2**20, slice_seconds: float = 0.008) -> None:
        self.gateway = Gateway()
        self.status = StreamStatus(rejected=self.gateway.rejected)
        self.events: list[Event] = []
        self.batches: list[int] = []
        self.fault: Exception | None = None
        self.pump = Pump(
            self.gateway.decode, self._apply, self.status, limit_bytes=limit_bytes, slice_seconds=slice_seconds
        )

    def _apply(self, events: Sequence[Event]) -> None:
        if self.fault is not None:
            raise self.fault
        self.events.extend(events)
        self.batches.append(len(events))

    @property
    def uuids(self) -> list[str]:
        return [event.uuid for event in self.events]

    async def idle(self) -> None:
        deadline = time.monotonic() + 20
        while self.status.backlog:
            assert time.monotonic() < deadline
            await asyncio.sleep(0)


def test_the_pump_is_what_sources_expect() -> None:
    pump: flower_plugins.Pump = Rig().pump
    pump.connected()


def test_messages_arrive_in_order_and_are_counted() -> None:
    async def main() -> Rig:
        rig = Rig()
        rig.pump.attach(asyncio.get_running_loop())
        for start in range(0, 1000, 50):
            rig.pump.offer(Messages([_body(n) for n in range(start, start + 50)]))
        assert rig.status.backlog > 0
        await rig.idle()
        return rig

    rig = asyncio.run(main())
    assert rig.uuids == [f"u-{n}" for n in range(1000)]
    assert rig.status.events == 1000
    assert rig.status.last_event is not None
    assert dict(rig.status.dropped) == {}


def test_what_waits_is_applied_at_once_for_somebody_who_looks() -> None:
    async def main() -> None:
        rig = Rig()
        rig.pump.attach(asyncio.get_running_loop())
        rig.pump.catch_up()
        rig.pump.offer(Messages([_body(n) for n in range(50)]))
        assert not rig.events
        rig.pump.catch_up()
        assert rig.uuids == [f"u-{n}" for n in range(50)]
        rig.pump.offer(Messages([_body(50)]))
        await rig.idle()
        assert len(rig.events) == 51

    asyncio.run(main())


def test_envelopes_are_opened_when_their_turn_comes() -> None:
    opened: list[int] = []

    def unwrap(bodies: Sequence[bytes]) -> list[Messages]:
        opened.append(len(bodies))
        if b"broken" in bodies:
            raise ValueError("no envelope")
        return [Messages([body.removeprefix(b"in ")]) for body in bodies]

    async def main() -> Rig:
        rig = Rig(limit_bytes=100_000)
        rig.pump.attach(asyncio.get_running_loop())
        rig.pump.offer(Messages([b"in " + _body(n) for n in range(1000)], unwrap=unwrap))
        rig.pump.offer(Messages([b"broken"], unwrap=unwrap))
        assert not opened
        await rig.idle()
        return rig

    rig = asyncio.run(main())
    dropped = rig.status.dropped["queue_full"]
    assert 0 < dropped < 1000
    assert rig.uuids == [f"u-{n}" for n in range(dropped, 1000)]
    assert sum(opened) == 1000 - dropped + 1
    assert rig.status.dropped["decode_failed"] == 1


def test_nobody_waits_for_a_flood_to_be_applied() -> None:
    async def main() -> None:
        rig = Rig()
        rig.pump.attach(asyncio.get_running_loop())
        rig.pump.offer(Messages([_body(n, 60_000) for n in range(20)]))
        rig.pump.catch_up()
        assert not rig.events
        await rig.idle()
        assert len(rig.events) == 20

    asyncio.run(main())


def test_a_full_queue_drops_the_oldest_messages_and_counts_each_r15_r16() -> None:
    size = len(_body(100)) + OVERHEAD

    async def main() -> Rig:
        rig = Rig(limit_bytes=10 * size)
        for start in (100, 107, 114):
            rig.pump.offer(Messages([_body(n) for n in range(start, start + 7)]))
        assert rig.status.backlog == 10 * size
        assert dict(rig.status.dropped) == {"queue_full": 11}
        rig.pump.attach(asyncio.get_running_loop())
        await rig.idle()
        return rig

    assert asyncio.run(main()).uuids == [f"u-{n}" for n in range(111, 121)]


def test_a_message_larger_than_the_queue_is_dropped_alone() -> None:
    async def main() -> Rig:
        rig = Rig(limit_bytes=2000)
        rig.pump.attach(asyncio.get_running_loop())
        rig.pump.offer(Messages([_body(1, pad=5000)]))
        rig.pump.offer(Messages([_body(2)]))
        await rig.idle()
        return rig

    rig = asyncio.run(main())
    assert rig.uuids == ["u-2"]
    assert dict(rig.status.dropped) == {"queue_full": 1}


def test_decoded_bodies_and_empty_ones_have_a_weight_too() -> None:
    rig = Rig(limit_bytes=100_000)
    rig.pump.offer(Messages([b""] * 1000))
    assert rig.status.backlog <= 100_000
    rig.pump.offer(Messages([{"args": ["x" * 90_000], "kwargs": {"a": "y" * 90_000}}]))
    assert dict(rig.status.dropped) == {"queue_full": 1001}


@pytest.mark.parametrize("threads", [4])
def test_nothing_is_lost_between_threads_that_offer_at_once(threads: int) -> None:
    async def main() -> Rig:
        rig = Rig()
        rig.pump.attach(asyncio.get_running_loop())

        def offer(first: int) -> None:
            for n in range(first, first + 500):
                rig.pump.offer(Messages([_body(n)]))

        workers = [threading.Thread(target=offer, args=(k * 1000,)) for k in range(threads)]
        for worker in workers:
            worker.start()
        await asyncio.gather(*(asyncio.to_thread(worker.join) for worker in workers))
        await rig.idle()
        return rig

    rig = asyncio.run(main())
    assert len(set(rig.uuids)) == len(rig.events) == 500 * threads


def test_a_burst_wakes_the_loop_once() -> None:
    async def main() -> int:
        rig = Rig()
        loop = asyncio.get_running_loop()
        calls = 0
        real = loop.call_soon_threadsafe

        def counted(*args: object, **options: object) -> asyncio.Handle:
            nonlocal calls
            calls += 1
            return real(*args, **options)  # type: ignore[arg-type]

        loop.call_soon_threadsafe = counted  # type: ignore[method-assign]
        rig.pump.attach(loop)
        for n in range(100):
            rig.pump.offer(Messages([_body(n)]))
        await rig.idle()
        rig.pump.offer(Messages([_body(0)]))
        await rig.idle()
        assert len(rig.events) == 101
        return calls

    assert asyncio.run(main()) == 2


def test_a_burst_of_30000_leaves_the_loop_responsive_and_loses_nothing_r15() -> None:
    async def main() -> tuple[Rig, list[float]]:
        rig = Rig()
        rig.pump.attach(asyncio.get_running_loop())
        rig.pump.offer(Messages([_body(n) for n in range(30_000)]))
        turns: list[float] = []
        while rig.status.backlog:
            before = time.thread_time()
            await asyncio.sleep(0)
            turns.append(time.thread_time() - before)
        return rig, turns

    rig, turns = asyncio.run(main())
    assert rig.uuids == [f"u-{n}" for n in range(30_000)]
    # In time of this thread, so that a busy machine fails nobody: a slice takes 8 ms, the bar is 250.
    assert len(turns) >= 10
    assert max(turns) < 0.25
    assert max(rig.batches) <= 500


def test_one_message_of_thousands_of_events_is_applied_in_pieces() -> None:
    async def main() -> Rig:
        rig = Rig(slice_seconds=0.0)
        rig.pump.attach(asyncio.get_running_loop())
        rig.pump.offer(Messages([b"[" + b",".join(_body(n) for n in range(3000)) + b"]"]))
        await rig.idle()
        return rig

    rig = asyncio.run(main())
    assert rig.uuids == [f"u-{n}" for n in range(3000)]
    assert rig.batches == [500] * 6


def test_a_fault_behind_the_pump_costs_its_batch_and_one_line(caplog: pytest.LogCaptureFixture) -> None:
    async def main() -> Rig:
        rig = Rig()
        rig.pump.attach(asyncio.get_running_loop())
        rig.fault = RuntimeError("reducer")
        for _ in range(5):
            rig.pump.offer(Messages([_body(1)] * 10))
            await rig.idle()
        rig.fault = None
        rig.pump.offer(Messages([_body(2)]))
        await rig.idle()
        return rig

    rig = asyncio.run(main())
    assert rig.uuids == ["u-2"]
    assert dict(rig.status.dropped) == {"apply_failed": 50}
    assert rig.status.events == 1
    assert caplog.messages == ["Could not apply a batch of events"]


def test_connected_and_lost_reach_the_status_on_the_loop_in_order() -> None:
    async def main() -> None:
        rig = Rig()
        rig.pump.connected({"a": "b"})
        assert not rig.status.up
        rig.pump.attach(asyncio.get_running_loop())
        await asyncio.sleep(0)
        assert rig.status.up
        assert rig.status.detail == {"a": "b"}
        await asyncio.to_thread(rig.pump.lost, "gone")
        await asyncio.to_thread(rig.pump.connected)
        await asyncio.sleep(0)
        assert rig.status.up
        assert [gap.reason for gap in rig.status.gaps()] == ["gone"]

    asyncio.run(main())


def test_closing_applies_what_waits_and_counts_what_comes_later() -> None:
    async def main() -> Rig:
        rig = Rig()
        rig.pump.attach(asyncio.get_running_loop())
        rig.pump.offer(Messages([_body(1), _body(2)]))
        rig.pump.close()
        rig.pump.offer(Messages([_body(3)]))
        await asyncio.sleep(0)
        return rig

    rig = asyncio.run(main())
    assert rig.uuids == ["u-1", "u-2"]
    assert dict(rig.status.dropped) == {"closed": 1}
    assert rig.status.backlog == 0


def test_a_source_that_outlives_the_loop_does_no_harm() -> None:
    async def main() -> Rig:
        rig = Rig()
        rig.pump.attach(asyncio.get_running_loop())
        return rig

    rig = asyncio.run(main())
    rig.pump.offer(Messages([_body(1)]))
    rig.pump.lost("late")
    assert rig.events == []
