"""The write side of the API against real prefork workers, on Redis and on RabbitMQ: what is checked is the effect."""

from __future__ import annotations

import asyncio
import json
import re
import signal
import time
import uuid
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import httpx
import pytest
from tests.system.support import Launcher, Process, Publisher, Room, RunningFlower, until

pytestmark = pytest.mark.system

PROJECT = "tests.system.cluster"
WORKER = "w1@test"
SCALING = "scaling@test"


class Desk:
    """Flower's API, and what the workers say when they are asked past it."""

    visitor: Process

    def __init__(self, flower: RunningFlower, room: Room, launch: Launcher) -> None:
        self.flower, self.room, self.launch = flower, room, launch
        self._app = room.app()

    def post(self, path: str, **more: Any) -> httpx.Response:
        return self.flower.client.post(path, **more)

    def done(self, path: str, **more: Any) -> Any:
        """Return the answer of a POST that must be 200."""
        response = self.post(path, **more)
        assert response.status_code == 200, (path, response.status_code, response.text)
        return response.json()

    def run(self, task: str, *args: Any, **options: Any) -> str:
        """Send a task of the project through the API and return its id."""
        answer = self.done(f"/api/task/async-apply/{PROJECT}.{task}", json={"args": list(args), **options})
        return str(answer["task-id"])

    def result(self, task_id: str, timeout: float = 15) -> Any:
        return self.flower.json(f"/api/task/result/{task_id}?timeout={timeout}")

    def info(self, task_id: str, state: str) -> Any:
        """Return the task as events show it, once it is in that state."""

        def look() -> Any:
            response = self.flower.get(f"/api/task/info/{task_id}")
            return response.status_code == 200 and response.json()["state"] == state and response.json()

        return until(look, f"{task_id} is {state}")

    def inspect(self, method: str, *args: Any, worker: str = WORKER) -> Any:
        """Return a worker's own word, asked for by Celery and not by Flower."""
        question = self._app.control.inspect([worker], timeout=5)
        return (getattr(question, method)(*args) or {}).get(worker)

    def processes(self, worker: str = WORKER) -> list[int]:
        found: list[int] = self.inspect("stats", worker=worker)["pool"]["processes"]
        return found

    def queues(self, worker: str = WORKER) -> list[str]:
        return [queue["name"] for queue in self.inspect("active_queues", worker=worker) or ()]

    def limits(self, task: str) -> str:
        (found,) = (
            entry
            for entry in self.inspect("registered", "time_limit", "soft_time_limit", "rate_limit")
            if re.match(rf"{PROJECT}\.{task}\b", entry)
        )
        return str(found.partition(" ")[2])

    @contextmanager
    def guest(self, kind: str) -> Iterator[str]:
        """Start one more worker, of a queue of its own, and yield its name once its heartbeat came."""
        name = f"{kind}{uuid.uuid4().hex[:6]}"
        worker = self.launch.worker(self.room, name, "-Q", kind)
        until(lambda: self.flower.json("/api/workers?status=1").get(f"{name}@test"), "its heartbeat came")
        self.visitor = worker
        try:
            yield f"{name}@test"
        finally:
            if worker.popen.poll() is None:
                worker.popen.send_signal(signal.SIGCONT)
                worker.stop(signal.SIGQUIT)

    def audit(self) -> list[dict[str, Any]]:
        lines = self.flower.process.output().splitlines()
        return [json.loads(line[line.index("{") :]) for line in lines if " audit:" in line]


@pytest.fixture(scope="module", params=["redis_room", "rabbit_room"])
def room(request: pytest.FixtureRequest) -> Any:
    return request.getfixturevalue(request.param)


@pytest.fixture(scope="module")
def desk(launch_once: Launcher, room: Room) -> Iterator[Desk]:
    flower = launch_once.flower(room)
    workers = [
        launch_once.worker(room),
        launch_once.worker(room, "scaling", "--autoscale=3,1", "-Q", "scaling"),
    ]
    for name in (WORKER, SCALING):
        until(lambda name=name: flower.json("/api/workers?status=1").get(name), f"{name} is online")  # type: ignore[misc]
    yield Desk(flower, room, launch_once)
    for worker in workers:
        worker.stop()
    assert flower.process.stop() == 0


