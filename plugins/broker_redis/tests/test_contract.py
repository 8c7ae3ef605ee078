"""The rules every plugin and every kind of what it offers keep, against the running Redis."""

from __future__ import annotations

import uuid
from typing import Any

import pytest
import redis

from flower_broker_redis import plugin
from flower_broker_redis.inspector import RedisInspector
from flower_plugins import BrokerInspector, EventSource
from flower_plugins.testing import BrokerInspectorContract, EventSourceContract, PluginContract, offer_context


class TestPlugin(PluginContract):
    plugin = plugin


class TestEventSource(EventSourceContract):
    @pytest.fixture(autouse=True)
    def connect(self, database: tuple[str, redis.Redis], make_exchange: Any) -> None:
        self.exchange = make_exchange(database[0])

    def make(self) -> EventSource:
        source: EventSource = self.exchange.source()
        return source

    def publish(self) -> None:
        self.exchange.send(1)


class TestInspector(BrokerInspectorContract):
    @pytest.fixture(autouse=True)
    def fill(self, database: tuple[str, redis.Redis]) -> None:
        self.url, client = database
        self.queue = f"flower-test-{uuid.uuid4()}"
        client.rpush(self.queue, "a", "b")
        client.rpush(f"{self.queue}\x06\x163", "c")

    def make(self) -> BrokerInspector:
        return RedisInspector(offer_context(broker_url=self.url))

    def make_unreachable(self) -> BrokerInspector:
        return RedisInspector(offer_context(broker_url="redis://:canary@127.0.0.1:1/0"))

    def filled(self) -> tuple[str, int]:
        return self.queue, 3
