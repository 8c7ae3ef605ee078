from __future__ import annotations

import asyncio

import pytest
from flower_queue_watch import plugin
from flower_queue_watch.plugin import QueueWatch

from flower_plugins import QueueStats
from flower_plugins.testing import FakeHost, FakeQueues, PluginContract, ServiceContract


class TestPlugin(PluginContract):
    plugin = plugin


class TestService(ServiceContract):
    def make(self) -> QueueWatch:
        return QueueWatch(FakeHost(options=plugin.flower_options()))


def test_a_queue_is_warned_of_once_each_time_it_grows(caplog: pytest.LogCaptureFixture) -> None:
    host = FakeHost(queue_watch_limit=10)
    watch = QueueWatch(host)
    for messages in (5, 11, 12, None, 11):
        host.queues = FakeQueues([QueueStats("celery", messages=messages), QueueStats("mail", messages=10)])
        asyncio.run(watch.look())
    assert caplog.messages == ["More than 10 messages wait in 'celery'"] * 2