def test_a_pool_grows_and_shrinks(desk: Desk) -> None:
    before = len(desk.processes())
    answer = desk.done(f"/api/worker/pool/grow/{WORKER}?n=2")
    assert answer == {"message": f"Growing '{WORKER}' worker's pool by 2"}
    until(lambda: len(desk.processes()) == before + 2, "the pool grew")
    answer = desk.done(f"/api/worker/pool/shrink/{WORKER}", data={"n": 2})
    assert answer == {"message": f"Shrinking '{WORKER}' worker's pool by 2"}
    until(lambda: len(desk.processes()) == before, "the pool shrank")


def test_the_last_process_is_not_taken(desk: Desk) -> None:
    """S61"""
    size = len(desk.processes())
    assert desk.post(f"/api/worker/pool/shrink/{WORKER}?n={size}").status_code == 400
    assert desk.result(desk.run("add", 1, 1))["result"] == 2
    assert len(desk.processes()) == size


def test_a_pool_is_restarted(desk: Desk) -> None:
    """On a worker of its own: Celery's prefork pool is not reliable after that, and may keep one old process."""
    with desk.guest("restarted") as name:
        before = desk.processes(name)
        assert desk.done(f"/api/worker/pool/restart/{name}") == {"message": f"Restarting '{name}' worker's pool"}
        until(lambda: set(desk.processes(name)) - set(before), "a process is new")


def test_a_pool_with_autoscaling_is_bounded(desk: Desk) -> None:
    answer = desk.done(f"/api/worker/pool/autoscale/{SCALING}", data={"min": 2, "max": 4})
    assert answer == {"message": f"Autoscaling '{SCALING}' worker (min=2, max=4)"}
    until(lambda: len(desk.processes(SCALING)) == 2, "the pool has its new minimum")
    assert desk.post(f"/api/worker/pool/autoscale/{SCALING}?min=5&max=4").status_code == 400


def test_a_worker_without_autoscaling_refuses_with_its_own_words(desk: Desk) -> None:
    response = desk.post(f"/api/worker/pool/autoscale/{WORKER}?min=1&max=3")
    refusal = f"Failed to autoscale '{WORKER}' worker: ValueError('Autoscale not enabled')"
    assert (response.status_code, response.text) == (403, refusal)
    assert response.headers["Content-Type"] == "text/plain; charset=UTF-8"


def test_a_queue_is_consumed_and_left(desk: Desk) -> None:
    """The task in it runs only while the worker consumes from it."""
    queue = f"a&b<{uuid.uuid4().hex[:6]}>"
    answer = desk.done(f"/api/worker/queue/add-consumer/{WORKER}", data={"queue": queue})
    assert answer == {"message": f"add consumer {queue}"}
    until(lambda: queue in desk.queues(), "the queue is consumed")
    assert desk.result(desk.run("add", 3, 4, queue=queue))["result"] == 7
    answer = desk.done(f"/api/worker/queue/cancel-consumer/{WORKER}", params={"queue": queue})
    assert answer == {"message": f"no longer consuming from {queue}"}
    until(lambda: queue not in desk.queues(), "the queue is left")
    waiting = desk.run("add", 5, 6, queue=queue)
    assert desk.result(waiting, 1.5) == {"task-id": waiting, "state": "PENDING"}
    desk.done(f"/api/worker/queue/add-consumer/{WORKER}", data={"queue": queue})
    assert desk.result(waiting)["result"] == 11
    desk.done(f"/api/worker/queue/cancel-consumer/{WORKER}", params={"queue": queue})


