"""The rules every plugin, broker inspector and event source keeps, against the running RabbitMQ."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

import kombu
import pytest

from flower_broker_rabbitmq import plugin
from flower_broker_rabbitmq.events import RabbitMQEventSource
from flower_broker_rabbitmq.inspector import RabbitMQInspector
from flower_plugins import BrokerInspector, EventSource
from flower_plugins.testing import BrokerInspectorContract, EventSourceContract, PluginContract, offer_context

_kombu: Any = kombu


class TestPlugin(PluginContract):
    plugin = plugin


class TestInspector(BrokerInspectorContract):
    @pytest.fixture(autouse=True)
    def fill(self, virtual_host: str) -> None:
        self.virtual_host = virtual_host

    def make(self) -> BrokerInspector:
        url = f"amqp://guest:guest@127.0.0.1:5672/{quote(self.virtual_host, safe='')}"
        return RabbitMQInspector(offer_context(broker_url=url, broker_api=None))

    def make_unreachable(self) -> BrokerInspector:
        return RabbitMQInspector(offer_context(broker_url="amqp://", broker_api="http://a:canary@127.0.0.1:1/api"))

    def filled(self) -> tuple[str, int]:
        return "full", 3


class TestEventSource(EventSourceContract):
    @pytest.fixture(autouse=True)
    def fill(self, virtual_host: str) -> None:
        self.url = f"amqp://guest:guest@127.0.0.1:5672/{quote(virtual_host, safe='')}"

    def make(self) -> EventSource:
        return RabbitMQEventSource(offer_context(broker_url=self.url))

    def publish(self) -> None:
        with _kombu.Connection(self.url) as connection:
            producer = connection.Producer(exchange=_kombu.Exchange("celeryev", type="topic"))
            producer.publish({"type": "worker-heartbeat"}, routing_key="worker.heartbeat")
