"""A broker that dies, hangs, returns or never was there: Flower says so, stays up and loses no time afterwards."""

from __future__ import annotations

import re
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
from kombu.entity import Exchange, Queue
from tests.system.servers import ManagedRabbitServer, RedisServer, Server, free_port
from tests.system.support import Launcher, Publisher, Room, RunningFlower, until

pytestmark = pytest.mark.system

CANARY = "canary-5f2c"
OUTAGE = 6.0
PATHS = (
    "/healthcheck",
    "/readyz",
    "/metrics",
    "/",
    "/workers",
    "/workers?refresh=1",
    "/workers?json=1",
    "/worker/w1@drill",
    "/tasks",
    "/tasks/datatable?draw=1&start=0&length=10&order[0][column]=0",
    "/task/before",
    "/plugins",
    "/api/tasks",
    "/api/task/info/before",
    "/api/task/types",
    "/api/workers",
    "/api/workers?refresh=1",
    "/api/workers?refresh=1&workername=w1@drill",
    "/api/queues/length",
    "/api/plugins",
)


ORDERS = (
    ("/api/worker/shutdown/w1@drill", None),
    ("/api/worker/pool/restart/w1@drill", None),
    ("/api/worker/pool/grow/w1@drill", None),
    ("/api/worker/pool/shrink/w1@drill", None),
    ("/api/worker/pool/autoscale/w1@drill?min=1&max=2", None),
    ("/api/worker/queue/add-consumer/w1@drill?queue=q", None),
    ("/api/worker/queue/cancel-consumer/w1@drill?queue=q", None),
    ("/api/task/timeout/tests.system.cluster.add?workername=w1@drill&soft=1", None),
    ("/api/task/rate-limit/tests.system.cluster.add?workername=w1@drill&ratelimit=1", None),
    ("/api/task/revoke/before", None),
    ("/api/task/abort/before", None),
    ("/api/tasks/revoke", {"ids": ["a", "b"]}),
    ("/api/tasks/revoke-by-stamps", {"stamps": {"a": ["b"]}}),
    ("/api/task/apply/tests.system.cluster.add", {"args": [1, 2], "queue": "drill"}),
    ("/api/task/async-apply/tests.system.cluster.add", {"args": [1, 2], "queue": "drill"}),
    ("/api/task/send-task/tests.system.cluster.add", {"args": [1, 2], "queue": "drill"}),
)
QUESTIONS = (
    "/api/task/result/before",
    "/api/task/result/before?timeout=60",
    "/api/task/query/before",
    "/api/worker/report/w1@drill",
    "/api/worker/memsample/w1@drill",
)


@dataclass
class Drill:
    """A Flower that watches a broker of its own."""

    server: Server
    flower: RunningFlower


@pytest.fixture(scope="module", params=[RedisServer, ManagedRabbitServer])
def drill(request: pytest.FixtureRequest, launch_once: Launcher, tmp_path_factory: pytest.TempPathFactory) -> Any:
    kind: type[Server] = request.param
    if kind.missing():
        pytest.skip(kind.missing())
    server = kind(launch_once, tmp_path_factory.mktemp("broker"))
    try:
        server.start()
        flower = launch_once.flower(server.room, *server.options)
        until(lambda: flower.get("/readyz").status_code == 200, "events flow")
        show(flower, server.room, "before")
        yield Drill(server, flower)
        assert flower.process.stop() == 0
    finally:
        server.close()


def show(flower: RunningFlower, room: Room, uuid: str, seconds: float = 10.0) -> None:
    """Send events until one of them is visible."""
    head = {"hostname": "w1@drill", "timestamp": time.time(), "clock": 1}

    def visible() -> bool:
        with Publisher(room) as publisher:
            publisher.send({**head, "type": "worker-heartbeat", "freq": 60})
            publisher.send({**head, "type": "task-received", "uuid": uuid, "name": "shop.pay"})
        return flower.get(f"/api/task/info/{uuid}").status_code == 200

    until(visible, f"an event of {uuid} is visible", seconds)


