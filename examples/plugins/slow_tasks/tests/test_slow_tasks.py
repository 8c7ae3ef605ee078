from __future__ import annotations

import pytest
from flower_slow_tasks import plugin
from flower_slow_tasks.plugin import SlowTasks

from flower_plugins import TaskChange
from flower_plugins.testing import EventSinkContract, FakeTask, PluginContract


class TestPlugin(PluginContract):
    plugin = plugin


class TestSink(EventSinkContract):
    def make(self) -> SlowTasks:
        return SlowTasks(60.0)


def test_a_task_that_took_long_is_logged_and_others_are_not(caplog: pytest.LogCaptureFixture) -> None:
    ended = [FakeTask("quick", runtime=1.0), FakeTask("unknown", runtime=None), FakeTask("slow", runtime=61.5)]
    changes = [TaskChange(task, "STARTED", "task-succeeded", "w1@shop") for task in ended]
    SlowTasks(60.0).on_changes([*changes, TaskChange(ended[2], None, "task-received", "w1@shop")])
    assert caplog.messages == ["Task 'shop.add' (slow) took 61.5 s"]