def test_time_limits_are_set_and_one_keeps_the_other(desk: Desk) -> None:
    path = f"/api/task/timeout/{PROJECT}.pay"
    answer = desk.done(path, data={"soft": 30, "hard": 100, "workername": WORKER})
    assert answer == {"message": "time limits set successfully"}
    assert desk.limits("pay") == "[time_limit=100.0 soft_time_limit=30.0]"
    desk.done(path, data={"soft": 20, "workername": WORKER})
    assert desk.limits("pay") == "[time_limit=100.0 soft_time_limit=20.0]"
    desk.done(path, data={"hard": 50, "workername": WORKER})
    assert desk.limits("pay") == "[time_limit=50.0 soft_time_limit=20.0]"
    assert desk.post(path, data={"hard": 10, "workername": WORKER}).status_code == 400
    assert desk.limits("pay") == "[time_limit=50.0 soft_time_limit=20.0]"
    desk.done(path, data={"soft": 0, "workername": WORKER})
    assert desk.limits("pay") == "[time_limit=50.0]"
    desk.done(path, data={"workername": WORKER})
    assert desk.limits("pay") == ""


def test_a_rate_limit_is_set_and_a_bad_one_refused_by_the_worker(desk: Desk) -> None:
    path = f"/api/task/rate-limit/{PROJECT}.pay"
    answer = desk.done(path, data={"workername": WORKER, "ratelimit": "200/m"})
    assert answer == {"message": "new rate limit set successfully"}
    assert desk.limits("pay") == "[rate_limit=200/m]"
    response = desk.post(path, data={"workername": WORKER, "ratelimit": "garbage"})
    words = """Invalid rate limit string: ValueError("could not convert string to float: 'garbage'")"""
    assert (response.status_code, response.text) == (403, f"Failed to set rate limit: '{words}'")
    assert desk.post(path, data={"workername": WORKER, "ratelimit": "-1"}).status_code == 400
    assert desk.limits("pay") == "[rate_limit=200/m]"
    desk.done(path, data={"workername": WORKER, "ratelimit": "0"})


def test_apply_waits_for_the_result(desk: Desk) -> None:
    path = f"/api/task/apply/{PROJECT}"
    told = desk.done(f"{path}.add", json={"args": [1, 2]})
    assert told == {"task-id": told["task-id"], "state": "SUCCESS", "result": 3}
    assert desk.info(told["task-id"], "SUCCESS")["result"] == "3"
    failed = desk.done(f"{path}.fail", json={"kwargs": {"message": "no such order"}})
    assert (failed["state"], failed["result"]) == ("FAILURE", "ValueError('no such order')")
    assert failed["traceback"].startswith("Traceback (most recent call last)")
    asked = time.monotonic()
    slow = desk.done(f"{path}.nap", json={"args": [2], "timeout": 0.3})
    assert time.monotonic() - asked < 1.5
    assert "result" not in slow
    assert desk.result(slow["task-id"]) == {"task-id": slow["task-id"], "state": "SUCCESS", "result": "slept 2"}


def test_the_state_belongs_to_the_result(desk: Desk) -> None:
    """It is read after the wait: a task that finishes meanwhile is not called PENDING or STARTED."""
    task_id = desk.run("nap", 1)
    assert desk.result(task_id, 0)["state"] != "SUCCESS"
    assert desk.result(task_id) == {"task-id": task_id, "state": "SUCCESS", "result": "slept 1"}


def test_a_task_is_sent_by_name_with_its_options(desk: Desk) -> None:
    task_id = f"chosen-{uuid.uuid4().hex[:8]}"
    eta = datetime.now(timezone.utc) + timedelta(seconds=1.5)
    body = {
        "args": [20],
        "kwargs": {"b": 22},
        "task_id": task_id,
        "eta": eta.isoformat(),
        "options": {"priority": 3, "expires": 60, "headers": {"tenant": "acme"}, "link": f"{PROJECT}.fail"},
    }
    answer = desk.done(f"/api/task/send-task/{PROJECT}.add", json=body)
    assert answer == {"task-id": task_id, "state": "PENDING"}
    assert desk.result(task_id)["result"] == 42
    info = desk.info(task_id, "SUCCESS")
    assert info["started"] >= eta.timestamp()
    assert info["expires"]
    linked = until(lambda: desk.info(task_id, "SUCCESS")["children"], "the linked task ran")
    assert desk.info(linked[0], "FAILURE")["exception"] == "ValueError(42)"