def all_answered(flower: RunningFlower, seconds: float = 5.0) -> dict[str, httpx.Response]:
    """Ask for everything at once and return the answers, each in time and none a failure."""

    def ask(path: str) -> httpx.Response:
        asked = time.monotonic()
        response = flower.get(path)
        assert time.monotonic() - asked <= seconds, path
        assert response.status_code in (200, 404, 503, 504), (path, response.status_code, response.text[:500])
        return response

    with ThreadPoolExecutor(len(PATHS)) as threads:
        return dict(zip(PATHS, threads.map(ask, PATHS), strict=True))


def all_unavailable(flower: RunningFlower, seconds: float = 5.0) -> None:
    """Give every order and ask every question at once: each is answered in time, with 503."""

    def give(path: str, body: Any = ...) -> None:
        asked = time.monotonic()
        response = flower.get(path) if body is ... else flower.client.post(path, json=body)
        assert time.monotonic() - asked <= seconds, path
        assert response.status_code == 503, (path, response.status_code, response.text[:500])
        assert response.text, path

    with ThreadPoolExecutor(len(ORDERS) + len(QUESTIONS)) as threads:
        given = [threads.submit(give, path, body) for path, body in ORDERS]
        for each in [*given, *(threads.submit(give, path) for path in QUESTIONS)]:
            each.result()


def works_again(flower: RunningFlower, seconds: float = 2.0) -> None:
    """Publish a task and read its state."""

    def published() -> str | None:
        response = flower.client.post("/api/task/send-task/tests.system.cluster.add", json={"queue": "drill"})
        return response.json()["task-id"] if response.status_code == 200 else None

    task_id = until(published, "a task is published", seconds)
    until(lambda: flower.get(f"/api/task/result/{task_id}").status_code == 200, "results are read", seconds)
    assert flower.client.post(f"/api/task/revoke/{task_id}").status_code == 200


def waiting(room: Room) -> int:
    """Return how many tasks wait in the drill's queue."""
    with room.app().connection_for_read() as connection:
        queue = Queue("drill", Exchange("drill", type="direct"), routing_key="drill")(connection.default_channel)
        queue.declare()
        return int(queue.queue_declare(passive=True).message_count)


def measured(flower: RunningFlower, metric: str) -> float:
    found = re.search(rf"^{metric} (\S+)$", flower.get("/metrics").text, re.MULTILINE)
    assert found, metric
    return float(found[1])


def test_a_broker_that_hangs_holds_nobody_up(drill: Drill) -> None:
    """R19, R23"""
    server, flower = drill.server, drill.flower
    server.hang()
    try:
        until(lambda: flower.get("/readyz").status_code == 503, "it is noticed", 12)
        all_answered(flower)
        all_unavailable(flower)
    finally:
        server.resume()
    works_again(flower)
    until(lambda: flower.get("/api/queues/length").status_code == 200, "the broker is asked again", 2)
    assert waiting(server.room) == 1  # what was answered with 503 is not published later
    assert flower.get("/worker/w1@drill").status_code == 200
    show(flower, server.room, "after hanging", 5.0)
    assert len(list(Path(f"/proc/{flower.process.popen.pid}/task").iterdir())) < 40


def test_a_broker_that_is_killed_and_returns(drill: Drill) -> None:
    """R20, R21, R22, R23, R24, R27"""
    server, flower = drill.server, drill.flower
    until(lambda: flower.get("/readyz").status_code == 200, "events flow")
    said, gaps = len(flower.process.output().splitlines()), measured(flower, "flower_event_gaps_total")
    server.kill()
    died = time.monotonic()
    while time.monotonic() - died < OUTAGE:
        assert flower.get("/healthcheck").text == "OK"
        assert flower.get("/readyz").status_code == 503 or time.monotonic() - died < 10
    assert flower.get("/readyz").text.startswith("no event stream: ")
    assert "No events arrive" in flower.get("/tasks").text
    assert measured(flower, "flower_event_stream_up") == 0
    assert measured(flower, "flower_event_gaps_total") == gaps + 1
    all_answered(flower)
    all_unavailable(flower)

    server.start()
    works_again(flower)
    show(flower, server.room, "after dying", 5.0)
    assert flower.get("/readyz").text == "OK"
    assert measured(flower, "flower_event_stream_up") == 1
    assert measured(flower, "flower_event_gaps_total") == gaps + 1
    page = flower.get("/tasks").text
    assert "No events arrive" not in page
    assert "Events missing" in page
    lines = [line for line in flower.process.output().splitlines()[said:] if " audit:" not in line]
    assert len(lines) <= 20, lines
    assert sum("Event stream lost" in line for line in lines) == 1
    assert sum("Event stream restored after" in line for line in lines) == 1
    assert flower.json("/api/task/info/before")["task-id"] == "before"


