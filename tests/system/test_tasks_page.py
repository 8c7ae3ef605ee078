"""Orders and exports for many tasks, over HTTP against a real worker: what is checked is the effect."""

from __future__ import annotations

import csv
import io
import json
import re
import time
from typing import Any

import httpx
import pytest
from tests.system.support import Launcher, Publisher, Room, RunningFlower, until

pytestmark = pytest.mark.system

PROJECT = "tests.system.cluster"
WORKER = "w1@test"
_LARGE = "/tasks/export?format=json&name=shop.pay"
JSON = {"Accept": "application/json"}


@pytest.fixture(scope="module")
def flower(launch_once: Launcher, quiet_room: Room) -> RunningFlower:
    running = launch_once.flower(quiet_room, "--address=127.0.0.1")
    launch_once.worker(quiet_room)
    until(lambda: running.json("/api/workers?status=1").get(WORKER), "the worker is online")
    return running


def send(flower: RunningFlower, room: Room, task: str, *args: Any, count: int = 1) -> list[str]:
    """Send a task some times and return the ids, once Flower knows all of them."""
    app = room.app()
    ids = [str(app.send_task(f"{PROJECT}.{task}", args).id) for _ in range(count)]
    until(lambda: all(flower.get(f"/api/task/info/{uuid}").status_code == 200 for uuid in ids), "all are known")
    return ids


def states(flower: RunningFlower, ids: list[str]) -> list[str]:
    return [flower.json(f"/api/task/info/{uuid}")["state"] for uuid in ids]


def ask(flower: RunningFlower, **fields: Any) -> str:
    """Ask as the page's form does, and return the page."""
    response = flower.client.post("/tasks/confirm", data=fields)
    assert response.status_code == 200, response.text
    return response.text


def order(flower: RunningFlower, page: str, **fields: Any) -> httpx.Response:
    """Say yes to what a page asks."""
    found = re.search(r'name="batch" value="([^"]+)"', page)
    assert found is not None, page
    return flower.client.post("/tasks/revoke", data={"batch": found[1], **fields}, headers=JSON)


def audit(flower: RunningFlower, action: str) -> list[dict[str, Any]]:
    lines = (line for line in flower.process.output().splitlines() if " audit:" in line)
    return [told for line in lines if (told := json.loads(line[line.index("{") :]))["action"] == action]


def test_waiting_tasks_are_revoked_and_running_ones_terminated(flower: RunningFlower, quiet_room: Room) -> None:
    running = send(flower, quiet_room, "nap", 60, count=2)
    until(lambda: states(flower, running) == ["STARTED", "STARTED"], "two run")
    waiting = send(flower, quiet_room, "nap", 61, count=4)
    page = ask(flower, action="revoke", ids=waiting[:3])
    assert "Revoke 3 tasks?" in page
    answer = order(flower, page)
    assert answer.status_code == 200, answer.text
    assert answer.json()["message"] == "Revoked 3 tasks."
    assert answer.json()["targets"] == dict.fromkeys(waiting[:3], "Revoked")
    inspect = quiet_room.app().control.inspect([WORKER], timeout=5)
    until(lambda: set(waiting[:3]) <= set((inspect.revoked() or {}).get(WORKER, ())), "the worker knows")

    page = ask(flower, action="terminate", name=f"{PROJECT}.nap", state="STARTED")
    assert "Terminate 2 tasks?" in page
    assert f"<strong>{PROJECT}.nap</strong>" in page
    answer = order(flower, page, terminate="true", signal="SIGKILL")
    assert answer.json()["message"] == "Terminated 2 tasks."
    until(lambda: states(flower, [*running, *waiting[:3]]) == ["REVOKED"] * 5, "all five are revoked")
    until(lambda: states(flower, waiting[3:]) == ["STARTED"], "the one that was not meant runs")

    revoked, terminated = audit(flower, "tasks-revoke")
    assert (revoked["outcome"], terminated["outcome"]) == ("ok", "ok")
    assert set(revoked["orders"][0].split()) == {"revoke", *waiting[:3]}
    assert set(terminated["orders"][0].split()) == {"revoke", *running}
    page = ask(flower, action="terminate", search="state:STARTED nap")
    assert order(flower, page, terminate="true").status_code == 200
    until(lambda: states(flower, waiting[3:]) == ["REVOKED"], "the rest is terminated")


