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
    """Knows the connections that it made, as long as they live."""

    def __init__(self) -> None:
        super().__init__("watched", broker="memory://", set_as_current=False)
        self.connections: weakref.WeakSet[Any] = weakref.WeakSet()

    def connection_for_write(self, *args: Any, **more: Any) -> Any:
        connection = super().connection_for_write(*args, **more)
        # Cycles are what kombu makes of a channel on Redis.
        connection.itself = connection
        self.connections.add(connection)
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
