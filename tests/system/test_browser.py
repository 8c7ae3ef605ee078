"""The pages in a real browser, over a real worker: live, clickable, and talking to nobody else."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect
from tests.system.browsing import watched
from tests.system.support import Launcher, Room, RunningFlower, until

pytestmark = [pytest.mark.system, pytest.mark.browser]

_WCAG = {"runOnly": {"type": "tag", "values": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa"]}}


@pytest.fixture(scope="module")
def flower(launch_once: Launcher, redis_room: Room) -> RunningFlower:
    running = launch_once.flower(redis_room, "--address=127.0.0.1", "--url_prefix=/flower")
    launch_once.worker(redis_room)
    until(lambda: running.json("/api/workers?status=1").get("w1@test"), "the worker is online")
    return running


@pytest.fixture
def page(browser: Browser, flower: RunningFlower) -> Iterator[Page]:
    """Return a page that fails its test for any console error, script error or request to another host."""
    with watched(browser, flower.url) as page:
        yield page


def test_the_worker_is_there_and_tasks_appear_without_a_reload(
    page: Page, flower: RunningFlower, redis_room: Room
) -> None:
    page.goto("workers")
    expect(page.get_by_role("link", name="w1@test")).to_be_visible()
    page.goto("tasks")
    expect(page.get_by_text("Live", exact=True)).to_be_visible()
    uuid = redis_room.app().send_task("tests.system.cluster.add", (20, 22)).id
    row = page.get_by_role("row").filter(has=page.locator(f"a[href$='{uuid}']"))
    expect(row).to_contain_text("SUCCESS", timeout=10_000)
    row.get_by_role("link", name=uuid[:8]).click()
    expect(page.get_by_text("(20, 22)").first).to_be_visible()
    expect(page.get_by_text("42", exact=True).first).to_be_visible()


def test_a_search_is_in_the_address_and_its_mistakes_are_shown_in_place(page: Page, redis_room: Room) -> None:
    redis_room.app().send_task("tests.system.cluster.fail", ("no such order",))
    page.goto("tasks")
    box = page.get_by_role("searchbox")
    box.fill("state:FAILURE order")
    box.press("Enter")
    expect(page.get_by_role("row").filter(has_text="FAILURE").first).to_be_visible()
    page.wait_for_url(re.compile(r"[?&]search="))
    box.fill('args:"unfinished')
    box.press("Enter")
    expect(page.get_by_text("Unterminated quoted phrase at position 5.")).to_be_visible()


def test_a_running_task_is_terminated_after_a_confirmation_that_names_it(
    page: Page, flower: RunningFlower, redis_room: Room
) -> None:
    uuid = redis_room.app().send_task("tests.system.cluster.nap", (60,)).id

    def state() -> str | None:
        response = flower.get(f"/api/task/info/{uuid}")
        return response.json()["state"] if response.status_code == 200 else None

    until(lambda: state() == "STARTED", "the task runs")
    page.goto(f"task/{uuid}")
    page.get_by_role("button", name="Terminate").or_(page.get_by_role("link", name="Terminate")).first.click()
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text(uuid[:8])
    dialog.get_by_role("button", name="Terminate").click()
    expect(page.get_by_text("REVOKED").first).to_be_visible(timeout=15_000)
    assert state() == "REVOKED"


def test_the_pool_grows_from_the_worker_page(page: Page, flower: RunningFlower) -> None:
    def size() -> int:
        info = flower.json("/api/workers?refresh=1&workername=w1@test")["w1@test"]
        return len(info["stats"]["pool"]["processes"])

    before = until(size, "the worker tells its pool size")
    page.goto("worker/w1@test")
    page.get_by_role("button", name="Grow").click()
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text("Add 1 to the pool?")
    dialog.get_by_role("button", name="Grow pool of w1@test").click()
    until(lambda: size() == before + 1, "the pool has grown")
    page.locator(".toast").get_by_role("button", name="Undo").click()
    expect(page.locator(".toast").last).to_contain_text("Undone.")
    until(lambda: size() == before, "the pool is as it was")


def test_a_worker_takes_consumers_and_limits_from_its_page(page: Page, flower: RunningFlower) -> None:
    def consumed() -> set[str]:
        info = flower.json("/api/workers?refresh=1&workername=w1@test")["w1@test"]
        return {queue["name"] for queue in info.get("active_queues") or ()}

    until(consumed, "the worker tells its queues")
    page.goto("worker/w1@test")
    page.get_by_label("New consumer").fill("browsed")
    page.get_by_role("button", name="Add", exact=True).click()
    page.get_by_role("dialog").get_by_role("button", name="Add consumer to w1@test").click()
    row = page.locator("#queues tr").filter(has_text="browsed")
    expect(row).to_be_visible(timeout=15_000)
    assert "browsed" in consumed()
    row.get_by_role("link", name="Cancel consumer").click()
    page.get_by_role("dialog").get_by_role("button", name="Cancel consumer of w1@test").click()
    until(lambda: "browsed" not in consumed(), "the consumer is gone")
    page.locator(".toast").filter(has_text="no longer consuming").get_by_role("button", name="Undo").click()
    until(lambda: "browsed" in consumed(), "the consumer is back")
    page.get_by_label("Rate limit of tests.system.cluster.add", exact=True).fill("90/m")
    page.get_by_role("button", name="Apply the rate limit of tests.system.cluster.add").click()
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text("Limit tests.system.cluster.add to 90/m?")
    dialog.get_by_role("button", name="Set rate limit at w1@test").click()
    expect(page.locator(".toast").last).to_contain_text("new rate limit set successfully")


def test_a_worker_shows_what_it_runs_and_marks_what_takes_longer_than_usual(
    page: Page, flower: RunningFlower, redis_room: Room
) -> None:
    app = redis_room.app()
    for _ in range(6):
        app.send_task("tests.system.cluster.nap", (0.01,))
    uuid = app.send_task("tests.system.cluster.nap", (600,)).id
    page.goto("worker/w1@test")
    row = page.locator("#now tbody tr").filter(has_text=uuid[:8])
    expect(row).to_contain_text("longer than usual", timeout=15_000)
    expect(row.locator("time[data-since]")).to_be_visible()
    expect(page.locator("#history figure")).to_contain_text("Succeeded", timeout=15_000)
    for theme in ("light", "dark"):
        page.emulate_media(color_scheme=theme)
        assert Axe().run(page, options=_WCAG).response["violations"] == []
    assert flower.client.post(f"/api/task/revoke/{uuid}?terminate=true").status_code == 200
    expect(row).to_have_count(0, timeout=15_000)


def test_chosen_workers_take_one_order_together_and_stay_chosen_meanwhile(page: Page, flower: RunningFlower) -> None:
    page.goto("workers")
    page.get_by_label("Choose w1@test").check()
    with page.expect_response(lambda response: "fragment=1" in response.url):
        pass  # A heartbeat has the page drawn anew.
    expect(page.get_by_label("Choose w1@test")).to_be_checked()
    expect(page.locator("[data-picked]")).to_have_text("1 chosen")
    page.get_by_label("Order to the chosen workers").select_option("consumer-add")
    page.get_by_role("button", name="Continue").click()
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text("w1@test")
    dialog.get_by_label("Queue").fill("together")
    dialog.get_by_role("button", name="Add consumer to 1 worker").click()
    expect(page.locator(".toast").last).to_contain_text("1 of 1 workers did it.")
    info = flower.json("/api/workers?refresh=1&workername=w1@test")["w1@test"]
    assert "together" in {queue["name"] for queue in info["active_queues"]}


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("width", [390, 900, 1440])
@pytest.mark.parametrize("path", ["workers", "tasks", "worker/w1@test", "plugins", "api/docs"])
def test_pages_fit_every_screen(page: Page, path: str, width: int, theme: str) -> None:
    page.emulate_media(color_scheme=theme)  # type: ignore[arg-type]
    page.set_viewport_size({"width": width, "height": 800})
    page.goto(path)
    expect(page.get_by_role("heading", level=1)).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_reading_and_acting_work_without_javascript(browser: Browser, flower: RunningFlower, redis_room: Room) -> None:
    uuid = redis_room.app().send_task("tests.system.cluster.nap", (60,)).id
    until(lambda: flower.get(f"/api/task/info/{uuid}").status_code == 200, "the task is known")
    context = browser.new_context(base_url=flower.url + "/", java_script_enabled=False)
    page = context.new_page()
    page.goto("tasks")
    page.get_by_role("searchbox").fill("nap")
    page.get_by_role("button", name="Search").click()
    page.locator(f"a[href$='{uuid}']").first.click()
    page.get_by_role("button", name="Terminate").or_(page.get_by_role("link", name="Terminate")).first.click()
    expect(page.get_by_text(uuid[:8]).first).to_be_visible()
    page.get_by_role("button", name="Terminate").click()
    until(lambda: flower.get(f"/api/task/info/{uuid}").json()["state"] == "REVOKED", "the task is revoked")
    context.close()
