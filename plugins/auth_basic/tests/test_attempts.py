"""S31: how fast passwords can be tried."""

from __future__ import annotations

import asyncio
import threading

import pytest

from flower_auth_basic.attempts import Failures, Queue
from flower_plugins import TooManyAttempts


class Clock:
    """Time that passes when told to."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


def refused(failures: Failures, address: str, user: str) -> int:
    """Return the seconds to wait, 0 for none."""
    try:
        failures.refuse(address, user)
    except TooManyAttempts as error:
        return error.retry_after
    return 0


def test_more_than_ten_failures_a_minute_close_the_door_for_that_pair_alone() -> None:
    clock = Clock()
    failures = Failures(clock=clock)
    for number in range(11):
        assert refused(failures, "::1", "ann") == 0
        clock.now = float(number)
        failures.note("::1", "ann")
    assert refused(failures, "::1", "ann") == 50
    assert refused(failures, "::1", "bob") == 0
    assert refused(failures, "2001:db8::2", "ann") == 0


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("2001:db8:1:2::1", "2001:db8:1:2:ffff:ffff:ffff:ffff", True),
        ("2001:db8:1:2::1", "2001:db8:1:3::1", False),
        ("fe80::1%eth0", "fe80::2%eth0", True),
        ("::ffff:192.0.2.1", "192.0.2.1", True),
        ("::ffff:192.0.2.1", "::ffff:192.0.2.2", False),
        ("192.0.2.1", "192.0.2.2", False),
        ("", "x", False),
    ],
)
def test_an_ipv6_network_is_one_sender(one: str, other: str, same: bool) -> None:
    failures = Failures(clock=Clock())
    for _ in range(11):
        failures.note(one, "ann")
    assert bool(refused(failures, other, "ann")) is same


def test_the_door_opens_when_the_failures_are_a_minute_old() -> None:
    clock = Clock()
    failures = Failures(clock=clock)
    for _ in range(11):
        failures.note("::1", "ann")
    clock.now = 59.5
    assert refused(failures, "::1", "ann") == 1
    clock.now = 60.0
    assert refused(failures, "::1", "ann") == 0


def test_a_flood_of_names_takes_bounded_memory_and_gives_nobody_a_new_start() -> None:
    failures = Failures(clock=Clock(), most=100)
    for _ in range(11):
        failures.note("::1", "ann")
    for number in range(99):
        failures.note("::1", f"{number}" * 1000)
    assert refused(failures, "::1", "ann")
    for number in range(1000):
        failures.note(f"10.0.0.{number}", "x")
    assert len(failures) == 100
    assert refused(failures, "::1", "ann") == 60


def test_guesses_between_floods_add_up_until_a_minute_or_two_have_passed() -> None:
    """Ten guesses, ten thousand other names, and ten guesses more."""
    clock = Clock()
    failures = Failures(clock=clock, most=100)

    def guess_and_flood(times: int) -> None:
        for _ in range(times):
            failures.note("10.0.0.1", "ann")
        for number in range(200):
            failures.note("10.0.0.1", str(number))

    guess_and_flood(6)
    assert not refused(failures, "10.0.0.1", "ann")
    guess_and_flood(5)
    assert refused(failures, "10.0.0.1", "ann")
    clock.now = 121.0
    assert not refused(failures, "10.0.0.1", "ann")


def test_a_flood_shuts_the_door_for_nobody_else() -> None:
    failures = Failures(clock=Clock(), most=100)
    for number in range(100_000):
        failures.note("10.0.0.1", str(number))
    assert not any(refused(failures, "10.0.0.2", f"user{number}") for number in range(1000))


def test_what_is_over_is_forgotten() -> None:
    clock = Clock()
    failures = Failures(clock=clock)
    for number in range(50):
        failures.note("::1", str(number))
    clock.now = 61.0
    failures.note("::1", "new")
    assert len(failures) == 1


def test_two_passwords_are_checked_at_once_and_one_address_cannot_fill_the_queue() -> None:
    running, most, gate = set(), [0], threading.Event()

    def check() -> bool:
        me = object()
        running.add(me)
        most[0] = max(most[0], len(running))
        assert gate.wait(10)
        running.discard(me)
        return True

    async def scenario() -> None:
        queue = Queue()
        first = [asyncio.ensure_future(queue.run("::1", check)) for _ in range(16)]
        await asyncio.sleep(0)
        with pytest.raises(TooManyAttempts):
            await queue.run("::2", check)
        others = [asyncio.ensure_future(queue.run(str(number), check)) for number in range(16)]
        await asyncio.sleep(0)
        with pytest.raises(TooManyAttempts):
            await queue.run("late", check)
        gate.set()
        assert await asyncio.gather(*first, *others) == [True] * 32
        assert await queue.run("::1", check)

    asyncio.run(scenario())
    assert most == [2]
