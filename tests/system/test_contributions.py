"""Columns and panels from flowerconfig.py, over a real start: one that fails costs its cell or its card."""

from __future__ import annotations

import html
import re
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from tests.system.support import Launcher, Publisher, Room, RunningFlower, until

pytestmark = pytest.mark.system

CONFIG = """
import time
from pathlib import Path

from flower_plugins import Assets, TaskColumn, TaskPanel

tasks_columns = "name,customer,broken,state"


def customer(task):
    return f"<x-evil>{task.kwargs}"


def broken(task):
    raise ValueError("canary-no-luck")


def slow(task):
    time.sleep(0.15)
    return "late"


def flower_assets():
    return [Assets(templates=Path("templates").absolute())]


def flower_task_columns():
    return [TaskColumn("customer", "Customer", customer), TaskColumn("broken", "Broken", broken)]


def flower_task_panels(host):
    return [
        TaskPanel("kept", "Kept", lambda task: {"Tasks": len(host.tasks), "Name": task.name}, order=2),
        TaskPanel("broken", "Broken panel", broken, order=1),
        TaskPanel("drawn", "Drawn", lambda task: {"word": task.kwargs}, "acme/drawn.html", order=3),
        TaskPanel("undefined", "Undefined", template="acme/undefined.html"),
        TaskPanel("slow", "Slow", slow, order=4),
    ]
"""
DRAWN = '{% import "macros.html" as ui with context %}<p class="drawn">{{ ui.state(task.state) }} {{ word }}</p>'


@dataclass
class Shop:
    """A Flower with that file, and a room to send events to."""

    flower: RunningFlower
    room: Room

    def send(self, uuid: str, **fields: Any) -> None:
        """Send a finished task and wait until it is there."""
        head = {"hostname": "w1@drill", "timestamp": time.time(), "clock": 1, "uuid": uuid, "name": "shop.pay"}
        with Publisher(self.room) as publisher:
            publisher.send({**head, "type": "task-received", **fields})
            publisher.send({**head, "type": "task-succeeded", "runtime": 0.1})
        until(lambda: self.flower.get(f"/api/task/info/{uuid}").status_code == 200, f"{uuid} is there")


@pytest.fixture(scope="module")
def shop(launch_once: Launcher, redis_room: Room, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    folder = tmp_path_factory.mktemp("shop")
    (folder / "flowerconfig.py").write_text(CONFIG)
    templates = folder / "templates" / "acme"
    templates.mkdir(parents=True)
    (templates / "drawn.html").write_text(DRAWN)
    (templates / "undefined.html").write_text("{{ nobody_defined_this }}")
    flower = launch_once.flower(redis_room, cwd=folder)
    until(lambda: flower.get("/readyz").status_code == 200, "events flow")
    made = Shop(flower, redis_room)
    made.send("one", kwargs="{'customer': 'acme'}")
    yield made
    assert flower.process.stop() == 0


def report(flower: RunningFlower) -> dict[str, Any]:
    found: dict[str, Any] = next(one for one in flower.json("/api/plugins")["plugins"] if one["name"] == "flowerconfig")
    return found


def test_columns_of_the_file_are_shown_and_one_that_raises_is_a_dash(shop: Shop) -> None:
    """R40"""
    page = shop.flower.get("/tasks")
    assert page.status_code == 200
    heads = re.findall(r'data-column="(\w+)"[^>]*>', page.text.partition("<table")[2])
    assert heads == ["name", "customer", "broken", "state"]
    assert "&lt;x-evil&gt;{&#x27;customer&#x27;: &#x27;acme&#x27;}" in page.text
    assert "<x-evil>" not in page.text
    assert re.search(r'data-label="Broken"><span class="missing">', page.text)
    assert "canary-no-luck" not in page.text
    assert shop.flower.get("/tasks?sort_by=customer").status_code == 200


def test_panels_of_the_file_are_cards_and_those_that_raise_are_not_there(shop: Shop) -> None:
    """R40"""
    page = shop.flower.get("/task/one")
    assert page.status_code == 200
    assert re.findall(r'<section class="card panel" id="panel-(\w+)"', page.text) == ["kept", "drawn", "slow"]
    assert re.search(r"<dt>Name</dt><dd>shop.pay</dd>", page.text)
    assert re.search(r'<p class="drawn"><span class="state state-ok">.*\{&#39;customer&#39;', page.text)
    assert "canary-no-luck" not in page.text
    assert "Call</h2>" in page.text


def test_the_plugin_is_marked_and_what_it_does_is_logged(shop: Shop) -> None:
    """R40"""
    shop.flower.get("/tasks")
    shop.flower.get("/task/one")
    found = report(shop.flower)
    assert found["state"] == "failed"
    assert re.search(r"'broken' raised ValueError; after 5 times in a row it is off", found["error"])
    assert found["hooks"] == ["flower_assets", "flower_task_columns", "flower_task_panels"]
    assert html.escape(found["error"]) in shop.flower.get("/plugins").text.replace("&#39;", "&#x27;")
    output = shop.flower.process.output()
    assert re.search(r"Plugin flowerconfig: panel 'slow' held up everything for \d{3} ms within a second", output)
    assert output.count("Plugin flowerconfig failed") == 1


def test_after_five_failures_in_a_row_it_is_off_and_the_rest_goes_on(shop: Shop) -> None:
    for _ in range(6):
        assert shop.flower.get("/tasks").status_code == 200
        assert "Kept</h2>" in shop.flower.get("/task/one").text
    output = shop.flower.process.output()
    for what in ("column 'broken'", "panel 'broken'", "panel 'undefined'"):
        assert len(re.findall(rf"Plugin flowerconfig: {what} is off, it raised \w+ 5 times in a row", output)) == 1
    assert report(shop.flower)["state"] == "failed"
    assert "&lt;x-evil&gt;" in shop.flower.get("/tasks").text
