"""Which messages become one, and who gets what came of it."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import Sequence

import pytest

from flower.control.rounds import Rounds

Sent = list[tuple[str, list[str]]]


async def several(sent: Sent, *messages: tuple[str, str]) -> list[str | BaseException]:
    async def send(message: str, hosts: Sequence[str]) -> str:
        sent.append((message, list(hosts)))
        if message == "fail":
            raise LookupError(message)
        return f"{message} to {len(hosts)}"

    rounds = Rounds(send)
    return await asyncio.gather(*(rounds.join(message, [host]) for message, host in messages), return_exceptions=True)


def run(*messages: tuple[str, str]) -> tuple[Sent, list[str | BaseException]]:
    sent: Sent = []
    return sent, asyncio.run(several(sent, *messages))


def test_equal_messages_of_one_turn_are_one() -> None:
    sent, got = run(("grow", "b"), ("grow", "a"), ("stop", "c"), ("grow", "c"))
    assert sent == [("grow", ["a", "b", "c"]), ("stop", ["c"])]
    assert got == ["grow to 3", "grow to 3", "stop to 1", "grow to 3"]


def test_a_worker_that_is_told_twice_hears_it_twice() -> None:
    sent, got = run(("grow", "a"), ("grow", "b"), ("grow", "a"), ("grow", "c"))
    assert sent == [("grow", ["a", "b", "c"]), ("grow", ["a"])]
    assert got == ["grow to 3", "grow to 3", "grow to 1", "grow to 3"]


def test_a_failure_is_everybodys() -> None:
    sent, got = run(("fail", "a"), ("fail", "b"))
    assert sent == [("fail", ["a", "b"])]
    assert [type(each) for each in got] == [LookupError, LookupError]


def test_messages_of_another_turn_are_sent_again() -> None:
    async def twice() -> Sent:
        sent: Sent = []

        async def send(message: str, hosts: Sequence[str]) -> None:
            sent.append((message, list(hosts)))

        rounds = Rounds(send)
        await rounds.join("grow", ["a"])
        await rounds.join("grow", ["b"])
        return sent

    assert asyncio.run(twice()) == [("grow", ["a"]), ("grow", ["b"])]


def test_who_leaves_does_not_take_the_others_along() -> None:
    async def leave() -> tuple[str, bool]:
        going = asyncio.Event()

        async def send(message: str, hosts: Sequence[str]) -> str:
            await going.wait()
            return f"{message} to {len(hosts)}"

        rounds = Rounds(send)
        stays, leaves = (asyncio.ensure_future(rounds.join("grow", [host])) for host in "ab")
        await asyncio.sleep(0)
        leaves.cancel()
        with pytest.raises(asyncio.CancelledError):
            await leaves
        going.set()
        return await stays, leaves.cancelled()

    assert asyncio.run(leave()) == ("grow to 2", True)


@pytest.mark.parametrize("turns", [0, 1, 3])
def test_when_all_have_left_nothing_goes_on(turns: int) -> None:
    async def leave() -> tuple[Sent, Sent, list[str]]:
        begun: Sent = []
        sent: Sent = []
        complaints: list[str] = []
        asyncio.get_running_loop().set_exception_handler(lambda _, context: complaints.append(context["message"]))

        async def send(message: str, hosts: Sequence[str]) -> None:
            begun.append((message, list(hosts)))
            await asyncio.sleep(0.01)
            sent.append((message, list(hosts)))

        rounds = Rounds(send)
        leaving = [asyncio.ensure_future(rounds.join("grow", [host])) for host in "ab"]
        for _ in range(turns):
            await asyncio.sleep(0)
        for each in leaving:
            each.cancel()
        await asyncio.gather(*leaving, return_exceptions=True)
        await rounds.join("grow", ["c"])
        gc.collect()
        return begun, sent, complaints

    begun, sent, complaints = asyncio.run(leave())
    assert ("grow", ["a", "b"]) in begun or turns < 3
    assert (sent, complaints) == ([("grow", ["c"])], [])


def test_who_leaves_what_fails_afterwards_leaves_no_complaint() -> None:
    async def leave() -> list[str]:
        complaints: list[str] = []
        asyncio.get_running_loop().set_exception_handler(lambda _, context: complaints.append(context["message"]))

        async def send(message: str, hosts: Sequence[str]) -> None:
            await asyncio.sleep(0.01)
            raise LookupError(message)

        rounds = Rounds(send)
        stays, leaves = (asyncio.ensure_future(rounds.join("grow", [host])) for host in "ab")
        await asyncio.sleep(0)
        leaves.cancel()
        with pytest.raises(LookupError):
            await stays
        del stays, leaves
        gc.collect()
        return complaints

    assert asyncio.run(leave()) == []
