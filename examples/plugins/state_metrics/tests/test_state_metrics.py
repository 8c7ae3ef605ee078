from __future__ import annotations

from flower_state_metrics import plugin
from flower_state_metrics.plugin import TasksByState

from flower_plugins.testing import FakeHost, FakeTask, MetricSourceContract, PluginContract

HOST = FakeHost(tasks=[FakeTask("a"), FakeTask("b"), FakeTask("c", state="FAILURE")])


class TestPlugin(PluginContract):
    plugin = plugin


class TestSource(MetricSourceContract):
    def make(self) -> TasksByState:
        return TasksByState(HOST)


def test_tasks_are_counted_by_state() -> None:
    (family,) = TasksByState(HOST).families()
    assert {sample.labels: sample.value for sample in family.samples} == {("SUCCESS",): 2.0, ("FAILURE",): 1.0}
