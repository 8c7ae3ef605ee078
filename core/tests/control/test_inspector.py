"""When workers are asked, how often, and what is kept of their answers."""

from __future__ import annotations

import asyncio
import json
import logging
import time
from collections.abc import Callable, Coroutine, Mapping, Sequence
from typing import Any

import pytest

from flower.control.inspector import ALL_METHODS, BASIC_METHODS, TASK_LISTS, InspectService
from flower_plugins import Unavailable

GOOD: dict[str, Any] = {
    "stats": {"pid": 1},
    "active_queues": [{"name": "celery"}],
    "registered": ["shop.add"],
    "conf": {"broker_url": "redis://:canary@h"},
}


class Cluster:
    """Answers questions for some workers at once, or fails."""

    def __init__(self, **workers: Mapping[str, Any]) -> None:
        self.workers: dict[str, Mapping[str, Any]] = dict(workers)
        self.questions: list[tuple[tuple[str, ...], tuple[str, ...] | None]] = []
        self.failure: Exception | None = None
        self.gate: asyncio.Event | None = None

    async def ask(
        self,
        commands: Mapping[str, Mapping[str, Any]],
        destination: Sequence[str] | None = None,
        *,
        timeout: float = 1.0,
    ) -> dict[str, dict[str, Any]]:
        self.questions.append((tuple(commands), None if destination is None else tuple(destination)))
        if self.gate is not None:
            await self.gate.wait()
        if self.failure is not None:
            raise self.failure
        return {name: dict(reply) for name, reply in self.workers.items() if destination is None or name in destination}


def run(
    cluster: Cluster, scenario: Callable[[InspectService], Coroutine[Any, Any, None]], **options: Any
) -> InspectService:
    async def main() -> InspectService:
        service = InspectService(cluster, **{"is_known": cluster.workers.__contains__, **options})
        try:
            await scenario(service)
        finally:
            await service.stop()
        return service

    return asyncio.run(main())


async def until(condition: Callable[[], bool], seconds: float = 8) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        await asyncio.sleep(0.01)


def test_one_worker_is_asked_for_everything_and_its_secrets_are_masked() -> None:
    cluster = Cluster(w1=GOOD)
    service = run(cluster, lambda service: service.refresh("w1"))
    assert cluster.questions == [(tuple(ALL_METHODS), ("w1",))]
    info = service.info("w1")
    assert info is not None
    assert set(info) == {*GOOD, "timestamp"}
    assert time.time() - info["timestamp"] < 10
    assert "canary" not in json.dumps(service.snapshot())


def test_all_workers_are_asked_for_the_basics_in_one_question() -> None:
    cluster = Cluster(w1=GOOD, w2=GOOD)
    service = run(cluster, lambda service: service.refresh())
    assert cluster.questions == [(tuple(BASIC_METHODS), None)]
    assert set(service.snapshot()) == {"w1", "w2"}
    assert service.knows("w2")


def test_a_worker_nobody_has_heard_of_is_not_asked() -> None:
    """S51."""
    cluster = Cluster(w1=GOOD)

    async def scenario(service: InspectService) -> None:
        await asyncio.gather(*(service.refresh(f"bogus{n}") for n in range(1000)))

    run(cluster, scenario)
    assert cluster.questions == []


def test_callers_with_one_target_share_one_question_and_a_gone_caller_does_not_end_it() -> None:
    cluster = Cluster(w1=GOOD)

    async def scenario(service: InspectService) -> None:
        cluster.gate = asyncio.Event()
        calls = [asyncio.ensure_future(service.refresh("w1")) for _ in range(20)]
        await until(lambda: bool(cluster.questions))
        calls[0].cancel()
        cluster.gate.set()
        await asyncio.gather(*calls, return_exceptions=True)

    service = run(cluster, scenario)
    assert len(cluster.questions) == 1
    assert service.knows("w1")


def test_a_worker_is_asked_at_most_once_a_second_and_the_answer_is_fresh() -> None:
    """S51."""
    cluster = Cluster(w1=GOOD)

    async def scenario(service: InspectService) -> None:
        await service.refresh("w1")
        cluster.workers["w1"] = {**GOOD, "stats": {"pid": 2}}
        begun = time.monotonic()
        await asyncio.gather(*(service.refresh("w1") for _ in range(50)))
        assert 0.8 < time.monotonic() - begun < 3

    service = run(cluster, scenario)
    assert len(cluster.questions) == 2
    assert (service.info("w1") or {})["stats"] == {"pid": 2}


def test_workers_that_arrive_together_are_asked_together() -> None:
    cluster = Cluster(**{f"w{n}": GOOD for n in range(150)})

    async def scenario(service: InspectService) -> None:
        for name in list(cluster.workers):
            service.worker_arrived(name)
            service.worker_arrived(name)
        await until(lambda: len(service.snapshot()) == 150)

    run(cluster, scenario)
    assert [len(destination or ()) for _, destination in cluster.questions] == [100, 50]


