"""What stands around every page: the badge, the display choices, the shortcuts, and one stream for all tabs."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, Route, expect
from tests.system.browsing import watched
from tests.system.support import Launcher, Room, RunningFlower, until

pytestmark = [pytest.mark.system, pytest.mark.browser]


@pytest.fixture(scope="module")
def flower(launch_once: Launcher, redis_room: Room) -> RunningFlower:
    running = launch_once.flower(redis_room, "--address=127.0.0.1", "--environment=production", "--read_only")
    launch_once.worker(redis_room)
    until(lambda: running.json("/api/workers?status=1").get("w1@test"), "the worker is online")
    redis_room.app().send_task("tests.system.cluster.add", (1, 2))
    until(lambda: running.json("/api/tasks"), "a task is seen")
    return running


@pytest.fixture
def page(browser: Browser, flower: RunningFlower) -> Iterator[Page]:
    with watched(browser, flower.url, timezone_id="Asia/Kolkata") as page:
        yield page


def test_the_badge_names_the_environment_and_the_lock_says_why(page: Page) -> None:
    page.goto("tasks")
    expect(page.locator(".environment")).to_have_text("production")
    expect(page.locator(".locked")).to_have_attribute("title", "Read only mode is enabled")


def test_times_follow_the_chosen_zone_and_form_and_the_choice_is_kept(page: Page) -> None:
    page.goto("tasks")
    cell = page.locator("tbody time").first
    moment = cell.get_attribute("datetime") or ""
    expect(cell).to_contain_text(moment[11:19])
    page.get_by_title("Display").click()
    page.get_by_label("Time zone").select_option("local")
    hours, minutes = (int(part) for part in moment[11:16].split(":"))
    later = (hours * 60 + minutes + 330) % 1440
    expect(cell).to_contain_text(f"{later // 60:02}:{later % 60:02}:{moment[17:19]}")
    page.get_by_label("Times").select_option("relative")
    expect(cell).to_have_text(re.compile(r"^(\d+ (second|minute)s? ago|now)$"))
    page.reload()
    expect(page.locator("tbody time").first).to_have_text(re.compile(r"ago|now"))


@pytest.fixture
def failing_page(browser: Browser, flower: RunningFlower) -> Iterator[Page]:
    """A page whose console may tell of answers that failed."""
    with watched(browser, flower.url, expected="Failed to load resource") as page:
        yield page


@pytest.mark.parametrize("path", ["/", "workers", "tasks"])
def test_nothing_moves_when_scripts_begin_to_run(page: Page, path: str) -> None:
    """Whoever aims at a button while the page comes up hits it."""
    held: list[Route] = []

    def hold(route: Route) -> None:
        held.append(route)

    page.route(re.compile(r"/js/main\.js"), hold)
    page.goto(path, wait_until="commit")
    expect(page.locator("h1")).to_be_visible()
    expect(page.locator("#help-button")).to_be_hidden()
    until(lambda: held, "the script is asked for")
    parts = page.locator(".top a, .tools > *, h1, #columns, #pause").all()
    before = [part.bounding_box() for part in parts]
    assert len(parts) > 10
    held[0].continue_()
    expect(page.locator("#help-button")).to_be_visible()
    assert [part.bounding_box() for part in parts] == before


def test_a_flower_that_does_not_answer_is_seen_and_takes_no_page_away(failing_page: Page) -> None:
    page = failing_page
    page.goto("tasks")
    expect(page.locator("#freshness summary")).to_contain_text("Live")
    page.context.set_offline(True)
    page.get_by_role("link", name=re.compile("^Succeeded|^SUCCESS")).first.click()
    expect(page.locator("#connection-lost")).to_be_visible()
    expect(page.locator("#freshness summary")).to_have_text("No answer")
    expect(page.locator("h1")).to_have_text("Tasks")
    page.context.set_offline(False)
    page.get_by_role("link", name=re.compile("^Succeeded|^SUCCESS")).first.click()
    expect(page.locator("#connection-lost")).to_be_hidden()
    expect(page.locator("#freshness summary")).to_contain_text("Live")


def test_what_is_no_longer_known_is_not_taken_for_a_flower_that_is_down(failing_page: Page) -> None:
    page = failing_page
    page.route(re.compile("fragment=1"), lambda route: route.fulfill(status=404, body="Unknown task"))
    page.goto("tasks")
    page.locator("tbody a").first.click()
    page.get_by_role("heading", level=1).wait_for()
    page.evaluate(
        "import(document.querySelector('script[type=module]').src.replace('main.js', 'live.js'))"
        ".then((live) => live.refresh(true))"
    )
    expect(page.locator("#connection-lost")).to_contain_text("Flower no longer knows this.")


def test_the_header_fits_at_every_width(page: Page) -> None:
    page.goto("tasks")
    for width in range(360, 1000, 40):
        page.set_viewport_size({"width": width, "height": 800})
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), width


def test_a_letter_after_g_leads_to_a_page_and_the_help_names_it(page: Page) -> None:
    page.goto("tasks")
    page.keyboard.press("?")
    expect(page.get_by_role("dialog")).to_contain_text("Workers")
    page.keyboard.press("Escape")
    page.keyboard.press("g")
    page.keyboard.press("w")
    expect(page).to_have_url(re.compile("/workers$"))


def test_all_tabs_share_one_stream_and_the_next_takes_over(page: Page, flower: RunningFlower, redis_room: Room) -> None:
    """S58"""
    open_streams: list[str] = []
    context = page.context

    def follow(tab: Page) -> None:
        tab.on("request", lambda each: open_streams.append(each.url) if "/stream" in each.url else None)
        tab.on("requestfailed", lambda each: each.url in open_streams and open_streams.remove(each.url))
        tab.on("requestfinished", lambda each: each.url in open_streams and open_streams.remove(each.url))

    follow(page)
    page.goto("tasks")
    other = context.new_page()
    follow(other)
    other.goto("workers")
    expect(other.get_by_role("link", name="w1@test")).to_be_visible()

    def heard() -> list[str]:
        other.wait_for_timeout(20)  # Playwright tells of requests only while it is asked something.
        return open_streams

    until(lambda: any("workers" in url and "tasks" in url for url in heard()), "one stream carries both")
    assert len(open_streams) == 1
    uuid = redis_room.app().send_task("tests.system.cluster.add", (20, 22)).id
    for tab, place in ((page, f"a[href$='{uuid}']"), (other, "body")):
        tab.wait_for_selector(place)
    assert len(heard()) == 1
    open_streams.clear()
    page.close()
    until(lambda: len(heard()) == 1 and "tasks" not in heard()[0], "the other tab took over")
    other.close()
