"""Who comes in, and who has to go for them."""

from __future__ import annotations

import asyncio
import logging
import resource
from collections.abc import Callable
from typing import Any

import pytest

from flower.web import connections
from flower.web.connections import Connection, Connections, Limits, Phase, room_for_connections

LIMITS = Limits(total=20, per_address=8, spare=2)


class Door:
    """Lets connections in and remembers which were closed."""

    def __init__(self, limits: Limits = LIMITS, exempt: Callable[[str], bool] = lambda _: False) -> None:
        self.books = Connections(limits, exempt)
        self.closed: list[Connection] = []

    def open(self, address: str, phase: Phase = Phase.HEADING) -> Connection | None:
        connection = self.books.admit(address)
        if connection is None:
            return None
        connection.close = lambda: self.closed.append(connection)
        connection.begins()
        if phase is not Phase.HEADING:
            connection.headed(body=phase is Phase.READING)
        if phase is Phase.IDLE:
            connection.begins()
        return connection


def on_a_loop(scenario: Callable[[], Any]) -> None:
    async def run() -> None:
        scenario()

    asyncio.run(run())


def test_the_oldest_without_complete_headers_goes_first() -> None:
    """S47"""

    def scenario() -> None:
        door = Door()
        first = door.open("a")
        for number in range(12):
            door.open(f"b{number}")
        assert door.closed[0] is first
        assert door.books.count(Phase.HEADING) == LIMITS.heading == 10
        assert len(door.closed) == 3

    on_a_loop(scenario)


def test_one_address_pushes_out_its_own_half_requests() -> None:
    """S47"""

    def scenario() -> None:
        door = Door()
        honest = door.open("honest")
        crowd = [door.open("crowd") for _ in range(40)]
        assert honest not in door.closed
        assert door.closed == crowd[: 40 - LIMITS.heading_per_address]

    on_a_loop(scenario)


def test_an_ipv6_network_is_one_address() -> None:
    """S47: whoever has one has 2^64 addresses to come from."""

    def scenario() -> None:
        door = Door()
        for number in range(LIMITS.per_address):
            assert door.open(f"2001:db8::{number + 1:x}", Phase.SERVING) is not None
        assert door.open("2001:db8::ffff") is None
        assert door.open("2001:db8:0:1::1") is not None

    on_a_loop(scenario)


@pytest.mark.parametrize("phase", [Phase.IDLE, Phase.READING])
def test_one_address_pushes_out_its_own_connections(phase: Phase) -> None:
    """S47"""

    def scenario() -> None:
        door = Door()
        honest = door.open("honest", phase)
        crowd = [door.open("crowd", phase) for _ in range(12)]
        assert honest not in door.closed
        assert door.closed == crowd[:4]

    on_a_loop(scenario)


def test_an_address_whose_connections_are_all_at_work_gets_no_more_and_the_log_names_the_option(
    caplog: pytest.LogCaptureFixture,
) -> None:
    def scenario() -> None:
        door = Door()
        for _ in range(LIMITS.per_address):
            assert door.open("crowd", Phase.SERVING) is not None
        for _ in range(5):
            assert door.open("crowd") is None
        assert door.open("honest") is not None
        assert door.closed == []

    on_a_loop(scenario)
    (line,) = caplog.messages
    assert line.startswith("crowd has 8 connections open")
    assert "--max_connections_per_address" in line


def test_the_address_of_a_proxy_has_no_limit_of_its_own() -> None:
    """S47: half requests are limited in number, whoever sends them."""

    def scenario() -> None:
        door = Door(exempt=lambda address: address == "proxy")
        for _ in range(LIMITS.total):
            assert door.open("proxy", Phase.SERVING) is not None
        door = Door(exempt=lambda address: address == "proxy")
        for _ in range(LIMITS.total):
            door.open("proxy")
        assert door.books.count(Phase.HEADING) == LIMITS.heading

    on_a_loop(scenario)


def test_a_connection_that_rests_goes_before_one_at_work_and_then_a_few_are_spare() -> None:
    """S47"""

    def scenario() -> None:
        door = Door()
        resting = door.open("rests", Phase.IDLE)
        for number in range(LIMITS.total - 1):
            door.open(f"a{number}", Phase.SERVING)
        newcomer = door.open("b", Phase.SERVING)
        assert door.closed == [resting]
        assert newcomer is not None
        assert not newcomer.spare
        spares = [door.open(f"c{number}", Phase.SERVING) for number in range(LIMITS.spare)]
        assert [spare is not None and spare.spare for spare in spares] == [True, True]
        assert door.open("d") is None
        newcomer.gone()
        spares[0].gone()  # type: ignore[union-attr]
        later = door.open("e")
        assert later is not None
        assert later.spare
        later.gone()
        spares[1].gone()  # type: ignore[union-attr]
        later = door.open("f")
        assert later is not None
        assert not later.spare

    on_a_loop(scenario)