def test_what_has_finished_is_left_alone_and_an_answer_counts_once(flower: RunningFlower, quiet_room: Room) -> None:
    (done,) = send(flower, quiet_room, "add", 1, 2)
    until(lambda: states(flower, [done]) == ["SUCCESS"], "it has finished")
    assert "1 has already finished and is left alone" in ask(flower, action="revoke", ids=done)
    before = len(audit(flower, "tasks-revoke"))
    answer = flower.client.post("/tasks/revoke", data={"batch": "of somebody else"}, headers=JSON)
    assert answer.status_code == 409
    told = until(lambda: audit(flower, "tasks-revoke")[before:], "the attempt is written down")
    assert (told[0]["outcome"], told[0]["orders"]) == ("failed: 409", [])


def test_in_read_only_mode_orders_are_refused_with_the_reason(launch: Launcher, quiet_room: Room) -> None:
    flower = launch.flower(quiet_room, "--address=127.0.0.1", "--read_only")
    until(lambda: flower.get("/readyz").status_code == 200, "events arrive")
    (uuid,) = send(flower, quiet_room, "add", 1, 2)
    page = flower.get("/tasks").text
    assert "Read only mode is enabled" in page
    assert "Read only mode is enabled" in ask(flower, action="revoke", ids=uuid)
    answer = flower.client.post("/tasks/revoke", data={"batch": "x"}, headers=JSON)
    assert answer.status_code == 403
    assert flower.get("/tasks/export").status_code == 200


def test_an_export_has_what_the_pages_show(flower: RunningFlower, quiet_room: Room) -> None:
    app = quiet_room.app()
    evil = str(app.send_task("=HYPERLINK(1)", ('a,b\n"c"',), queue="nobody listens").id)
    until(lambda: flower.get(f"/api/task/info/{evil}").status_code == 200, "the task is known")
    (done,) = send(flower, quiet_room, "add", 20, 22)
    until(lambda: states(flower, [done]) == ["SUCCESS"], "it has finished")
    response = flower.get("/tasks/export")
    assert re.fullmatch(r'attachment; filename="tasks-[0-9-]+\.csv"', response.headers["Content-Disposition"])
    rows = {row["uuid"]: row for row in csv.DictReader(io.StringIO(response.text))}
    assert rows[evil]["name"] == "'=HYPERLINK(1)"
    assert rows[evil]["queue"] == "nobody listens"
    assert (rows[done]["state"], rows[done]["worker"], rows[done]["result"]) == ("SUCCESS", WORKER, "42")
    (row,) = flower.client.post("/tasks/export", data={"format": "json", "ids": done}).json()
    assert {**flower.json(f"/api/task/info/{done}"), "queue": "celery"} == {**row, "task-id": done}
    found = flower.json("/tasks/export?format=json&queue=nobody+listens")
    assert [task["uuid"] for task in found] == [evil]


def test_a_large_export_is_streamed_in_bounded_memory_while_pages_answer(launch: Launcher, quiet_room: Room) -> None:
    flower = launch.flower(quiet_room, "--address=127.0.0.1")
    number = 15_000
    head = {"type": "task-received", "hostname": "w9@front", "clock": 1, "pid": 1, "utcoffset": 0, "name": "shop.pay"}
    until(lambda: flower.get("/readyz").status_code == 200, "events arrive")
    with Publisher(quiet_room) as publisher:
        for n in range(number):
            args = f"('{n}', '{'x' * 1500}')"
            publisher.send({**head, "timestamp": time.time(), "uuid": f"many-{n}", "args": args})
    until(
        lambda: flower.get("/api/tasks?limit=1&workername=w9@front").headers["X-Total-Count"] == str(number), "all in"
    )
    flower.get("/tasks/export?name=shop.pay&format=json&state=FAILURE")
    before = highest = flower.process.memory()
    size, waits = 0, []
    with httpx.Client(base_url=flower.url) as other, flower.client.stream("GET", _LARGE) as answer:
        for place, piece in enumerate(answer.iter_bytes(65_536)):
            size += len(piece)
            if not place % 20:
                began = time.monotonic()
                assert other.get("/healthcheck").status_code == 200
                waits.append(time.monotonic() - began)
                highest = max(highest, flower.process.memory())
    assert size > number * 1500
    assert highest - before < 12 * 1024 * 1024
    assert sorted(waits)[len(waits) // 2] < 0.5
