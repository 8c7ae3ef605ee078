"""Incidents, each found from the first page: at most two clicks to the cause in words."""

from __future__ import annotations

import os
import re
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Locator, Page, expect
from tests.system.browsing import check_accessibility, watched
from tests.system.servers import RedisServer
from tests.system.support import Launcher, Room, RunningFlower, until

pytestmark = [pytest.mark.system, pytest.mark.browser]

_TASK = "tests.system.cluster"
_SOON = 15_000


class Walk:
    """Somebody who begins on the first page and may click twice."""

    def __init__(self, page: Page) -> None:
        self.page, self._left = page, 2
        page.goto("")

    def problem(self, words: str) -> Locator:
        """Return a sentence among the problems."""
        found = self.page.get_by_label("Problems").get_by_role("listitem").filter(has_text=re.compile(words))
        expect(found).to_be_visible(timeout=_SOON)
        return found

    def click(self, place: Locator) -> None:
        self._left -= 1
        assert self._left >= 0, "more than two clicks"
        place.click()


@contextmanager
def walk(browser: Browser, flower: RunningFlower) -> Iterator[Walk]:
    with watched(browser, flower.url) as page:
        yield Walk(page)


def start(launch: Launcher, room: Room) -> RunningFlower:
    flower = launch.flower(room, "--address=127.0.0.1")
    until(lambda: flower.get("/readyz").status_code == 200, "events flow")
    return flower


def info(flower: RunningFlower, uuid: str) -> Any:
    answer = flower.get(f"/api/task/info/{uuid}")
    return answer.json() if answer.status_code == 200 else {}


def test_a_failing_task_type(browser: Browser, launch: Launcher, private_redis: Room) -> None:
    flower = start(launch, private_redis)
    launch.worker(private_redis)
    app = private_redis.app()
    for n in range(12):
        app.send_task(f"{_TASK}.fail", (f"order {n}: the card has expired",))
        app.send_task(f"{_TASK}.add", (n, 1))
    with walk(browser, flower) as step:
        found = step.problem(r"cluster\.fail mostly fails: 1\d of 1\d in the last 5 minutes \(100 %\)\.")
        expect(step.page.get_by_label("Problems")).not_to_contain_text("cluster.add")
        check_accessibility(step.page)
        step.click(found.get_by_role("link"))
        rows = step.page.locator("#results tbody tr")
        expect(rows).to_have_count(12)
        step.click(rows.first.locator("a[data-row]"))
        expect(step.page.locator(".failure .exception")).to_contain_text("the card has expired")
        expect(step.page.locator(".frame:not(.frame-library)")).to_contain_text("raise ValueError(message)")


def test_a_group_of_failures(browser: Browser, launch: Launcher, private_redis: Room) -> None:
    flower = start(launch, private_redis)
    launch.worker(private_redis)
    for n in range(3):
        private_redis.app().send_task(f"{_TASK}.fail", (f"order {n}: the card has expired",))
    with walk(browser, flower) as step:
        row = step.page.get_by_role("row").filter(has_text="the card has expired")
        expect(row).to_contain_text("3", timeout=_SOON)
        expect(row).to_contain_text(f"{_TASK}.fail")
        step.click(row.get_by_role("link", name="Newest task"))
        expect(step.page.locator(".failure .exception")).to_contain_text("the card has expired")


def test_a_queue_that_nobody_consumes_from(browser: Browser, launch: Launcher, private_redis: Room) -> None:
    flower = start(launch, private_redis)
    launch.worker(private_redis)
    until(lambda: flower.json("/api/workers").get("w1@test", {}).get("active_queues"), "the worker tells its queues")
    for n in range(7):
        private_redis.app().send_task(f"{_TASK}.add", (n, 1), queue="receipts")
    with walk(browser, flower) as step:
        found = step.problem("Queue receipts holds 7 messages and no worker consumes from it.")
        step.click(found.get_by_role("link"))
        row = step.page.get_by_role("row").filter(has_text="receipts")
        expect(row).to_contain_text("No consumer")
        expect(row.locator("td[data-label=Messages]")).to_have_text("7")


def test_a_worker_that_is_gone_with_open_tasks(browser: Browser, launch: Launcher, private_redis: Room) -> None:
    flower = start(launch, private_redis)
    worker = launch.worker(private_redis)
    uuid = private_redis.app().send_task(f"{_TASK}.nap", (60,)).id
    until(lambda: info(flower, uuid).get("state") == "STARTED", "the task runs")
    os.killpg(worker.popen.pid, signal.SIGKILL)
    with walk(browser, flower) as step:
        found = step.problem("Worker w1@test is offline and had not finished 1 task.")
        step.click(found.get_by_role("link"))
        row = step.page.locator("#results tbody tr")
        expect(row).to_have_count(1)
        expect(row).to_contain_text("Worker lost")
        step.click(row.locator("a[data-row]"))
        expect(step.page.locator("#task-head")).to_contain_text("Its worker has been silent since")


def test_a_gap_in_the_events(browser: Browser, launch: Launcher, tmp_path: Path) -> None:
    if RedisServer.missing():
        pytest.skip(RedisServer.missing())
    server = RedisServer(launch, tmp_path)
    server.start()
    flower = start(launch, server.room)
    server.kill()
    with walk(browser, flower) as step:
        step.problem("No events arrive: ")
        server.start()
        found = step.problem(r"Events of .* until \d\d:\d\d:\d\d UTC are missing: ")
        expect(found).to_contain_text(re.compile("onnection|closed"))
        step.click(step.page.locator("#freshness summary"))
        popover = step.page.locator("#freshness .popover")
        expect(popover).to_contain_text("Events missing")
        expect(popover).to_contain_text(re.compile("onnection|closed"))