def test_a_worker_that_does_not_answer_on_arrival_is_asked_again_but_not_for_ever() -> None:
    cluster = Cluster()

    async def scenario(service: InspectService) -> None:
        service.worker_arrived("late")
        await until(lambda: len(cluster.questions) == 2)
        cluster.workers["late"] = GOOD
        await until(lambda: service.knows("late"))
        cluster.questions.clear()
        cluster.workers.clear()
        service.worker_arrived("never")
        await until(lambda: len(cluster.questions) == 3)
        await asyncio.sleep(0.5)
        assert len(cluster.questions) == 3

    run(cluster, scenario, spacing=0.1)


def test_the_cache_holds_no_more_workers_than_allowed_and_forgets_evicted_ones() -> None:
    cluster = Cluster(**{f"w{n}": GOOD for n in range(10)})

    async def scenario(service: InspectService) -> None:
        await service.refresh()
        assert list(service.snapshot()) == ["w7", "w8", "w9"]
        service.forget("w8")
        assert service.info("w8") is None

    run(cluster, scenario, max_workers=3)


@pytest.mark.parametrize(
    "reply",
    [
        {"stats": [], "conf": "x", "active_queues": {}, "registered": 5},
        {"stats": {"error": "no such command"}, "registered": {"error": "x"}},
        {"active_queues": [{"name": 5}]},
        {"active_queues": ["celery"]},
        {},
    ],
)
def test_replies_of_the_wrong_shape_are_not_kept(reply: dict[str, Any]) -> None:
    service = run(Cluster(w1=reply), lambda service: service.refresh())
    assert service.snapshot() == {}


def test_a_partial_answer_keeps_what_was_known() -> None:
    """R50."""
    cluster = Cluster(w1=GOOD)

    async def scenario(service: InspectService) -> None:
        await service.refresh()
        cluster.workers["w1"] = {"stats": {"pid": 3}}
        await service.refresh()

    service = run(cluster, scenario, spacing=0.1)
    info, times = service.info("w1") or {}, service.times("w1")
    assert (info["stats"], info["registered"]) == ({"pid": 3}, ["shop.add"])
    assert info["timestamp"] == times["stats"] > times["registered"] == times["conf"]
    service.forget("w1")
    assert service.times("w1") == {}


def test_switched_off_it_broadcasts_nothing() -> None:
    cluster = Cluster(w1=GOOD)

    async def scenario(service: InspectService) -> None:
        await service.start()
        service.worker_arrived("w1")
        await service.refresh()
        await service.refresh("w1")
        await asyncio.sleep(0.3)

    assert run(cluster, scenario, enabled=False).enabled is False
    assert cluster.questions == []


def test_an_empty_cluster_is_no_reason_to_log(caplog: pytest.LogCaptureFixture) -> None:
    """R50."""
    with caplog.at_level(logging.INFO):
        run(Cluster(), lambda service: service.refresh())
    assert caplog.records == []


def test_an_outage_keeps_the_cache_and_is_logged_once(caplog: pytest.LogCaptureFixture) -> None:
    cluster = Cluster(w1=GOOD)

    async def scenario(service: InspectService) -> None:
        await service.refresh()
        cluster.failure = Unavailable("Broker or result backend unavailable")
        await service.refresh("w1")
        await service.refresh()

    service = run(cluster, scenario, spacing=0.1)
    assert service.knows("w1")
    assert len(caplog.records) == 1


def test_it_asks_at_the_start_and_periodically() -> None:
    cluster = Cluster(w1=GOOD)

    async def scenario(service: InspectService) -> None:
        await service.start()
        await until(lambda: len(cluster.questions) >= 2)

    run(cluster, scenario, period=0.1, spacing=0.1)
    assert set(cluster.questions) == {(tuple(BASIC_METHODS), None)}


@pytest.mark.parametrize(
    "fault",
    [NotImplementedError("no fanout"), RuntimeError("redis://:canary@h"), type("BotoCoreError", (Exception,), {})()],
)
def test_it_goes_on_asking_whatever_the_transport_raises(fault: Exception, caplog: pytest.LogCaptureFixture) -> None:
    cluster = Cluster(w1=GOOD)

    async def scenario(service: InspectService) -> None:
        cluster.failure = fault
        await service.start()
        service.worker_arrived("w1")
        await until(lambda: len(cluster.questions) >= 3)
        cluster.failure = None
        await until(lambda: service.knows("w1"))
        await service.refresh()

    run(cluster, scenario, period=0.05, spacing=0.01)
    assert [record.levelname for record in caplog.records] == ["WARNING"]
    assert type(fault).__name__ in caplog.text
    assert "canary" not in caplog.text


