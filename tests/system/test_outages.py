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
    finally:
        server.resume()
    until(lambda: flower.get("/api/queues/length").status_code == 200, "the broker is asked again", 2)
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

    server.start()
    show(flower, server.room, "after dying", 5.0)
    assert flower.get("/readyz").text == "OK"
    assert measured(flower, "flower_event_stream_up") == 1
    assert measured(flower, "flower_event_gaps_total") == gaps + 1
    page = flower.get("/tasks").text
    assert "No events arrive" not in page
    assert "Events missing" in page
    lines = flower.process.output().splitlines()[said:]
    assert len(lines) <= 20, lines
    assert sum("Event stream lost" in line for line in lines) == 1
    assert sum("Event stream restored after" in line for line in lines) == 1
    assert flower.json("/api/task/info/before")["task-id"] == "before"


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
