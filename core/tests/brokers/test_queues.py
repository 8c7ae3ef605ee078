"""What the queue service answers: fresh, stale, never an exception."""

# mypy: allow-untyped-calls
# kombu is annotated in part.

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Coroutine, Sequence
from typing import Any

import pytest
from celery import Celery
from kombu.entity import Queue

from flower.brokers.queues import QueueService, declared_queues
from flower_plugins import BrokerInspector, NotFound, QueueStats, Unavailable
from flower_plugins.testing import offer_context

SNAPSHOT = {
    "w1": {"active_queues": [{"name": "mail"}, {"name": "celery"}]},
    "w2": {"active_queues": [{"name": "celery"}, {"name": "images"}]},
    "gone": {"active_queues": [{"name": "old"}]},
    "fresh": {"stats": {}},
}


class Inspector(BrokerInspector):
    """Counts how often it is asked, and does as it is told."""

    def __init__(self) -> None:
        super().__init__(offer_context())
        self.asked: list[list[str]] = []
        self.failure: BaseException | None = None
        self.gate: asyncio.Event | None = None
        self.closed = self.empty = False
        self.left: list[str] = []

    async def queues(self, names: Sequence[str]) -> Sequence[QueueStats]:
        self.asked.append(list(names))
        if self.gate is not None:
            await self.gate.wait()
        if self.failure is not None:
            raise self.failure
        return [QueueStats(name, messages=0 if self.empty else len(self.asked)) for name in names]

    async def others(self) -> Sequence[str]:
        return self.left

    async def close(self) -> None:
        self.closed = True


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


def run(
    scenario: Callable[[QueueService, Inspector, Clock], Coroutine[Any, Any, None]], **options: Any
) -> tuple[QueueService, Inspector]:
    async def main() -> tuple[QueueService, Inspector]:
        inspector, clock = Inspector(), Clock()
        settings = {"snapshot": dict, "is_online": lambda name: name != "gone", "declared": ["celery"], "clock": clock}
        service = QueueService(inspector, **{**settings, **options})
        try:
            await scenario(service, inspector, clock)
        finally:
            await service.close()
        return service, inspector

    return asyncio.run(main())


def names(snapshot: dict[str, Any]) -> list[str]:
    service = QueueService(
        Inspector(), snapshot=lambda: snapshot, is_online=lambda name: name != "gone", declared=["own", "celery"]
    )
    return list(service.names())


def test_the_names_are_those_online_workers_consume_from() -> None:
    assert names(SNAPSHOT) == ["celery", "images", "mail"]


@pytest.mark.parametrize("snapshot", [{}, {"gone": SNAPSHOT["gone"]}, {"fresh": {}}])
def test_without_such_workers_the_app_names_the_queues(snapshot: dict[str, Any]) -> None:
    assert names(snapshot) == ["own", "celery"]


@pytest.mark.parametrize(
    ("queues", "declared"),
    [
        (None, ["tasks"]),
        ([Queue("mail"), Queue("images")], ["images", "mail", "tasks"]),
        ({"mail": {"exchange": "x"}}, ["mail", "tasks"]),
    ],
)
def test_the_declared_queues_are_the_default_and_the_listed(queues: Any, declared: list[str]) -> None:
    app = Celery(set_as_current=False)
    app.conf.update(task_default_queue="tasks", task_queues=queues)
    assert declared_queues(app.conf) == declared


def test_an_answer_serves_all_who_ask_within_a_second() -> None:
    async def scenario(service: QueueService, inspector: Inspector, clock: Clock) -> None:
        assert [row.messages for row in (await service.report()).queues] == [1]
        clock.now += 0.9
        report = await service.report()
        assert (report.queues[0].messages, round(report.age, 3), report.stale) == (1, 0.9, False)
        clock.now += 0.2
        assert (await service.report()).queues[0].messages == 2

    run(scenario)


def test_many_callers_share_one_question_and_a_gone_caller_does_not_end_it() -> None:
    async def scenario(service: QueueService, inspector: Inspector, clock: Clock) -> None:
        inspector.gate = asyncio.Event()
        calls = [asyncio.ensure_future(service.report()) for _ in range(50)]
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        calls[0].cancel()
        inspector.gate.set()
        reports = await asyncio.gather(*calls[1:])
        assert {report.queues[0].messages for report in reports} == {1}

    _, inspector = run(scenario)
    assert (len(inspector.asked), inspector.closed) == (1, True)


@pytest.mark.parametrize(
    ("failure", "error"),
    [
        (Unavailable("Redis at host:1 cannot be reached"), "Redis at host:1 cannot be reached"),
        (ValueError("redis://:canary@host"), "The queues cannot be read: ValueError"),
        (asyncio.TimeoutError(), "The broker did not answer within 3 s"),
    ],
)
def test_a_failure_keeps_the_last_good_answer_marked_stale(failure: Exception, error: str) -> None:
    async def scenario(service: QueueService, inspector: Inspector, clock: Clock) -> None:
        await service.report()
        inspector.failure = failure
        clock.now += 5
        report = await service.report()
        assert (report.queues[0].messages, report.age, report.stale, report.error) == (1, 5, True, error)
        inspector.failure = None
        clock.now += 2
        report = await service.report()
        assert (report.age, report.stale, report.error) == (0, False, "")

    run(scenario)