def test_task_lists_pass_the_formatter_before_they_are_kept() -> None:
    """S57."""
    request = {"id": "a", "args": ["canary"]}
    reply = {
        "active": [request, "canary"],
        "reserved": [request, ["canary"]],
        "scheduled": [{"eta": "x", "priority": 6, "request": request}, request, {"request": "canary"}],
        "revoked": ["r"],
    }
    service = run(
        Cluster(w1=reply),
        lambda service: service.refresh("w1"),
        format_request=lambda request: {**request, "args": "hidden"},
    )
    hidden = {"id": "a", "args": "hidden"}
    info = dict(service.info("w1") or {})
    del info["timestamp"]
    assert info == {
        "active": [hidden],
        "reserved": [hidden],
        "scheduled": [{"eta": "x", "priority": 6, "request": hidden}, hidden],
        "revoked": ["r"],
    }


def test_long_task_lists_leave_the_loop_room_for_others() -> None:
    requests = [{"id": str(number)} for number in range(1000)]
    turns = 0

    async def scenario(service: InspectService) -> None:
        async def count() -> None:
            nonlocal turns
            while True:
                turns += 1
                await asyncio.sleep(0)

        counting = asyncio.ensure_future(count())
        await service.refresh("w1")
        counting.cancel()

    service = run(Cluster(w1={"reserved": requests}), scenario)
    assert (service.info("w1") or {})["reserved"] == requests
    assert turns > 1000 / 100


class Listener:
    """Notes what it hears, and the mark of the question."""

    def __init__(self) -> None:
        self.mark = 0
        self.heard: list[tuple[int, dict[str, Any]]] = []

    def asking(self) -> int:
        self.mark += 1
        return self.mark

    async def answered(self, replies: Mapping[str, Mapping[str, Any]], mark: int) -> None:
        self.heard.append((mark, {hostname: dict(reply) for hostname, reply in replies.items()}))


def test_a_listener_hears_of_the_tasks_that_workers_hold_and_the_cache_does_not() -> None:
    """R30: what is cached of all workers are the four basics, as ever."""
    listener = Listener()
    reply = {**GOOD, "active": [{"id": "a"}], "reserved": [], "scheduled": []}
    cluster = Cluster(w1=reply)

    async def scenario(service: InspectService) -> None:
        await service.refresh()
        service.worker_arrived("w1")
        await until(lambda: len(cluster.questions) == 2)
        assert set(service.info("w1") or {}) == {*BASIC_METHODS, "timestamp"}
        await service.refresh("w1")
        assert (service.info("w1") or {})["active"] == [{"id": "a"}]

    run(cluster, scenario, listener=listener)
    assert [mark for mark, _ in listener.heard] == [1, 2, 3]
    assert all(replies["w1"]["active"] == [{"id": "a"}] for _, replies in listener.heard)
    assert all(set(TASK_LISTS) < set(asked) for asked, _ in cluster.questions)


def test_a_listener_that_fails_is_no_end_of_asking(caplog: pytest.LogCaptureFixture) -> None:
    class Failing(Listener):
        async def answered(self, replies: Mapping[str, Mapping[str, Any]], mark: int) -> None:
            raise KeyError("canary")

    cluster = Cluster(w1=GOOD)

    async def scenario(service: InspectService) -> None:
        await service.start()
        await until(lambda: len(cluster.questions) >= 3)

    run(cluster, scenario, listener=Failing(), period=0.05, spacing=0.01)
    assert len(caplog.records) == 1


def test_workers_are_asked_again_when_events_were_missed_even_while_they_are_asked() -> None:
    """R30"""
    cluster = Cluster(w1=GOOD)

    async def scenario(service: InspectService) -> None:
        cluster.gate = asyncio.Event()
        await service.start()
        await until(lambda: len(cluster.questions) == 1)
        service.renew()
        service.renew()
        cluster.gate.set()
        await until(lambda: len(cluster.questions) == 2)
        await asyncio.sleep(0.1)
        assert len(cluster.questions) == 2
        service.renew()
        await until(lambda: len(cluster.questions) == 3)

    run(cluster, scenario, period=60.0, spacing=0.01)


def test_answers_are_made_fresh_when_they_are_old_and_somebody_asks() -> None:
    cluster = Cluster(w1=GOOD)

    async def scenario(service: InspectService) -> None:
        await service.start()
        await until(lambda: len(cluster.questions) == 1)
        service.freshen()
        await asyncio.sleep(0.1)
        assert len(cluster.questions) == 1
        service.freshen(max_age=0.05)
        await until(lambda: len(cluster.questions) == 2)

    run(cluster, scenario, period=60.0, spacing=0.01)
