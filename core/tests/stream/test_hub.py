"""Notifications reach those who listen, coalesced."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

from flower.stream.hub import Hub, HubSink
from flower_plugins import TaskChange, WorkerChange
from flower_plugins.testing import EventSinkContract, FakeTask, FakeWorker


class TestSinkContract(EventSinkContract):
    def make(self) -> HubSink:
        return HubSink(Hub())


async def following(subscription: AsyncIterator[frozenset[str]]) -> frozenset[str]:
    return await asyncio.wait_for(anext(subscription), 2)


def test_the_first_delivery_names_every_topic_and_later_ones_what_changed() -> None:
    async def scenario() -> None:
        hub = Hub(interval=0.01)
        subscription = hub.subscribe(["tasks", "workers"])
        assert await following(subscription) == {"tasks", "workers"}
        for _ in range(50):
            hub.notify("tasks")
        hub.notify("elsewhere")
        assert await following(subscription) == {"tasks"}
        hub.notify("workers")
        hub.notify("tasks")
        assert await following(subscription) == {"tasks", "workers"}
        await subscription.aclose()
        assert hub.topics == frozenset()

    asyncio.run(scenario())


def test_changes_are_coalesced_to_one_delivery_per_interval() -> None:
    async def scenario() -> None:
        loop = asyncio.get_running_loop()
        hub = Hub(interval=0.2)
        subscription = hub.subscribe(["tasks"])
        await following(subscription)
        began = loop.time()
        hub.notify("tasks")
        await following(subscription)
        assert loop.time() - began >= 0.19
        await subscription.aclose()

    asyncio.run(scenario())


def test_the_more_listen_the_rarer_each_is_told() -> None:
    """R41"""

    async def scenario() -> None:
        loop = asyncio.get_running_loop()
        hub = Hub(interval=0.0)
        crowd = [hub.subscribe(["tasks"]) for _ in range(100)]
        await asyncio.gather(*map(following, crowd))
        began = loop.time()
        hub.notify("tasks")
        await following(crowd[0])
        assert loop.time() - began >= 0.19
        for subscription in crowd:
            await subscription.aclose()
        hub.notify("tasks")
        last = hub.subscribe(["tasks"])
        await following(last)
        began = loop.time()
        hub.notify("tasks")
        await following(last)
        assert loop.time() - began < 0.19
        await last.aclose()

    asyncio.run(scenario())


def test_a_change_of_a_task_concerns_its_page_the_list_and_the_workers() -> None:
    async def scenario() -> None:
        hub = Hub(interval=0.01)
        page, other = hub.subscribe(["task:a", "tasks", "workers"]), hub.subscribe(["task:b"])
        await following(page)
        await following(other)
        sink = HubSink(hub)
        sink.on_changes([TaskChange(FakeTask("a"), None, "task-sent", "gen1@shop")])
        assert await following(page) == {"task:a", "tasks", "workers"}
        sink.on_changes([WorkerChange(FakeWorker("w1@shop"), "worker-heartbeat")])
        assert await following(page) == {"workers"}
        sink.on_changes([TaskChange(FakeTask("b"), "PENDING", "task-started", "w1@shop")])
        assert await following(other) == {"task:b"}
        await page.aclose()
        await other.aclose()

    asyncio.run(scenario())


def test_a_worker_that_is_gone_or_back_concerns_the_pages_of_its_tasks() -> None:
    """R31"""

    async def scenario() -> None:
        hub = Hub(interval=0.01)
        page = hub.subscribe(["task:a", "tasks", "workers"])
        await following(page)
        for kind in ("worker-gone", "worker-back"):
            HubSink(hub).on_changes([WorkerChange(FakeWorker("w1@shop", online=False), kind)])
            assert await following(page) == {"task:a", "tasks", "workers"}
        await page.aclose()

    asyncio.run(scenario())
