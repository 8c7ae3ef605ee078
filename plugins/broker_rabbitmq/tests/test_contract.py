"""The rules every plugin and every broker inspector keeps, against the running RabbitMQ."""

from __future__ import annotations

from urllib.parse import quote

import pytest

from flower_broker_rabbitmq import plugin
from flower_broker_rabbitmq.inspector import RabbitMQInspector
from flower_plugins import BrokerInspector
from flower_plugins.testing import BrokerInspectorContract, PluginContract, offer_context


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