@pytest.mark.parametrize("fault", ["hang", "kill"])
def test_a_result_backend_that_fails_concerns_results_alone(
    launch: Launcher, tmp_path: Path, redis_room: Room, fault: str
) -> None:
    """R19, R20, S50: tasks are still sent; whoever needs a result is told, and nothing is published for them."""
    if RedisServer.missing():
        pytest.skip(RedisServer.missing())
    backend = RedisServer(launch, tmp_path)
    backend.start()
    room = Room(redis_room.url, backend.room.url)
    flower = launch.flower(room)
    until(lambda: flower.get("/readyz").status_code == 200, "events flow")
    works_again(flower, 10)
    before = waiting(room)
    with ThreadPoolExecutor(1) as threads:
        waits = threads.submit(flower.get, "/api/task/result/nobody?timeout=60", timeout=70)
        until(
            lambda: flower.get("/api/task/result/nobody").json() == {"task-id": "nobody", "state": "PENDING"},
            "it waits",
        )
        getattr(backend, fault)()
        failed = time.monotonic()
        assert waits.result(20).status_code == 503
        assert time.monotonic() - failed <= 5.5
    for method, path in (
        ("GET", "/api/task/result/nobody"),
        ("POST", "/api/task/abort/nobody"),
        ("POST", '/api/task/apply/tests.system.cluster.add?args=[1,2]&options={"queue":"drill"}'),
    ):
        asked = time.monotonic()
        response = flower.client.request(method, path)
        assert (response.status_code, response.text) == (503, "Broker or result backend unavailable"), path
        assert time.monotonic() - asked <= 5, path
    assert waiting(room) == before
    sent = flower.client.post("/api/task/send-task/tests.system.cluster.add", json={"queue": "drill"})
    assert sent.status_code == 200
    assert waiting(room) == before + 1
    if fault == "hang":
        backend.resume()
    else:
        backend.start()
    works_again(flower)
    assert flower.process.stop() == 0


@pytest.mark.parametrize("scheme", ["redis", "amqp"])
def test_flower_starts_without_a_broker(launch: Launcher, scheme: str) -> None:
    """R25"""
    url = f"{scheme}://flower:{CANARY}@127.0.0.1:{free_port()}/0"
    flower = launch.flower(Room(url, "cache+memory://"))
    until(lambda: "Event stream lost" in flower.process.output(), "it is said that there are no events", 10)
    refused(flower)


def test_a_wrong_password_is_reported_and_not_shown(launch: Launcher, tmp_path: Path) -> None:
    """R25"""
    if RedisServer.missing():
        pytest.skip(RedisServer.missing())
    server = RedisServer(launch, tmp_path, password="right")
    server.start()
    url = server.room.url.replace("right", CANARY)
    flower = launch.flower(Room(url, url))
    until(
        lambda: re.search("(?i)Event stream lost: .*(password|credentials)", flower.process.output()),
        "the reason is logged",
        10,
    )
    refused(flower)


def refused(flower: RunningFlower) -> None:
    """What holds as long as there never was a broker."""
    answers = all_answered(flower)
    assert answers["/healthcheck"].text == "OK"
    assert answers["/readyz"].status_code == 503
    assert answers["/readyz"].text.startswith("no event stream: ")
    assert answers["/tasks"].status_code == answers["/workers"].status_code == 200
    assert [path for path, answer in answers.items() if CANARY in answer.text] == []
    assert CANARY not in flower.process.output()
    assert flower.process.stop() == 0