def test_a_failure_is_not_asked_for_again_within_a_second_and_logged_once_a_minute(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async def scenario(service: QueueService, inspector: Inspector, clock: Clock) -> None:
        inspector.failure = Unavailable("away")
        for _ in range(10):
            report = await service.report()
            clock.now += 0.5
        assert (list(report.queues), report.stale, report.error) == ([], True, "away")

    with caplog.at_level(logging.DEBUG, "flower"):
        _, inspector = run(scenario)
    assert len(inspector.asked) < 6
    assert len(caplog.records) == 1


def test_a_broker_that_hangs_is_not_waited_for() -> None:
    """R19."""

    async def scenario(service: QueueService, inspector: Inspector, clock: Clock) -> None:
        inspector.gate = asyncio.Event()
        begun = time.monotonic()
        report = await service.report()
        assert time.monotonic() - begun < 2
        assert report.error == "The broker did not answer within 0.1 s"

    run(scenario, timeout=0.1)


def test_a_broker_nobody_can_ask_is_told_apart_and_not_logged(caplog: pytest.LogCaptureFixture) -> None:
    async def scenario(service: QueueService, inspector: Inspector, clock: Clock) -> None:
        inspector.failure = NotFound("'carrier' broker is not supported")
        report = await service.report()
        assert (report.supported, report.error) == (False, "'carrier' broker is not supported")
        inspector.failure = None
        clock.now += 2
        assert (await service.report()).supported is True

    run(scenario)
    assert caplog.records == []


def test_whoever_asks_for_queues_keeps_the_names_young() -> None:
    calls: list[None] = []

    async def scenario(service: QueueService, inspector: Inspector, clock: Clock) -> None:
        assert calls == []
        await service.report()
        await service.report()

    run(scenario, asked=lambda: calls.append(None))
    assert len(calls) == 2


class Watcher:
    """Wants to know of one more queue."""

    def __init__(self) -> None:
        self.rows: list[list[str]] = []

    def watched(self) -> Sequence[str]:
        return ["celery", "forgotten"]

    def seen(self, rows: Sequence[QueueStats]) -> None:
        self.rows.append([row.name for row in rows])


def test_watched_queues_are_asked_for_and_reported_on_demand_while_they_hold_messages() -> None:
    watcher = Watcher()

    async def scenario(service: QueueService, inspector: Inspector, clock: Clock) -> None:
        assert service.last().queues == ()
        assert [row.name for row in (await service.report()).queues] == ["celery"]
        assert inspector.asked == [["celery", "forgotten"]]
        assert [row.name for row in service.last().queues] == ["celery", "forgotten"]
        assert [row.name for row in (await service.report(watched=True)).queues] == ["celery", "forgotten"]
        inspector.empty = True
        clock.now += 5
        assert [row.name for row in (await service.report(watched=True)).queues] == ["celery"]

    run(scenario, history=watcher)
    assert watcher.rows == [["celery", "forgotten"]] * 2


def test_a_sample_asks_only_for_what_is_old_and_wakes_nobody() -> None:
    woken: list[None] = []

    async def scenario(service: QueueService, inspector: Inspector, clock: Clock) -> None:
        await service.sample(5)
        clock.now += 4
        await service.sample(5)
        assert (len(inspector.asked), woken) == (1, [])
        clock.now += 2
        await service.sample(5)
        assert len(inspector.asked) == 2

    run(scenario, asked=lambda: woken.append(None))


def test_a_sample_that_fails_says_nothing_until_somebody_asks(caplog: pytest.LogCaptureFixture) -> None:
    async def scenario(service: QueueService, inspector: Inspector, clock: Clock) -> None:
        inspector.failure = Unavailable("gone")
        for _ in range(5):
            clock.now += 10
            await service.sample(5)
        assert caplog.records == []
        assert (await service.report()).error == "gone"
        assert [record.message for record in caplog.records] == ["gone"]

    run(scenario)


def test_a_broker_nobody_can_ask_is_sampled_once() -> None:
    async def scenario(service: QueueService, inspector: Inspector, clock: Clock) -> None:
        inspector.failure = NotFound("'memory' broker is not supported")
        for _ in range(5):
            clock.now += 10
            await service.sample(5)
        assert len(inspector.asked) == 1

    run(scenario)


def test_queues_that_nobody_names_are_asked_for_and_shown_while_they_hold_messages() -> None:
    async def scenario(service: QueueService, inspector: Inspector, clock: Clock) -> None:
        inspector.left = ["left", "celery", *(f"q{n}" for n in range(1000))]
        report = await service.report(watched=True)
        assert inspector.asked[0][:2] == ["celery", "left"]
        assert len(inspector.asked[0]) == 200
        assert "left" in [row.name for row in report.queues]
        inspector.empty = True
        clock.now += 5
        report = await service.report(watched=True)
        assert [row.name for row in report.queues] == ["celery"]

    run(scenario)
