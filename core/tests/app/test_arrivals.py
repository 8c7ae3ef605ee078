"""Workers that show up are asked about themselves, once."""

from __future__ import annotations

from typing import Any

from flower.app.arrivals import Arrivals
from flower_plugins import EventSink, TaskChange, WorkerChange
from flower_plugins.testing import EventSinkContract, FakeTask, FakeWorker


class Inspector:
    def __init__(self) -> None:
        self.asked: list[str] = []

    def worker_arrived(self, hostname: str) -> None:
        self.asked.append(hostname)


class TestContract(EventSinkContract):
    def make(self) -> EventSink:
        return Arrivals(Inspector())  # type: ignore[arg-type]


def test_a_worker_is_asked_when_it_comes_and_when_it_comes_back() -> None:
    inspector: Any = Inspector()
    arrivals = Arrivals(inspector)
    up, down = FakeWorker("w1@shop"), FakeWorker("w1@shop", online=False)
    arrivals.on_changes([WorkerChange(up, "worker-heartbeat"), WorkerChange(up, "worker-heartbeat")])
    arrivals.on_changes([TaskChange(FakeTask("a"), None, "task-sent", "gen1@shop")])
    assert inspector.asked == ["w1@shop"]
    arrivals.on_changes([WorkerChange(down, "worker-lost"), WorkerChange(up, "worker-heartbeat")])
    arrivals.on_changes([WorkerChange(up, "worker-online")])
    arrivals.forget("w1@shop")
    arrivals.on_changes([WorkerChange(up, "worker-heartbeat")])
    assert inspector.asked == ["w1@shop"] * 4
