"""Queue lengths are looked at now and then, and never when that would hurt."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import pytest

from flower.app.queue_history import QueueHistory
from flower_plugins import QueueStats, Service
from flower_plugins.testing import ServiceContract


class Queues:
    def __init__(self, took: float = 0.0) -> None:
        self.took = took
        self.asked: list[float] = []

    def names(self) -> Sequence[str]:
        return ["celery"]

    async def sample(self, max_age: float) -> None:
        self.asked.append(max_age)


class Lengths:
    def __init__(self) -> None:
        self.noted: list[tuple[str, int]] = []

    def note_length(self, queue: str, messages: int) -> None:
        self.noted.append((queue, messages))

    def queues(self) -> Sequence[str]:
        return ["mail"]


class TestContract(ServiceContract):
    def make(self) -> Service:
        history = QueueHistory(Lengths(), up=lambda: True, inhabited=lambda: True)
        history.attach(Queues())
        return history


def slept(
    queues: Queues, up: bool, times: int = 3, inhabited: bool = True, seen: Sequence[QueueStats] = ()
) -> list[float]:
    """Let the service run until it has slept so many times, and return for how long."""
    naps: list[float] = []
    enough = asyncio.Event()

    async def sleep(seconds: float) -> None:
        naps.append(seconds)
        if len(naps) >= times:
            enough.set()
            await asyncio.Event().wait()

    async def scenario() -> None:
        history = QueueHistory(Lengths(), up=lambda: up, inhabited=lambda: inhabited, sleep=sleep)
        history.attach(queues)
        history.seen(seen)
        await history.start()
        await asyncio.wait_for(enough.wait(), 5)
        await history.stop()

    asyncio.run(scenario())
    return naps


def test_it_asks_every_ten_seconds() -> None:
    queues = Queues()
    assert slept(queues, up=True) == [10, 10, 10]
    assert queues.asked == [5, 5, 5]


def test_a_broker_that_is_gone_is_left_alone() -> None:
    queues = Queues()
    assert slept(queues, up=False) == [10, 10, 10]
    assert queues.asked == []


def test_nobody_is_asked_where_nobody_is() -> None:
    queues = Queues()
    assert slept(queues, up=True, inhabited=False, seen=[QueueStats("celery", messages=0)]) == [10, 10, 10]
    assert queues.asked == []


def test_messages_that_wait_are_watched_even_where_nobody_is() -> None:
    queues = Queues()
    slept(queues, up=True, inhabited=False, seen=[QueueStats("celery", messages=7), QueueStats("mail", messages=0)])
    assert queues.asked == [5, 5, 5]


def test_a_slow_broker_is_asked_seldom() -> None:
    assert slept(Queues(took=3.0), up=True) == pytest.approx([150] * 3)


def test_what_anybody_was_told_is_noted() -> None:
    lengths = Lengths()
    history = QueueHistory(lengths, up=lambda: True, inhabited=lambda: True)
    history.attach(Queues())
    history.seen(
        [
            QueueStats("celery", messages=0),
            QueueStats("mail", messages=0),
            QueueStats("left", messages=3),
            QueueStats("ready", ready=2),
            QueueStats("unknown"),
        ]
    )
    assert lengths.noted == [("celery", 0), ("left", 3), ("ready", 2)]
    assert list(history.watched()) == ["mail"]
