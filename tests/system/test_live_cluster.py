"""The main job: real tasks of real workers, on Redis and on RabbitMQ, show up while they happen."""

from __future__ import annotations

import html
from collections.abc import Iterator
from typing import Any

import pytest
from tests.system.support import Launcher, Room, RunningFlower, until

pytestmark = pytest.mark.system

FIELDS = (
    "uuid name state received sent started rejected succeeded failed retried revoked args kwargs eta expires retries "
    "result exception timestamp runtime traceback exchange routing_key clock client root root_id parent parent_id "
    "children worker"
).split()


@pytest.fixture(scope="module", params=["redis_room", "rabbit_room"])
def room(request: pytest.FixtureRequest) -> Any:
    return request.getfixturevalue(request.param)


@pytest.fixture(scope="module")
def flower(launch_once: Launcher, room: Room) -> Iterator[RunningFlower]:
    """Flower first, then a worker: nobody is asked to start things in a certain order."""
    running = launch_once.flower(room)
    worker = launch_once.worker(room)
    until(lambda: running.json("/api/workers?status=1").get("w1@test"), "the worker is online")
    yield running
    worker.stop()
    assert running.process.stop() == 0


def task(flower: RunningFlower, uuid: str, state: str) -> dict[str, Any]:
    """Return the task once it is in that state."""

    def look() -> dict[str, Any] | None:
        response = flower.get(f"/api/task/info/{uuid}")
        info: dict[str, Any] | None = response.json() if response.status_code == 200 else None
        return info if info and info["state"] == state else None

    found: dict[str, Any] = until(look, f"{uuid} is {state}")
    return found


def test_a_task_is_followed_from_sent_to_succeeded(flower: RunningFlower, room: Room) -> None:
    uuid = room.app().send_task("tests.system.cluster.add", (2, 3)).id
    info = task(flower, uuid, "SUCCESS")
    assert info["name"] == "tests.system.cluster.add"
    assert info["worker"] == "w1@test"
    assert info["result"] == "5"
    assert (info["args"], info["kwargs"]) == ("(2, 3)", "{}")
    assert info["root_id"] == uuid == info["task-id"]
    assert info["received"] <= info["started"] <= info["succeeded"]
    assert info["runtime"] >= 0
    listed = flower.json("/api/tasks?limit=1000")[uuid]
    assert [*listed] == FIELDS


def test_a_failure_keeps_its_exception_and_traceback(flower: RunningFlower, room: Room) -> None:
    uuid = room.app().send_task("tests.system.cluster.fail", ("no such order",)).id
    info = task(flower, uuid, "FAILURE")
    assert info["exception"] == "ValueError('no such order')"
    assert "cluster.py" in info["traceback"]
    page = flower.get(f"/task/{uuid}")
    assert page.status_code == 200
    assert "ValueError" in html.unescape(page.text)


def test_a_retried_task_ends_where_it_ended(flower: RunningFlower, room: Room) -> None:
    uuid = room.app().send_task("tests.system.cluster.flaky").id
    info = task(flower, uuid, "SUCCESS")
    assert info["retries"] == 2
    assert info["retried"] < info["succeeded"]


def test_a_custom_event_with_unfortunate_keys_spoils_nothing(flower: RunningFlower, room: Room) -> None:
    """R10"""
    uuid = room.app().send_task("tests.system.cluster.progress", ("w9@evil",)).id
    info = task(flower, uuid, "PROGRESS")
    assert info["worker"] == "w1@test"
    assert "3" in flower.get(f"/task/{uuid}").text
    for path in ("/", "/workers", "/tasks", f"/task/{uuid}"):
        assert flower.get(path).status_code == 200
    flower.json("/tasks/datatable?draw=1&start=0&length=10&order[0][column]=0&order[0][dir]=asc")
    room.app().control.revoke(uuid, terminate=True)
    assert task(flower, uuid, "REVOKED")["revoked"]


