"""What a question leaves behind, asked of an empty broker in memory."""

from __future__ import annotations

import asyncio
import gc
import weakref
from collections.abc import Iterator
from typing import Any

import pytest
from celery import Celery

from flower.control.executor import Executor
from flower.control.mailbox import _COLLECT_EVERY, Mailbox


@pytest.fixture
def collecting_on_request_alone() -> Iterator[None]:
    gc.collect()
    gc.disable()
    yield
    gc.enable()


class Watched(Celery):
    """Counts the connections that it made, and knows those that live."""

    def __init__(self) -> None:
        super().__init__("watched", broker="memory://", set_as_current=False)
        self.connections: weakref.WeakSet[Any] = weakref.WeakSet()
        self.made = 0

    def connection_for_write(self, *args: Any, **more: Any) -> Any:
        connection = super().connection_for_write(*args, **more)
        # Cycles are what kombu makes of a channel on Redis.
        connection.itself = connection
        self.connections.add(connection)
        self.made += 1
        return connection


async def ask(app: Celery, times: int) -> None:
    executor = Executor()
    mailbox = Mailbox(app, executor)
    for _ in range(times):
        assert await mailbox.ask({"stats": {}}, ["nobody@test"], timeout=0.01) == {}
    mailbox.close()
    await executor.close()


@pytest.mark.usefixtures("collecting_on_request_alone")
def test_connections_of_past_questions_are_not_kept() -> None:
    app = Watched()
    asyncio.run(ask(app, _COLLECT_EVERY + 5))
    assert 0 < len(app.connections) < 12


def test_the_same_to_many_workers_takes_one_connection() -> None:
    async def ask_all(app: Celery) -> None:
        executor = Executor()
        mailbox = Mailbox(app, executor)
        workers = [f"worker{number}@test" for number in range(50)]
        answers = await asyncio.gather(*(mailbox.ask({"stats": {}}, [name], timeout=0.01) for name in workers))
        assert answers == [{}] * 50
        await asyncio.gather(*(mailbox.cast("shutdown", {}, [name]) for name in workers))
        mailbox.close()
        await executor.close()

    app = Watched()
    asyncio.run(ask_all(app))
    assert app.made == 2, "one for the question, one for the order"