def test_a_name_that_nobody_knows_is_published(desk: Desk) -> None:
    queue = f"nobody-{uuid.uuid4().hex[:6]}"
    desk.done("/api/task/send-task/no.such.task", json={"queue": queue})
    with desk.room.app().connection_for_read() as connection:
        message = connection.SimpleQueue(queue).get(timeout=10)
        assert message.headers["task"] == "no.such.task"
        message.ack()


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        ("async-apply/no.such.task", "{}", 404),
        ("apply/no.such.task", "{}", 404),
        (f"async-apply/{PROJECT}.add", '{"args": [1]}', 400),
        (f"async-apply/{PROJECT}.add", '{"args": [1, 2], "connection": "x"}', 400),
        (f"send-task/{PROJECT}.add", '{"args": [1, 2], "serializer": "pickle"}', 400),
        (f"send-task/{PROJECT}.add", '{"args": [1, 2], "serializer": "yaml"}', 400),
        (f"send-task/{PROJECT}.add", '{"args": [1, 2], "compression": "rot13"}', 400),
        (f"send-task/{PROJECT}.add", '{"args": [1, 2], "headers": {"task": "other"}}', 400),
        (f"send-task/{PROJECT}.add", '{"args": [1, 2], "countdown": NaN}', 400),
        (f"send-task/{PROJECT}.add", '{"args": [1, 2], "queue": "amq.gen"}', 400),
        (f"send-task/{PROJECT}.add", '{"args": [1, 2], "countdown": 1, "eta": "2030-01-01T00:00:00Z"}', 400),
        (f"send-task/{PROJECT}.add", '{"args": ' + "[" * 10_000, 400),
    ],
)
def test_nothing_is_published_when_a_request_is_refused(desk: Desk, path: str, body: str, status: int) -> None:
    """S48, S49. A task sent behind it is the next that the workers hear of."""

    def heard() -> set[str]:
        return set(desk.flower.json("/api/tasks"))

    desk.info(desk.run("add", 0, 0), "SUCCESS")
    before = heard()
    response = desk.post(f"/api/task/{path}", content=body)
    assert (response.status_code, bool(response.text)) == (status, True)
    after = desk.run("add", 0, 1)
    desk.info(after, "SUCCESS")
    assert heard() - before == {after}


def test_a_running_task_is_terminated(desk: Desk) -> None:
    task_id = desk.run("nap", 60)
    until(lambda: [task["id"] for task in desk.inspect("active")] == [task_id], "the task runs")
    assert desk.done(f"/api/task/revoke/{task_id}?terminate=true&signal=SIGKILL") == {"message": f"Revoked '{task_id}'"}
    until(lambda: desk.inspect("active") == [], "the task no longer runs")
    assert desk.info(task_id, "REVOKED")["revoked"]
    assert desk.result(task_id)["state"] == "REVOKED"


def test_a_waiting_task_is_revoked(desk: Desk) -> None:
    task_id = desk.run("add", 1, 1, countdown=2)
    desk.done(f"/api/task/revoke/{task_id}")
    assert desk.info(task_id, "REVOKED")["started"] is None


def test_several_tasks_are_revoked_at_once(desk: Desk) -> None:
    ids = [desk.run("nap", 60) for _ in range(2)]
    for task_id in ids:
        desk.info(task_id, "STARTED")
    answer = desk.done("/api/tasks/revoke", json={"ids": ids, "terminate": True})
    assert answer["outcomes"] == {task_id: {"status": 200, "message": f"Revoked '{task_id}'"} for task_id in ids}
    for task_id in ids:
        desk.info(task_id, "REVOKED")


def test_tasks_are_revoked_by_their_stamps(desk: Desk) -> None:
    stamp = uuid.uuid4().hex
    app = desk.room.app()
    signature = app.signature(f"{PROJECT}.nap", args=(60,))
    signature.stamp(tenant=stamp)
    result = signature.apply_async()
    desk.info(result.id, "STARTED")
    desk.done("/api/tasks/revoke-by-stamps", json={"stamps": {"tenant": [stamp]}, "terminate": True})
    desk.info(result.id, "REVOKED")


