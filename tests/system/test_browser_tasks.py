"""The tasks page in a real browser, over a real worker: searching, choosing columns, picking, ordering, exporting."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Locator, Page, Route, expect
from tests.bench.interaction import INTERACTIONS, Interaction, took
from tests.system.browsing import check_accessibility, watched
from tests.system.support import Launcher, Room, RunningFlower, until

pytestmark = [pytest.mark.system, pytest.mark.browser]

_EVIL = "\"'><x-evil onclick=alert(1)></x-evil><script>alert(1)</script><img src=x onerror=alert(1)>"
_TASK = "tests.system.cluster"


@pytest.fixture(scope="module")
def flower(launch_once: Launcher, quiet_room: Room) -> RunningFlower:
    running = launch_once.flower(quiet_room, "--address=127.0.0.1", "--url_prefix=/flower")
    launch_once.worker(quiet_room)
    until(lambda: running.json("/api/workers?status=1").get("w1@test"), "the worker is online")
    app = quiet_room.app()
    for n in range(20):
        app.send_task(f"{_TASK}.add", (n, 1))
    app.send_task(f"{_TASK}.fail", ("no such order",))
    app.send_task(f"{_TASK}.{_EVIL}", (_EVIL,), queue=_EVIL)
    until(lambda: running.get("/api/tasks?state=SUCCESS&limit=1").headers["X-Total-Count"] == "20", "all are done")
    until(lambda: running.get("/api/tasks?limit=1").headers["X-Total-Count"] == "22", "all are known")
    return running


@pytest.fixture
def page(browser: Browser, flower: RunningFlower) -> Iterator[Page]:
    """Return a page that fails its test for any console error, CSP violation or request to another host."""
    with watched(browser, flower.url) as page:
        yield page


def heads(page: Page) -> list[str]:
    return page.locator("#results th[data-column]").evaluate_all("heads => heads.map(each => each.dataset.column)")


def rows(page: Page) -> Locator:
    return page.locator("#results tbody tr")


def options(page: Page, name: str = "") -> Locator:
    """Return the suggestions below the search box."""
    return page.get_by_role("listbox").get_by_role("option", name=name)


def test_a_mistake_is_marked_in_place_and_the_list_stays_until_enter(page: Page) -> None:
    page.goto("tasks")
    box = page.get_by_role("searchbox")
    box.press_sequentially("state:FAILURE (order", delay=10)
    error = page.locator("#search-error")
    expect(error).to_contain_text("Missing closing parenthesis at position 14.")
    expect(error.locator("mark")).to_have_text("(order")
    expect(rows(page).first).to_be_visible()
    box.press("Enter")
    expect(page.get_by_role("heading", name="This search cannot be read")).to_be_visible()
    box.press_sequentially(")", delay=10)
    expect(rows(page)).to_have_count(1)
    expect(error).to_have_text("")
    page.get_by_title("How to search").click()
    expect(page.get_by_text("nobody works on it any more")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.get_by_text("nobody works on it any more")).to_be_hidden()


def test_fields_and_values_are_suggested_and_taken_by_keyboard(page: Page) -> None:
    page.goto("tasks")
    box = page.get_by_role("searchbox")
    box.press_sequentially("sta", delay=10)
    first = options(page).first
    expect(first).to_contain_text("state:")
    box.press("ArrowDown")
    expect(first).to_have_attribute("aria-selected", "true")
    box.press("Enter")
    expect(options(page, name="SUCCESS")).to_contain_text("20")
    box.press_sequentially("FAI", delay=10)
    expect(options(page)).to_have_count(1)
    box.press("ArrowDown")
    box.press("Tab")
    expect(box).to_have_value("state:FAILURE ")
    expect(rows(page)).to_have_count(1)
    expect(page).to_have_url(re.compile("search=state%3AFAILURE"))
    box.fill("worker:")
    expect(options(page, name="w1@test")).to_be_visible()
    box.press("Escape")
    expect(page.get_by_role("listbox")).to_be_hidden()


def test_a_search_that_takes_its_time_is_seen_to_be_under_way(page: Page) -> None:
    page.goto("tasks")
    held: list[Route] = []

    def hold(route: Route) -> None:
        held.append(route)

    page.route(re.compile("search=fail.*fragment=1"), hold)
    expect(page.locator("body")).not_to_have_attribute("data-busy", "")
    box = page.get_by_role("searchbox")
    box.fill("fail")
    box.press("Enter")
    expect(page.locator("body")).to_have_attribute("data-busy", "")
    expect(page.locator("#announcer")).to_have_text("Looking…")
    expect(page.locator("#results")).to_have_attribute("aria-busy", "true")
    for route in held:
        route.continue_()
    expect(rows(page)).to_have_count(1)
    expect(page.locator("body")).not_to_have_attribute("data-busy", "")
    expect(page.locator("#results")).not_to_have_attribute("aria-busy", "true")


def test_facets_narrow_the_list_and_stay_in_the_address(page: Page) -> None:
    page.goto("tasks")
    page.locator("#facets").get_by_title(f"{_TASK}.fail").click()
    expect(rows(page)).to_have_count(1)
    expect(page).to_have_url(re.compile(r"name=tests\.system\.cluster\.fail"))
    page.reload()
    expect(rows(page)).to_have_count(1)
    page.locator(".chip-filter").click()
    expect(rows(page)).to_have_count(22)
    page.locator("#facets").get_by_title("celery", exact=True).click()
    expect(rows(page)).to_have_count(21)
    page.goto(f"tasks?state=FAILURE&worker=w1@test&name={_TASK}.fail")
    expect(rows(page)).to_have_count(1)


def test_columns_are_dragged_moved_by_keyboard_and_kept(page: Page) -> None:
    page.goto("tasks")
    assert heads(page) == ["name", "uuid", "state", "received", "runtime", "worker"]
    page.locator("th[data-column=worker]").drag_to(page.locator("th[data-column=uuid]"))
    expect(page.locator("#results th").nth(2)).to_have_attribute("data-column", "worker")
    page.locator("th[data-column=runtime] a").focus()
    page.keyboard.press("Shift+ArrowLeft")
    expect(page.locator("#results th").nth(5)).to_have_attribute("data-column", "runtime")
    expect(page.locator("th[data-column=runtime] a")).to_be_focused()
    page.get_by_text("Columns", exact=True).first.click()
    page.get_by_label("Retries", exact=True).focus()
    page.keyboard.press("Space")
    expect(page.locator("th[data-column=retries]")).to_be_visible()
    page.get_by_role("button", name="Move Retries up").press("Enter")
    expect(page.locator("#results th").nth(6)).to_have_attribute("data-column", "retries")
    chosen = ["name", "worker", "uuid", "state", "runtime", "retries", "received"]
    expect(page.locator("#results th[data-column]")).to_have_count(7)
    assert heads(page) == chosen
    page.reload()
    expect(page.locator("th[data-column=retries]")).to_be_visible()
    assert heads(page) == chosen
    page.goto("tasks?state=SUCCESS")
    expect(page.locator("th[data-column=retries]")).to_be_visible()
    page.get_by_text("Columns", exact=True).first.click()
    page.get_by_role("button", name="Back to the usual ones").click()
    expect(page.locator("th[data-column=retries]")).to_have_count(0)
    assert heads(page) == ["name", "uuid", "state", "received", "runtime", "worker"]


def test_news_waits_in_a_pill_while_rows_are_picked_or_the_list_is_paused(
    page: Page, quiet_room: Room, flower: RunningFlower
) -> None:
    page.goto(f"tasks?name={_TASK}.nap")
    expect(page.get_by_text("No task matches")).to_be_visible()
    app = quiet_room.app()
    slow = app.send_task(f"{_TASK}.nap", (2,)).id
    expect(page.locator(f"[id='task-{slow}']")).to_contain_text("STARTED", timeout=10_000)
    page.get_by_role("button", name="Pause").click()
    app.send_task(f"{_TASK}.nap", (0,))
    pill = page.locator("#pill")
    expect(pill).to_have_text("1 new", timeout=10_000)
    expect(rows(page)).to_have_count(1)
    pill.click()
    expect(rows(page)).to_have_count(2)
    page.get_by_role("button", name="Paused").click()
    rows(page).nth(1).get_by_role("checkbox").check()
    last = app.send_task(f"{_TASK}.nap", (0,)).id
    expect(pill).to_have_text("1 new", timeout=10_000)
    # What is there already changes where it stands.
    expect(page.locator(f"[id='task-{slow}']")).to_contain_text("SUCCESS", timeout=10_000)
    expect(rows(page).nth(1).get_by_role("checkbox")).to_be_checked()
    page.get_by_role("button", name="Clear").click()
    page.mouse.move(0, 0)
    expect(page.locator(f"[id='task-{last}']")).to_be_visible(timeout=5_000)


def test_tasks_picked_by_keyboard_and_mouse_are_revoked_after_a_question(
    page: Page, quiet_room: Room, flower: RunningFlower
) -> None:
    app = quiet_room.app()
    ids = [str(app.send_task(f"{_TASK}.later", (n,), queue="later").id) for n in range(4)]
    until(lambda: flower.get(f"/api/task/info/{ids[-1]}").status_code == 200, "they are known")
    page.goto("tasks?queue=later")
    expect(rows(page)).to_have_count(4)
    page.keyboard.press("j")
    page.keyboard.press("x")
    expect(page.locator("#bulk-what")).to_have_text("1 selected")
    page.keyboard.press("x")
    expect(page.locator("#bulk-what")).to_have_text("All 4 that match")
    rows(page).nth(0).get_by_role("checkbox").click()
    rows(page).nth(2).get_by_role("checkbox").click(modifiers=["Shift"])
    expect(page.locator("#bulk-what")).to_have_text("3 selected")
    page.reload()
    expect(page.locator("#bulk-what")).to_have_text("3 selected")
    page.get_by_role("button", name="Revoke…").click()
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text("Revoke 3 tasks?")
    expect(dialog).to_contain_text(f"3 \u00d7 {_TASK}.later")
    dialog.get_by_role("link", name="Cancel").click()
    expect(dialog).to_be_hidden()
    page.get_by_role("button", name="Revoke…").click()
    dialog.get_by_role("button", name="Revoke 3 tasks").click()
    expect(page.locator("#toasts")).to_contain_text("Revoked 3 tasks.")
    expect(page.locator("#bulk-what")).to_have_text("All 4 that match")
    inspect = app.control.inspect(["w1@test"], timeout=5)
    known = until(lambda: (inspect.revoked() or {}).get("w1@test"), "the worker knows")
    assert len(set(known) & set(ids)) == 3


def test_a_selection_and_all_that_match_are_downloaded(page: Page) -> None:
    page.goto(f"tasks?name={_TASK}.add&limit=15")
    page.get_by_role("link", name="Next").click()
    expect(page.get_by_text("16\u201320 of 20 tasks")).to_be_visible()
    page.locator("#pick-all").check()
    page.get_by_role("link", name="Previous").click()
    expect(page.get_by_text("1\u201315 of 20 tasks")).to_be_visible()
    expect(page.locator("#bulk-what")).to_have_text("5 selected")
    assert _download(page, "CSV", 5) == 5
    page.get_by_role("button", name="Clear").click()
    assert _download(page, "CSV", 20) == 20


def _download(page: Page, kind: str, number: int) -> int:
    page.get_by_role("button", name="Export…").click()
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text(f"Export {number} tasks")
    with page.expect_download() as download:
        dialog.get_by_role("button", name=kind).click()
    expect(dialog).to_be_hidden()
    with Path(download.value.path()).open(newline="") as file:
        return len(list(csv.DictReader(file)))


def test_what_tasks_bring_makes_no_element(page: Page) -> None:
    page.goto("tasks?columns=all")
    expect(rows(page)).not_to_have_count(0)
    page.get_by_role("searchbox").fill("name:evil")
    expect(options(page)).to_contain_text("<x-evil")
    page.get_by_role("searchbox").press("Escape")
    expect(rows(page)).to_have_count(1)
    rows(page).get_by_role("checkbox").check()
    page.get_by_role("button", name="Revoke…").click()
    expect(page.get_by_role("dialog")).to_contain_text("<script>alert(1)</script>")
    assert page.locator("x-evil, [onclick], [onerror], script:not([src])").count() == 0


@pytest.mark.parametrize("width", [390, 900, 1440])
def test_the_page_is_accessible_and_fits_with_everything_open(page: Page, width: int) -> None:
    page.set_viewport_size({"width": width, "height": 800})
    page.goto("tasks?state=SUCCESS&search=add&worker=w1@test")
    rows(page).first.get_by_role("checkbox").check()
    page.evaluate("for (const each of document.querySelectorAll('main details')) each.open = true")
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    page.get_by_role("searchbox").fill("sta")
    expect(options(page).first).to_be_visible()
    check_accessibility(page)


def test_the_question_is_accessible(page: Page) -> None:
    page.goto("tasks?state=PENDING")
    page.get_by_role("button", name="Terminate…").click()
    expect(page.get_by_role("dialog")).to_be_visible()
    check_accessibility(page)


def test_without_script_the_list_is_read_picked_from_and_exported(browser: Browser, flower: RunningFlower) -> None:
    context = browser.new_context(base_url=flower.url + "/", java_script_enabled=False, accept_downloads=True)
    page = context.new_page()
    page.goto("tasks?limit=15")
    expect(rows(page)).to_have_count(15)
    page.get_by_role("link", name="Next").click()
    page.locator("#facets").get_by_title(f"{_TASK}.add").click()
    rows(page).nth(0).get_by_role("checkbox").check()
    page.get_by_role("button", name="Revoke…").click()
    expect(page.get_by_role("heading", name="Nothing to revoke")).to_be_visible()
    page.get_by_role("link", name="Back").click()
    page.get_by_role("button", name="Export…").click()
    with page.expect_download() as download:
        page.get_by_role("button", name="JSON").click()
    assert download.value.suggested_filename.endswith(".json")
    page.goto("tasks?search=nothing+like+this")
    page.get_by_role("link", name="Show all tasks").click()
    expect(rows(page)).not_to_have_count(0)
    context.close()


def test_another_order_needs_no_new_page_and_the_list_follows_again_after_it(
    page: Page, flower: RunningFlower, quiet_room: Room
) -> None:
    page.goto("tasks")
    expect(page.get_by_role("button", name="Pause")).to_be_visible()
    page.evaluate("document.body.dataset.loaded = 'once'")
    page.locator("th[data-column=name] a").click()
    expect(page).to_have_url(re.compile("sort_by=name"))
    expect(page.get_by_role("button", name="Pause")).to_have_count(0)
    expect(page.locator("th[data-column=name]")).to_have_attribute("aria-sort", "ascending")
    expect(page.locator("th[data-column=name] use")).to_have_attribute("href", re.compile("#sort-ascending$"))
    expect(page.locator("#following").get_by_role("link", name="Refresh")).to_be_visible()
    page.locator("th[data-column=received] a").click()
    expect(page).to_have_url(re.compile("/tasks$"))
    pause = page.get_by_role("button", name="Pause")
    pause.click()
    expect(pause).to_have_attribute("aria-pressed", "true")
    pause.click()
    page.mouse.move(0, 0)
    sent = quiet_room.app().send_task(f"{_TASK}.add", (2, 3))
    expect(page.locator(f"#results a[href$='{sent.id}']").first).to_be_visible(timeout=15_000)
    assert page.evaluate("document.body.dataset.loaded") == "once"


@pytest.mark.parametrize(
    "interaction", [each for each in INTERACTIONS if each.starts == "tasks"], ids=lambda each: each.name
)
def test_what_the_benchmark_times_is_there_and_answers(page: Page, interaction: Interaction) -> None:
    [milliseconds] = took(page, interaction._replace(starts="tasks?limit=15"), 1)
    assert milliseconds > 0
