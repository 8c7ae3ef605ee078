"""Columns and panels from flowerconfig.py, over a real start: one that fails costs its cell or its card."""

from __future__ import annotations

import html
import os
import re
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, expect
from tests.system.browsing import watched
from tests.system.support import ROOT, Launcher, Publisher, Room, RunningFlower, until

pytestmark = pytest.mark.system

_WCAG = {"runOnly": {"type": "tag", "values": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa"]}}

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

    def send(self, uuid: str, end: str = "task-succeeded", **fields: Any) -> None:
        """Send a finished task and wait until it is there."""
        head = {"hostname": "w1@drill", "timestamp": time.time(), "clock": 1, "uuid": uuid, "name": "shop.pay"}
        with Publisher(self.room) as publisher:
            publisher.send({**head, "type": "task-received", **fields})
            publisher.send({**head, "type": end, "runtime": 0.1, **fields})
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


EXAMPLES = sorted(file.parent for file in (ROOT / "examples" / "plugins").glob("*/pyproject.toml"))


@pytest.fixture(scope="module")
def examples(launch_once: Launcher, redis_room: Room, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    """A Flower in which every example is installed."""
    site = tmp_path_factory.mktemp("site")
    for example in EXAMPLES:
        info = site / f"flower_{example.name}-1.0.0.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: flower-{example.name}\nVersion: 1.0.0\n")
        entry = f"[flower_plugins]\n{example.name} = flower_{example.name}.plugin\n"
        assert entry.replace(" = ", ' = "').split("]\n")[1].strip() in (example / "pyproject.toml").read_text()
        (info / "entry_points.txt").write_text(entry)
    path = os.pathsep.join([str(ROOT), str(site), *(str(example / "src") for example in EXAMPLES)])
    flower = launch_once.flower(
        redis_room,
        "--tasks_columns=name,customer",
        "--trace_url=https://traces.example.com/{uuid}",
        "--slow_tasks_seconds=0.05",
        env={"PYTHONPATH": path},
    )
    until(lambda: flower.get("/readyz").status_code == 200, "events flow")
    made = Shop(flower, redis_room)
    made.send("one", kwargs="{'customer': 'acme', 'card': '4111 1111 1111 1111'}")
    made.send("two", end="task-failed", exception="ValueError('no')")
    yield made
    assert flower.process.stop() == 0


def test_every_example_runs_beside_all_others(examples: Shop) -> None:
    reports = {one["name"]: one for one in examples.flower.json("/api/plugins")["plugins"]}
    for example in EXAMPLES:
        assert (reports[example.name]["state"], reports[example.name]["error"]) == ("active", ""), example.name
    assert not [line for line in examples.flower.process.output().splitlines() if "failed" in line.lower()]


def test_what_the_examples_bring_is_there(examples: Shop) -> None:
    flower = examples.flower
    assert "acme" in flower.get("/tasks").text
    task = flower.get("/task/one").text
    assert 'href="https://traces.example.com/one"' in task
    assert "1111 1111" not in task
    assert "**** 1111" in task
    assert re.fullmatch(r"Hello! \d+ tasks on \d+ workers\.\n", flower.get("/hello").text)
    assert flower.get("/metrics.json").json()["example_tasks_kept"]["samples"]
    assert 'example_tasks_kept{state="SUCCESS"} 1.0' in flower.get("/metrics").text
    assert "Task 'shop.pay' (one) took 0.1 s" in flower.process.output()


def test_the_page_of_the_guide_lists_failures_and_is_live(examples: Shop) -> None:
    flower = examples.flower
    page = flower.get("/failures")
    assert page.status_code == 200
    assert '<a class="" href="/task/two"' in page.text
    assert "/task/one" not in page.text
    assert 'data-stream="/stream?topics=tasks"' in page.text
    assert re.search(r'<a href="/failures" aria-current="page" data-key="f">', page.text)
    (style,) = re.findall(r'href="(/static/failures_page/failures.css\?v=\w+)"', page.text)
    assert "var(--warn-soft)" in flower.get(style).text
    fragment = flower.get("/failures?fragment=1")
    assert "<html" not in fragment.text
    assert '<div id="failures"' in fragment.text
    label = 'aria-label="Failures and retries in the last hour: Failed [1-9]'
    until(lambda: re.search(label, flower.get("/failures").text), "the failure is in the chart")


@pytest.mark.browser
def test_a_column_of_a_plugin_is_chosen_and_kept_like_any_other(browser: Browser, examples: Shop) -> None:
    with watched(browser, examples.flower.url) as page:
        page.goto("tasks?columns=name,state")
        heads = page.locator("#results th[data-column]")
        expect(heads).to_have_text(["Name", "State"])
        page.locator("#columns summary").click()
        page.get_by_label("Customer", exact=True).check()
        expect(heads).to_have_text(["Name", "State", "Customer"])
        expect(page.locator("#task-one")).to_contain_text("acme")
        page.get_by_title("Move Customer up").click()
        expect(heads).to_have_text(["Name", "Customer", "State"])
        page.goto("tasks")
        expect(heads).to_have_text(["Name", "Customer", "State"])


@pytest.mark.browser
@pytest.mark.parametrize(("scheme", "width"), [("light", 1440), ("dark", 390)])
def test_pages_that_plugins_add_to_are_live_and_open_to_everybody(
    browser: Browser, examples: Shop, scheme: str, width: int
) -> None:
    with watched(browser, examples.flower.url, color_scheme=scheme, viewport={"width": width, "height": 900}) as page:
        page.goto("failures")
        expect(page.locator("#failures")).to_contain_text("ValueError('no')")
        page.evaluate("window.stayed = true")
        examples.send(f"live-{scheme}", end="task-failed", exception=f"KeyError('{scheme}')")
        expect(page.locator("#failures")).to_contain_text(f"KeyError('{scheme}')")
        assert page.evaluate("window.stayed")
        for path in ("failures", "task/one", "tasks", "plugins"):
            page.goto(path)
            expect(page.locator("h1")).to_be_visible()
            assert Axe().run(page, options=_WCAG).violations_count == 0, path