def test_a_task_is_aborted_where_results_are_stored(desk: Desk) -> None:
    task_id = uuid.uuid4().hex
    response = desk.post(f"/api/task/abort/{task_id}")
    if desk.room.backend == "rpc://":
        assert (response.status_code, "rpc://" in response.text) == (503, True)
        return
    assert response.json() == {"message": f"Aborted '{task_id}'"}
    assert desk.room.app().AsyncResult(task_id).state == "ABORTED"


def test_workers_say_who_holds_a_task(desk: Desk) -> None:
    task_id = desk.run("nap", 60)
    desk.info(task_id, "STARTED")
    held = desk.flower.json(f"/api/task/query/{task_id}")
    assert held["workers"][WORKER]["state"] == "active"
    assert held["workers"][WORKER]["request"]["name"] == f"{PROJECT}.nap"
    assert desk.flower.json("/api/task/query/nobody") == {"task-id": "nobody", "workers": {}}
    desk.done(f"/api/task/revoke/{task_id}?terminate=1")


def test_a_worker_reports_of_itself(desk: Desk) -> None:
    report = desk.flower.json(f"/api/worker/report/{WORKER}")["report"]
    assert "software -> celery:" in report
    assert "guest:guest" not in report
    memory = desk.flower.json(f"/api/worker/memsample/{WORKER}")["memory"]
    assert memory == desk.inspect("memsample")


def test_several_workers_obey_at_once_and_each_has_an_outcome(desk: Desk) -> None:
    queue = f"shared-{uuid.uuid4().hex[:6]}"
    body: Mapping[str, Any] = {"workers": [WORKER, SCALING, "nobody@test"], "queue": queue}
    response = desk.post("/api/workers/queue/add-consumer", json=body)
    assert response.status_code == 207
    assert response.json()["outcomes"] == {
        WORKER: {"status": 200, "message": f"add consumer {queue}"},
        SCALING: {"status": 200, "message": f"add consumer {queue}"},
        "nobody@test": {"status": 404, "message": "Unknown worker 'nobody@test'"},
    }
    for name in (WORKER, SCALING):
        until(lambda name=name: queue in desk.queues(name), f"{name} consumes")  # type: ignore[misc]
    assert desk.post(
        "/api/workers/queue/cancel-consumer", json={"workers": [WORKER, SCALING], "queue": queue}
    ).is_success


def test_a_worker_obeys_within_two_seconds_of_its_first_heartbeat(desk: Desk) -> None:
    """R28, R29"""
    assert desk.post("/api/worker/pool/grow/late@test").status_code == 404
    with desk.guest("late") as name:
        until(lambda: desk.post(f"/api/worker/pool/grow/{name}").status_code == 200, "it obeys", 2.0)
        assert desk.done(f"/api/worker/shutdown/{name}") == {"message": "Shutting down!"}
        assert desk.visitor.popen.wait(20) == 0
    until(lambda: desk.flower.json("/api/workers?status=1")[name] is False, "it is seen leaving")
    for action in ("shutdown", "pool/grow", "pool/restart"):
        response = desk.post(f"/api/worker/{action}/{name}")
        assert (response.status_code, response.text) == (409, f"Worker '{name}' is offline")


def test_a_worker_that_does_not_answer_is_a_504(desk: Desk) -> None:
    """R29"""
    with desk.guest("deaf") as name:
        desk.visitor.popen.send_signal(signal.SIGSTOP)  # it counts as alive until its heartbeats are missed
        asked = time.monotonic()
        response = desk.post(f"/api/worker/pool/grow/{name}")
        refusal = f"Failed to grow '{name}' worker's pool: no reply within 3 s"
        assert (response.status_code, response.text) == (504, refusal)
        assert time.monotonic() - asked < 5


