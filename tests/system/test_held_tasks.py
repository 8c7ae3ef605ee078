"""Tasks of which no event came: those that ran before Flower did, and those of a gap. R30"""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import pytest
from tests.system.servers import RabbitServer, RedisServer, Server
from tests.system.support import Launcher, Room, RunningFlower, until

pytestmark = pytest.mark.system

NAP = "tests.system.cluster.nap"


@pytest.fixture(params=["private_redis", "rabbit_room"])
def room(request: pytest.FixtureRequest) -> Any:
    return request.getfixturevalue(request.param)


def task(flower: RunningFlower, uuid: str) -> dict[str, Any]:
    response = flower.get(f"/api/task/info/{uuid}")
    found: dict[str, Any] = response.json() if response.status_code == 200 else {}
    return found


def running(launch: Launcher, room: Room, *seconds: float) -> list[str]:
    """Send naps and return their ids once the worker has as many as it can take at once."""
    app = room.app()
    ids = [app.send_task(NAP, (length,)).id for length in seconds]
    until(lambda: held(app) == len(ids), "the worker holds them")
    return ids


def held(app: Any) -> int:
    inspect = app.control.inspect(timeout=0.5)
    lists = [*(inspect.active() or {}).values(), *(inspect.reserved() or {}).values()]
    return len({request["id"] for entries in lists for request in entries})


def test_what_ran_before_flower_did_is_listed_and_ends_complete(launch: Launcher, room: Room) -> None:
    launch.worker(room)
    first, second, third = running(launch, room, 12, 12, 0.1)
    later = room.app().send_task(NAP, (0.5,), countdown=600).id
    flower = launch.flower(room)
    begun = time.monotonic()
    for uuid in (first, second, third, later):
        until(lambda uuid=uuid: task(flower, uuid), f"{uuid} is listed", 5 - (time.monotonic() - begun))
    info = task(flower, first)
    assert (info["name"], info["worker"], info["state"]) == (NAP, "w1@test", "STARTED")
    assert (info["args"], info["kwargs"]) == ("(12,)", "{}")
    assert abs(time.time() - info["started"]) < 60
    assert task(flower, third)["state"] == task(flower, later)["state"] == "RECEIVED"
    assert task(flower, later)["eta"]
    assert first in flower.json("/api/tasks?state=STARTED")
    assert f'flower_worker_prefetched_tasks{{task="{NAP}",worker="w1@test"}} 1.0' in flower.get("/metrics").text

    ended = until(lambda: (found := task(flower, first))["state"] == "SUCCESS" and found, "it has ended")
    assert (ended["name"], ended["args"], ended["result"]) == (NAP, "(12,)", "'slept 12'")
    assert ended["started"] < ended["succeeded"]
    assert ended["runtime"] >= 12
    until(lambda: task(flower, third)["state"] == "SUCCESS", "the one that waited has ended")
    until(lambda: task(flower, second)["state"] == "SUCCESS", "the other one has ended")
    assert f'flower_worker_prefetched_tasks{{task="{NAP}",worker="w1@test"}} 0.0' in flower.get("/metrics").text


def test_an_empty_cluster_is_no_reason_to_complain(launch: Launcher, private_redis: Room) -> None:
    """R50"""
    flower = launch.flower(private_redis)
    until(lambda: flower.get("/readyz").status_code == 200, "events flow")
    for _ in range(2):
        assert flower.json("/api/workers?refresh=1") == {}
    lines = [line for line in flower.process.output().splitlines() if line.startswith(("[W", "[E"))]
    assert [line for line in lines if "!" not in line and "Not safe" not in line and not line.endswith("] ")] == []


def test_without_inspect_nothing_is_asked(launch: Launcher, private_redis: Room) -> None:
    launch.worker(private_redis)
    (uuid,) = running(launch, private_redis, 8)
    flower = launch.flower(private_redis, "--inspect=False")
    until(lambda: flower.json("/api/workers?status=1").get("w1@test"), "the worker is online")
    until(lambda: task(flower, uuid).get("state") == "SUCCESS", "the end is told by its event")
    assert task(flower, uuid)["name"] is None
    assert flower.json("/api/workers") == {}


@pytest.mark.parametrize("kind", [RedisServer, RabbitServer])
def test_what_began_in_a_gap_is_listed_when_the_broker_is_back(
    launch: Launcher, tmp_path: Path, kind: type[Server]
) -> None:
    if kind.missing():
        pytest.skip(kind.missing())
    (tmp_path / "broker").mkdir()
    server = kind(launch, tmp_path / "broker")
    try:
        server.start()
        flower = launch.flower(server.room)
        until(lambda: flower.get("/readyz").status_code == 200, "events flow")
        server.kill()
        until(lambda: flower.get("/readyz").status_code == 503, "it is noticed", 20)
        server.start()
        # Flower is behind a gap until it is ready again; the worker may be faster than that.
        launch.worker(server.room)
        uuid = server.room.app().send_task(NAP, (30,)).id
        until(lambda: flower.get("/readyz").status_code == 200, "events flow again", 15)
        until(lambda: task(flower, uuid).get("state") == "STARTED", "the task is listed", 10)
        assert task(flower, uuid)["args"] == "(30,)"
    finally:
        server.close()
