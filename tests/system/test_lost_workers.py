"""A worker that dies or hangs in the middle of a task: the task is marked until the worker is back. R31"""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path
from typing import Any

import pytest
from tests.system.servers import RabbitServer, RedisServer, Server
from tests.system.support import Launcher, Room, RunningFlower, until

pytestmark = pytest.mark.system

NAP = "tests.system.cluster.nap"
WINDOW = 4.0  # a worker beats every two seconds and is offline after two beats


@pytest.fixture(params=["private_redis", "rabbit_room"])
def room(request: pytest.FixtureRequest) -> Any:
    return request.getfixturevalue(request.param)


def task(flower: RunningFlower, uuid: str) -> dict[str, Any]:
    response = flower.get(f"/api/task/info/{uuid}")
    found: dict[str, Any] = response.json() if response.status_code == 200 else {}
    return found


def lost(flower: RunningFlower, uuid: str) -> bool:
    return task(flower, uuid).get("worker_lost") is True


def started(flower: RunningFlower, room: Room) -> str:
    uuid: str = room.app().send_task(NAP, (60,)).id
    until(lambda: task(flower, uuid).get("state") == "STARTED", "the task runs")
    return uuid


def online(flower: RunningFlower) -> bool:
    return flower.json("/api/workers?status=1").get("w1@test") is True


def test_the_task_of_a_killed_worker_is_marked_until_the_worker_returns(launch: Launcher, room: Room) -> None:
    flower = launch.flower(room)
    worker = launch.worker(room)
    uuid = started(flower, room)
    ended = room.app().send_task("tests.system.cluster.add", (1, 1)).id
    until(lambda: task(flower, ended).get("state") == "SUCCESS", "another task has ended")
    assert not lost(flower, uuid)
    before = flower.get("/api/tasks")

    os.killpg(worker.popen.pid, signal.SIGKILL)
    until(lambda: not online(flower), "the worker is offline", 15)
    offline = time.monotonic()
    until(lambda: lost(flower, uuid), "the task is marked", 2 * WINDOW)
    assert time.monotonic() - offline <= 2 * WINDOW
    assert task(flower, uuid)["state"] == "STARTED"
    assert "worker_lost" not in task(flower, ended)
    after = flower.get("/api/tasks", headers={"If-None-Match": before.headers["Etag"]})
    assert after.status_code == 200
    assert [key for key, one in after.json().items() if one.get("worker_lost")] == [uuid]
    assert list(flower.json("/api/tasks?search=is:lost")) == [uuid]
    assert "Worker lost" in flower.get(f"/task/{uuid}").text
    assert flower.get("/tasks?search=is:lost").text.count(f'id="task-{uuid}"') == 1

    launch.worker(room)
    until(lambda: online(flower) and not lost(flower, uuid), "the mark is gone")
    # The new process does not have the task, and says so when it is asked.
    until(lambda: task(flower, uuid).get("worker_restarted"), "the task is marked as left behind", 5)
    assert "Worker restarted" in flower.get(f"/task/{uuid}").text
    assert list(flower.json("/api/tasks?search=is:lost")) == [uuid]


def test_a_worker_that_is_started_anew_at_once_leaves_its_task_behind(launch: Launcher, room: Room) -> None:
    flower = launch.flower(room)
    worker = launch.worker(room)
    uuid = started(flower, room)
    os.killpg(worker.popen.pid, signal.SIGKILL)
    launch.worker(room)
    until(lambda: task(flower, uuid).get("worker_restarted"), "the task is marked", 2 * WINDOW)
    after = started(flower, room)
    flower.json("/api/workers?refresh=1&workername=w1@test")
    assert "worker_restarted" not in task(flower, after)


def test_a_worker_that_only_hung_takes_its_task_back(launch: Launcher, private_redis: Room) -> None:
    flower = launch.flower(private_redis)
    worker = launch.worker(private_redis)
    uuid = private_redis.app().send_task(NAP, (20,)).id
    until(lambda: task(flower, uuid).get("state") == "STARTED", "the task runs")
    os.kill(worker.popen.pid, signal.SIGSTOP)
    try:
        until(lambda: lost(flower, uuid), "the task is marked", 5 * WINDOW)
    finally:
        os.kill(worker.popen.pid, signal.SIGCONT)
    until(lambda: not lost(flower, uuid), "the mark is gone", 5)
    until(lambda: task(flower, uuid)["state"] == "SUCCESS", "the task ends")
    assert not lost(flower, uuid)


@pytest.mark.parametrize("kind", [RedisServer, RabbitServer])
def test_an_outage_of_the_broker_marks_nothing(
    launch: Launcher, tmp_path: Path, kind: type[Server], request: pytest.FixtureRequest
) -> None:
    if kind.missing():
        pytest.skip(kind.missing())
    (tmp_path / "broker").mkdir()
    server = kind(launch, tmp_path / "broker")
    request.addfinalizer(server.close)
    server.start()
    flower = launch.flower(server.room)
    launch.worker(server.room)
    uuid = started(flower, server.room)
    server.hang()
    try:
        until(lambda: flower.get("/readyz").status_code == 503, "it is noticed", 15)
        until(lambda: not online(flower), "nothing is heard of the worker", 15)
        end = time.monotonic() + 3 * WINDOW
        while time.monotonic() < end:
            assert not lost(flower, uuid)
    finally:
        server.resume()
    until(lambda: online(flower), "the worker is heard again")
    assert not lost(flower, uuid)