def test_silent_workers_hold_up_nobody_else(desk: Desk) -> None:
    """R29, S50"""
    silent = [f"silent{number}@test" for number in range(100)]
    with Publisher(desk.room) as publisher:
        for name in silent:
            publisher.send({"hostname": name, "timestamp": time.time(), "type": "worker-heartbeat", "freq": 60})
    until(lambda: desk.flower.json("/api/workers?status=1").keys() >= set(silent), "their heartbeats came")
    with ThreadPoolExecutor() as pool:
        order = pool.submit(desk.post, "/api/workers/pool/grow", json={"workers": silent})
        time.sleep(0.5)  # not to wait for something: to be in the middle of it
        asked = time.monotonic()
        desk.run("add", 1, 2)
        desk.done("/api/task/revoke/nobody")
        desk.flower.json("/api/task/result/nobody")
        assert time.monotonic() - asked < 2
        outcomes = order.result(10).json()["outcomes"]
    assert {told["status"] for told in outcomes.values()} == {504}


def test_every_attempt_leaves_one_line_of_audit(desk: Desk) -> None:
    """S53"""
    before = len(desk.audit())
    desk.done(f"/api/worker/queue/add-consumer/{WORKER}?queue=audited")
    desk.done(f"/api/worker/queue/cancel-consumer/{WORKER}?queue=audited")
    desk.post("/api/worker/pool/grow/nobody@test")
    desk.post(f"/api/worker/pool/grow/{WORKER}", headers={"Sec-Fetch-Site": "cross-site"})
    desk.post("/api/workers/pool/shrink", json={"workers": ["nobody@test"]})
    desk.flower.get(f"/api/worker/report/{WORKER}")
    lines = until(lambda: len(desk.audit()) >= before + 5 and desk.audit()[before:], "all are written")
    assert [(line["action"], line["target"], line["orders"], line["outcome"]) for line in lines] == [
        ("add consumer", f"/api/worker/queue/add-consumer/{WORKER}", [f"add-consumer {WORKER} audited"], "ok"),
        ("cancel consumer", f"/api/worker/queue/cancel-consumer/{WORKER}", [f"cancel-consumer {WORKER} audited"], "ok"),
        ("grow pool", "/api/worker/pool/grow/nobody@test", [], "failed: 404"),
        ("grow pool", f"/api/worker/pool/grow/{WORKER}", [], "refused: Cross-site request forbidden"),
        ("shrink pools", "/api/workers/pool/shrink", ["pool-shrink nobody@test"], "partly"),
    ]
    for line in lines:
        assert datetime.fromisoformat(line["time"]).utcoffset() == timedelta(0)
        assert (line["method"], line["address"]) == ("POST", "127.0.0.1")


def test_fifty_waiting_clients_hold_up_nobody(desk: Desk) -> None:
    """S50"""
    threads = Path(f"/proc/{desk.flower.process.popen.pid}/task")
    before = len(list(threads.iterdir()))

    async def scenario() -> None:
        limits = httpx.Limits(max_connections=200)
        async with httpx.AsyncClient(base_url=desk.flower.url, timeout=40, limits=limits) as client:
            ids = [uuid.uuid4().hex for _ in range(50)]
            waits = [asyncio.ensure_future(client.get(f"/api/task/result/{each}?timeout=30")) for each in ids]
            applied = asyncio.ensure_future(client.post(f"/api/task/apply/{PROJECT}.nap", json={"args": [2]}))
            slowest = 0.0
            until_then = time.monotonic() + 3
            while time.monotonic() < until_then:
                for path in ("/healthcheck", f"/api/task/result/{ids[0]}", "/api/workers", "/api/tasks?limit=5"):
                    asked = time.monotonic()
                    assert (await client.get(path)).status_code == 200
                    slowest = max(slowest, time.monotonic() - asked)
                asked = time.monotonic()
                grown = await client.post(f"/api/worker/queue/cancel-consumer/{WORKER}?queue=none")
                assert grown.status_code == 200
                slowest = max(slowest, time.monotonic() - asked)
            assert slowest < 1
            assert (await applied).json()["result"] == "slept 2"
            assert not any(wait.done() for wait in waits)
            for wait in waits:
                wait.cancel()
            await asyncio.gather(*waits, return_exceptions=True)

    asyncio.run(scenario())
    assert len(list(threads.iterdir())) - before < 25