def test_what_is_gone_is_forgotten() -> None:
    def scenario() -> None:
        door = Door()
        for phase in Phase:
            connection = door.open("a", phase)
            assert connection is not None
            assert connection.phase is phase
            assert len(door.books) == 1
            connection.gone()
            connection.gone()
            connection.heard()
            connection.complete()
            assert len(door.books) == 0
        assert door.books._open == door.books._heading == {}

    on_a_loop(scenario)


def test_headers_have_ten_seconds_and_each_connection_its_own() -> None:
    """S47"""

    async def run() -> None:
        door = Door(Limits(total=20, per_address=8, header_seconds=0.2))
        loop = asyncio.get_running_loop()
        began, ends, resting_closed = loop.time(), list[float](), asyncio.Event()
        all_closed = asyncio.Event()

        def close() -> None:
            ends.append(loop.time() - began)
            if len(ends) == 3:
                all_closed.set()

        for _ in range(3):
            connection = door.open("a")
            assert connection is not None
            connection.close = close
            await asyncio.sleep(0.05)
        served, resting = door.open("a", Phase.SERVING), door.open("a", Phase.IDLE)
        assert served is not None
        assert resting is not None
        await all_closed.wait()
        assert all(end >= due - 0.01 for end, due in zip(ends, (0.2, 0.25, 0.3), strict=True))
        assert ends[0] < ends[1] < ends[2]
        assert (served.phase, resting.phase) == (Phase.SERVING, Phase.IDLE)
        resting.close = resting_closed.set
        resting.heard()
        await resting_closed.wait()
        assert served.phase is Phase.SERVING
        door.books.end()

    assert Limits(1, 1).header_seconds == 10
    asyncio.run(asyncio.wait_for(run(), 5))


def test_a_connection_may_be_silent_for_so_long_between_two_requests() -> None:
    async def run() -> None:
        door = Door(Limits(total=20, per_address=8, header_seconds=30, idle_seconds=0.2))
        loop = asyncio.get_running_loop()
        ends: dict[str, float] = {}
        both_closed, began = asyncio.Event(), loop.time()

        def closing(name: str) -> Callable[[], None]:
            def close() -> None:
                ends[name] = loop.time() - began
                if len(ends) == 2:
                    both_closed.set()

            return close

        idle, asking, serving = door.open("a", Phase.IDLE), door.open("a", Phase.IDLE), door.open("a", Phase.SERVING)
        assert idle is not None
        assert asking is not None
        assert serving is not None
        idle.close, asking.close = closing("idle"), closing("asking")
        await asyncio.sleep(0.1)
        asking.heard()
        asking.headed(body=False)
        asking.begins()
        await both_closed.wait()
        assert ends["idle"] >= 0.19
        assert ends["asking"] >= 0.29
        assert serving.phase is Phase.SERVING
        door.books.end()

    assert Limits(1, 1).idle_seconds == 75
    asyncio.run(asyncio.wait_for(run(), 5))


def test_bodies_have_a_limit_together_and_the_oldest_incomplete_one_goes(caplog: pytest.LogCaptureFixture) -> None:
    """S46: what was answered or left no longer counts."""

    def scenario() -> None:
        door = Door(Limits(total=20, per_address=20, bodies=100))
        answered, oldest, older, newest = (door.open("a", Phase.READING) for _ in range(4))
        assert answered is not None
        assert oldest is not None
        assert older is not None
        assert newest is not None
        answered.keeps(60)
        answered.complete()
        oldest.keeps(20)
        older.keeps(20)
        assert door.closed == []
        newest.keeps(20)
        assert door.closed == [oldest]
        oldest.keeps(50)
        answered.begins()
        older.keeps(60)
        assert door.closed == [oldest]
        newest.keeps(1)
        assert door.closed == [oldest, older]
        newest.gone()
        assert door.books._held == 0
        last = door.open("a", Phase.READING)
        assert last is not None
        last.keeps(101)
        assert door.closed == [oldest, older, last]
        assert door.books._held == 0

    on_a_loop(scenario)
    assert len(caplog.messages) == 1


@pytest.mark.parametrize(
    ("files", "least", "most"),
    [(256, 64, 256 - 85), (1024, 600, 1024 - 160), (1_000_000, 10_000, 10_000), (-1, 10_000, 10_000), (64, 64, 64)],
)
def test_there_is_room_for_what_the_limit_of_open_files_leaves(
    monkeypatch: pytest.MonkeyPatch, files: int, least: int, most: int
) -> None:
    monkeypatch.setattr(connections.resource, "getrlimit", lambda _: (files, files))
    assert resource.RLIM_INFINITY == -1
    assert least <= room_for_connections() <= most


def test_connections_that_the_books_never_close_are_closed_by_their_owner(caplog: pytest.LogCaptureFixture) -> None:
    """R48: relieving says whether anything was there to close."""

    def scenario() -> None:
        door = Door()
        assert not door.books.relieve()
        served = door.open("a", Phase.SERVING)
        assert not door.books.relieve()
        resting = door.open("a", Phase.IDLE)
        assert door.books.relieve()
        assert door.closed == [resting]
        assert served is not None

    with caplog.at_level(logging.WARNING):
        on_a_loop(scenario)
    assert caplog.messages == []