@pytest.mark.parametrize(
    ("query", "state"),
    [
        ("state=success", "SUCCESS"),
        ("taskname=tests.system.cluster.fail", "FAILURE"),
        ("search=slow%20OR%20order", None),
    ],
)
def test_lists_are_filtered_and_searched(flower: RunningFlower, room: Room, query: str, state: str | None) -> None:
    uuid = room.app().send_task("tests.system.cluster.fail", ("no such order",)).id
    task(flower, uuid, "FAILURE")
    task(flower, room.app().send_task("tests.system.cluster.add", (1, 1)).id, "SUCCESS")
    found = flower.json(f"/api/tasks?{query}")
    assert found
    if state:
        assert {each["state"] for each in found.values()} == {state}


def test_task_types_workers_and_counts_are_told(flower: RunningFlower, room: Room) -> None:
    task(flower, room.app().send_task("tests.system.cluster.add", (1, 1)).id, "SUCCESS")
    assert "tests.system.cluster.add" in flower.json("/api/task/types")["task-types"]

    def look() -> dict[str, Any] | None:
        rows = flower.json("/workers?json=1")["data"]
        (row,) = [row for row in rows if row["hostname"] == "w1@test"]
        return row if "worker-heartbeat" in row else None

    row = until(look, "a heartbeat is counted")
    assert row["status"] is True
    assert row["task-succeeded"] >= 1
    assert len(row["loadavg"]) == 3


def test_a_worker_that_came_after_flower_is_asked_about_itself(flower: RunningFlower) -> None:
    info = until(lambda: flower.json("/api/workers").get("w1@test"), "the worker was inspected")
    assert info["stats"]["pool"]["max-concurrency"] == 2
    assert [queue["name"] for queue in info["active_queues"]] == ["celery"]
    assert "tests.system.cluster.add" in info["registered"]
    assert "guest:guest" not in str(info)


def test_queue_lengths_come_from_the_broker(flower: RunningFlower) -> None:
    def look() -> list[dict[str, Any]]:
        response = flower.get("/api/queues/length")
        rows = response.json()["active_queues"] if response.status_code == 200 else []
        return [row for row in rows if row["messages"] is not None]  # RabbitMQ counts every five seconds

    (queue,) = until(look, "the queue is counted")
    assert (queue["name"], queue["messages"]) == ("celery", 0)


def test_the_six_documented_metrics_are_scraped(flower: RunningFlower, room: Room) -> None:
    task(flower, room.app().send_task("tests.system.cluster.add", (1, 1)).id, "SUCCESS")
    text = flower.get("/metrics").text
    for name in (
        "flower_events_total",
        "flower_task_prefetch_time_seconds",
        "flower_worker_prefetched_tasks",
        "flower_task_runtime_seconds_bucket",
        "flower_worker_online",
        "flower_worker_number_of_currently_executing_tasks",
    ):
        assert f"\n{name}{{" in text, name
    labels = 'task="tests.system.cluster.add",type="task-succeeded",worker="w1@test"'
    assert f"flower_events_total{{{labels}}}" in text
    assert 'flower_worker_online{worker="w1@test"} 1.0' in text


def test_probes_answer(flower: RunningFlower) -> None:
    assert flower.get("/healthcheck").text == "OK"
    assert flower.get("/readyz").status_code == 200
    assert flower.client.head("/healthcheck").status_code == 200


def test_the_table_of_older_scripts_is_served(flower: RunningFlower, room: Room) -> None:
    uuid = room.app().send_task("tests.system.cluster.add", (41, 1)).id
    task(flower, uuid, "SUCCESS")
    query = {
        "draw": 7,
        "start": 0,
        "length": 5,
        "order[0][column]": 0,
        "columns[0][data]": "received",
        "order[0][dir]": "desc",
        "search[value]": "result:42",
    }
    answer = flower.json("/tasks/datatable", params=query)
    assert (answer["draw"], answer["recordsFiltered"]) == (7, 1)
    assert answer["data"][0]["uuid"] == uuid
    assert answer["recordsTotal"] >= 1


def test_a_worker_that_leaves_is_seen_leaving(flower: RunningFlower, launch_once: Launcher, room: Room) -> None:
    second = launch_once.worker(room, "w2")
    until(lambda: flower.json("/api/workers?status=1").get("w2@test"), "the second worker is online")
    second.stop()
    until(lambda: flower.json("/api/workers?status=1").get("w2@test") is False, "the second worker is offline")
    until(lambda: 'flower_worker_online{worker="w2@test"} 0.0' in flower.get("/metrics").text, "the gauge fell")
