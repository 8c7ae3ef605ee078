"""Every problem is found from facts at hand, and is not found without them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from flower.app.problems import Problems
from flower.events import StreamStatus
from flower.events.event import Event
from flower.state import State
from flower_plugins import Problem, QueueReport, QueueStats

BEGAN = 1_800_000_000.0


class Queues:
    report = QueueReport()

    def last(self) -> QueueReport:
        return self.report


class Scene:
    """A state with workers that beat, its stream and its queues."""

    def __init__(self) -> None:
        self.wall, self.mono = BEGAN, 1000.0
        self.status = StreamStatus(now=lambda: self.wall)
        self.status.connected()
        self.state = State(now=lambda: self.wall, monotonic=lambda: self.mono, gaps=self.status.gaps)
        self.state.tick()
        self.queues = Queues()
        self.snapshot: dict[str, Mapping[str, Any]] = {}
        self.alive = ["w1@shop", "w2@shop"]
        self.processed = {"w1@shop": 10, "w2@shop": 20}
        self.problems = Problems(
            self.state,
            self.status,
            self.queues,  # type: ignore[arg-type]
            snapshot=lambda: self.snapshot,
            is_online=lambda name: name in self.alive,
            now=lambda: self.wall,
            monotonic=lambda: self.mono,
        )
        self._number = 0
        self.pass_time(2)

    def pass_time(self, seconds: int) -> None:
        for _ in range(seconds):
            self.wall += 1
            self.mono += 1
            self.state.apply([self._event("worker-heartbeat", "", name, freq=2.0) for name in self.alive])
            self.state.tick()

    def task(self, kind: str, *, uuid: str = "", hostname: str = "w1@shop", at: float = 0.0, **fields: Any) -> str:
        self._number += 1
        uuid = uuid or f"t{self._number}"
        self.state.apply([self._event(kind, uuid, hostname, at, **fields)])
        return uuid

    def runs(self, number: int, *, failing: int = 0, wait: float = 0.1) -> None:
        for each in range(number):
            uuid = self.task("task-received", name="shop.pay", at=-wait)
            self.task("task-started", uuid=uuid)
            if each < failing:
                self.task("task-failed", uuid=uuid, exception="ValueError('x')")
            else:
                self.task("task-succeeded", uuid=uuid, runtime=0.1)

    def found(self, *kinds: str) -> list[Problem]:
        self.pass_time(1)
        return [problem for problem in self.problems.now() if problem.kind in kinds or not kinds]

    def _event(self, kind: str, uuid: str, hostname: str, at: float = 0.0, **fields: Any) -> Event:
        if kind == "worker-heartbeat":
            fields["processed"] = self.processed[hostname]
        return Event(kind, hostname, self.wall + at, self.wall, uuid=uuid, **fields)


@pytest.fixture
def scene() -> Scene:
    return Scene()


def test_a_healthy_cluster_has_no_problems(scene: Scene) -> None:
    scene.task("task-sent", hostname="gen1@web", name="shop.pay", queue="celery")
    scene.queues.report = QueueReport([QueueStats("celery", messages=5, consumers=2)])
    scene.runs(50, failing=1)
    scene.task("task-started")
    assert scene.found() == []


def test_a_lost_worker_with_open_tasks_is_one_and_without_is_none(scene: Scene) -> None:
    scene.task("task-started")
    scene.task("task-received")
    scene.task("task-succeeded", runtime=1.0)
    scene.runs(1)
    scene.alive = []
    scene.pass_time(20)
    (problem,) = scene.found("worker-offline")
    assert problem.sentence == "Worker w1@shop is offline and had not finished 2 tasks."
    assert (problem.severity, problem.link) == ("error", "/tasks?search=is%3Alost+worker%3A%22w1%40shop%22")
    scene.alive = ["w1@shop", "w2@shop"]
    assert scene.found("worker-offline") == []


@pytest.mark.parametrize(
    ("row", "told", "is_problem"),
    [
        (QueueStats("mail", messages=7, consumers=0), False, True),
        (QueueStats("mail", messages=7, consumers=1), True, False),
        (QueueStats("mail", messages=0, consumers=0), True, False),
        (QueueStats("mail", ready=7), True, True),
        (QueueStats("celery", ready=7), True, False),
        (QueueStats("mail", ready=7), False, False),
        (QueueStats("mail"), True, False),
    ],
)
def test_a_queue_that_fills_and_is_not_consumed(scene: Scene, row: QueueStats, told: bool, is_problem: bool) -> None:
    if told:
        scene.snapshot = {
            "w1@shop": {"active_queues": [{"name": "celery"}]},
            "gone@shop": {"active_queues": [{"name": "mail"}]},
        }
    scene.queues.report = QueueReport([row])
    found = scene.found("queue-without-consumer")
    assert [problem.sentence for problem in found] == (
        ["Queue mail holds 7 messages and no worker consumes from it."] if is_problem else []
    )
    scene.queues.report = QueueReport([row], age=600)
    assert scene.found("queue-without-consumer") == []


def test_a_queue_is_not_consumed_where_no_worker_lives(scene: Scene) -> None:
    scene.queues.report = QueueReport([QueueStats("mail", messages=1)])
    scene.alive = []
    scene.pass_time(40)
    assert [each.link for each in scene.found("queue-without-consumer")] == ["/broker"]


def test_more_failures_than_before(scene: Scene) -> None:
    scene.runs(200, failing=2)
    scene.pass_time(600)
    assert scene.found("failure-rate") == []
    scene.runs(40, failing=4)
    assert scene.found("failure-rate") == []
    scene.runs(0)
    scene.runs(8, failing=8)
    (problem,) = scene.found("failure-rate")
    assert problem.sentence == (
        "shop.pay fails more often than usual: 12 of 48 in the last 5 minutes (25 %), 1.0 % in the hour before."
    )
    assert problem.link == "/tasks?state=FAILURE&name=shop.pay"
    scene.pass_time(320)
    assert scene.found("failure-rate") == []


@pytest.mark.parametrize(("ended", "failing", "is_problem"), [(20, 9, False), (9, 9, False), (20, 10, True)])
def test_without_a_usual_rate_only_half_of_them_failing_is_one(
    scene: Scene, ended: int, failing: int, is_problem: bool
) -> None:
    scene.runs(19)
    scene.pass_time(600)
    scene.runs(ended, failing=failing)
    assert [each.sentence for each in scene.found("failure-rate")] == (
        ["shop.pay mostly fails: 10 of 20 in the last 5 minutes (50 %)."] if is_problem else []
    )


def test_longer_waits_than_before(scene: Scene) -> None:
    scene.runs(50, wait=0.5)
    scene.pass_time(600)
    scene.runs(30, wait=0.6)
    assert scene.found("long-wait") == []
    scene.runs(200, wait=8.0)
    (problem,) = scene.found("long-wait")
    assert problem.sentence.startswith("shop.pay waits longer than usual: ")
    assert problem.severity == "warning"


def test_gaps_and_drops(scene: Scene) -> None:
    scene.status.lost("the broker closed the connection")
    assert [each.kind for each in scene.found("events-missing", "event-gap")] == ["events-missing"]
    scene.pass_time(30)
    scene.status.connected()
    (gap,) = scene.found("events-missing", "event-gap")
    assert gap.sentence.startswith("Events of 31 s until 08:00:3")
    assert gap.sentence.endswith(" UTC are missing: the broker closed the connection.")
    scene.status.drop("full", 1)
    (drop,) = scene.found("events-dropped")
    assert drop.sentence == "1 event message was dropped: more came than Flower could take in."
    scene.wall += 3601
    assert scene.found("event-gap") == []


def test_a_worker_that_runs_tasks_and_tells_of_none(scene: Scene) -> None:
    assert scene.found("events-disabled") == []
    scene.runs(1)
    scene.processed = {"w1@shop": 14, "w2@shop": 24}
    scene.pass_time(1)
    (problem,) = scene.found("events-disabled")
    assert (problem.sentence, problem.link) == (
        "Worker w2@shop runs tasks and sends no events of them. Start it with -E.",
        "/worker/w2%40shop",
    )
    scene.task("task-received", hostname="w2@shop")
    assert scene.found("events-disabled") == []


def test_a_restarted_worker_counts_its_tasks_from_zero(scene: Scene) -> None:
    scene.found()
    scene.processed["w2@shop"] = 1
    scene.pass_time(1)
    scene.found()
    scene.processed["w2@shop"] = 3
    assert scene.found("events-disabled") == []


def test_clients_that_tell_nothing_are_worth_a_hint(scene: Scene) -> None:
    assert scene.found("sent-events-off") == []
    scene.runs(1)
    (problem,) = scene.found("sent-events-off")
    assert problem.severity == "info"
    scene.task("task-sent", hostname="gen1@web", name="shop.pay")
    assert scene.found("sent-events-off") == []


def test_the_worst_come_first_and_nobody_looks_twice_a_second(scene: Scene) -> None:
    scene.runs(1)
    scene.status.drop("full", 2)
    scene.queues.report = QueueReport([QueueStats("mail", messages=7, consumers=0)])
    assert [each.severity for each in scene.found()] == ["error", "warning", "info"]
    scene.queues.report = QueueReport()
    scene.mono += 0.5
    assert [each.severity for each in scene.problems.now()] == ["error", "warning", "info"]
    scene.mono += 0.5
    assert [each.severity for each in scene.problems.now()] == ["warning", "info"]
