"""Every page in a real browser, behind nginx as documented, under a prefix: accessible, clean, and inert."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs, quote, urlsplit

import pytest
from playwright.sync_api import Browser, Page, expect
from tests.system.browsing import INJECTED, check_accessibility, watched
from tests.system.nginx import PREFIXED, listening, start_nginx
from tests.system.servers import free_port
from tests.system.support import Launcher, Publisher, Room, RunningFlower, until

pytestmark = [pytest.mark.system, pytest.mark.browser]

_EVIL = "\"'><x-evil onclick=alert(1)></x-evil><script>alert(1)</script><img src=x onerror=alert(1)>"
_TASK = "tests.system.cluster"
_MISSING = "the server responded with a status of 404"
PAGES = {
    "overview": "",
    "chart by task": "?by=task&span=5m",
    "runtimes": "?measure=runtime&span=5m",
    "workers": "workers",
    "worker": "worker/w1@test",
    "tasks": "tasks?limit=15",
    "failed task": "task/{failed}",
    "task types": "task-types",
    "broker": "broker",
    "plugins": "plugins",
    "API": "api/docs",
    "log out": "logout",
    "error": "no/such/page",
    "question about a worker": "worker/w1@test/confirm?action=pool-grow",
    "question about workers": "workers/confirm?action=consumer-add&worker=w1@test",
    "question about tasks": "tasks/confirm?action=revoke&state=PENDING",
}


@dataclass
class Place:
    """Where a browser finds Flower, and a task that failed there."""

    url: str
    failed: str

    def path(self, page: str) -> str:
        """Return a page's address below the prefix."""
        return PAGES[page].format(failed=self.failed)


@pytest.fixture(scope="module")
def place(
    launch_once: Launcher,
    quiet_room: Room,
    need_service: Callable[[str], str],
    tmp_path_factory: pytest.TempPathFactory,
) -> Place:
    flower = launch_once.flower(quiet_room, "--address=localhost", "--url_prefix=flower")
    launch_once.worker(quiet_room)
    until(lambda: flower.json("/api/workers?status=1").get("w1@test"), "the worker is online")
    port, folder = free_port(), tmp_path_factory.mktemp("nginx")
    start_nginx(launch_once, need_service("nginx"), folder, {port: listening(PREFIXED, port, flower)})
    return Place(f"http://127.0.0.1:{port}/flower", fill(flower, quiet_room))


def fill(flower: RunningFlower, room: Room) -> str:
    """Have tasks of every kind, and hostile texts wherever events and orders carry any; return a failed one's id."""
    app = room.app()
    for n in range(12):
        app.send_task(f"{_TASK}.add", (n, 1))
    failed: str = app.send_task(f"{_TASK}.fail", (_EVIL,)).id
    app.send_task(f"{_TASK}.{_EVIL}", (_EVIL,), queue=_EVIL)
    order = flower.client.post("/api/worker/queue/add-consumer/w1@test", params={"queue": _EVIL})
    assert order.status_code == 200, order.text
    with Publisher(room) as publisher:

        def tell(kind: str, **fields: Any) -> None:
            publisher.send({"type": kind, "hostname": _EVIL, "timestamp": time.time(), "clock": 1, **fields})

        names = "name root_id parent_id args kwargs eta expires queue exchange routing_key exception traceback result"
        hostile = dict.fromkeys(names.split(), _EVIL)
        system = dict.fromkeys("sw_ident sw_ver sw_sys loadavg".split(), _EVIL)
        tell("worker-heartbeat", freq=2.0, active=1, processed=3, **system)
        for kind in ("task-sent", "task-received", "task-started", "task-failed"):
            tell(kind, uuid="evil", **hostile)
        tell(f"task-{_EVIL}", uuid="evil", **{_EVIL: _EVIL})

    def state(uuid: str) -> Any:
        answer = flower.get(f"/api/task/info/{uuid}")
        return answer.json()["state"] if answer.status_code == 200 else None

    until(lambda: state(failed) == state("evil") == "FAILURE", "the tasks have failed")
    until(lambda: flower.get("/api/tasks?state=SUCCESS&limit=1").headers["X-Total-Count"] == "12", "all are done")
    return failed


@pytest.fixture
def page(browser: Browser, place: Place) -> Iterator[Page]:
    with watched(browser, place.url, expected=_MISSING) as page:
        yield page


@pytest.mark.parametrize("name", [name for name in PAGES if name not in ("chart by task", "runtimes")])
def test_a_page_is_accessible_and_fits_at_three_widths_in_both_themes(page: Page, place: Place, name: str) -> None:
    page.goto(place.path(name))
    for width in (1440, 900, 390):
        page.set_viewport_size({"width": width, "height": 800})
        expect(page.get_by_role("heading", level=1)).to_have_count(1)
        assert page.evaluate("document.documentElement.scrollWidth") <= width, width
        check_accessibility(page)
        # One macro makes all entries of the API's reference: once all of them are checked, a few of them are enough.
        page.evaluate("for (const each of document.querySelectorAll('.api-entry:nth-of-type(n+6)')) each.remove()")
    assert page.locator(INJECTED).count() == 0


def test_what_opens_over_a_page_is_accessible(page: Page) -> None:
    page.goto("worker/w1@test")
    page.get_by_role("button", name="Keyboard shortcuts").click()
    expect(page.get_by_role("dialog")).to_be_visible()
    check_accessibility(page)
    page.keyboard.press("Escape")
    page.get_by_role("button", name="Grow").click()
    expect(page.get_by_role("dialog")).to_contain_text("Add 1 to the pool?")
    check_accessibility(page)
    page.keyboard.press("Escape")
    page.locator("#freshness summary").click()
    expect(page.get_by_role("heading", name="Event stream")).to_be_visible()
    check_accessibility(page)


@pytest.mark.parametrize(
    "path", ["", "?by=task", "?by=queue", "?by=worker", "workers", "tasks", "task-types", "broker"]
)
def test_hostile_texts_are_shown_as_texts(page: Page, path: str) -> None:
    """S14, S15"""
    page.goto(path)
    expect(page.locator("main")).to_contain_text("<x-evil onclick=alert(1)>"[:24])
    assert page.locator(INJECTED).count() == 0


@pytest.mark.parametrize("path", ["task/evil", f"worker/{quote(_EVIL, safe='')}", "worker/w1@test"])
def test_hostile_texts_are_texts_on_pages_of_their_own(page: Page, path: str) -> None:
    """S14, S15"""
    page.goto(path)
    expect(page.locator("main")).to_contain_text("<script>alert(1)</script>")
    assert page.locator(INJECTED).count() == 0


def test_the_numbers_under_a_bar_are_texts(page: Page) -> None:
    """S15"""
    page.goto("?by=task&span=5m")
    plot = page.get_by_role("slider")
    plot.focus()
    note = page.locator(".plot-note")
    for _ in range(150):
        if "x-evil" in (note.text_content() or ""):
            break
        plot.press("ArrowLeft")
    expect(note).to_contain_text("<x-evil onclick")
    assert page.locator(INJECTED).count() == 0


def test_a_bar_is_reached_told_and_opened_by_keyboard(page: Page) -> None:
    page.goto("?span=5m")
    plot = page.get_by_role("slider", name=re.compile("^Count by state"))
    plot.focus()
    assert plot.evaluate("each => each.ariaValueNow === each.ariaValueMax && Number(each.ariaValueMax) >= 100")
    text = plot.get_attribute("aria-valuetext")
    plot.press("ArrowLeft")
    expect(plot).not_to_have_attribute("aria-valuetext", text or "")
    for _ in range(150):
        if "Succeeded" in (plot.get_attribute("aria-valuetext") or ""):
            break
        plot.press("ArrowLeft")
    expect(plot).to_have_attribute("aria-valuetext", re.compile(r"^\d\d:\d\d:\d\d, .*Succeeded: \d+"))
    expect(page.locator(".plot-note")).to_contain_text("Succeeded")
    with page.expect_response(lambda response: "fragment=1" in response.url):
        pass  # The page is drawn anew every few seconds.
    expect(plot).to_be_focused()
    plot.press("Enter")
    page.wait_for_url(re.compile(r"/flower/tasks\?"))
    expect(page.locator("#results tbody tr").first).to_be_visible()


def test_a_stretch_that_is_drawn_over_leads_to_its_tasks(page: Page) -> None:
    page.goto("?span=5m")
    box = page.locator("#main-chart .plot svg").bounding_box()
    assert box is not None
    middle = box["y"] + box["height"] / 2
    page.mouse.move(box["x"] + box["width"] * 0.25, middle)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] * 0.75, middle, steps=4)
    assert float(page.locator("#main-chart .brush").get_attribute("width") or 0) > 50
    page.mouse.up()
    page.wait_for_url(re.compile(r"/flower/tasks\?"))
    search = parse_qs(urlsplit(page.url).query)["search"][0]
    start, end = re.findall(r"received:[<>]=(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)", search)
    assert 120 <= _seconds(end) - _seconds(start) <= 180
    expect(page.get_by_role("searchbox")).to_have_value(search)
    expect(page.locator("#search-error")).to_have_text("")


def _seconds(moment: str) -> float:
    return time.mktime(time.strptime(moment, "%Y-%m-%dT%H:%M:%S"))


def test_every_page_is_read_without_javascript(browser: Browser, place: Place) -> None:
    context = browser.new_context(base_url=f"{place.url}/", java_script_enabled=False)
    page = context.new_page()
    for name in PAGES:
        answer = page.goto(place.path(name))
        assert answer is not None
        assert answer.status == (404 if name == "error" else 200), name
        expect(page.get_by_role("heading", level=1)).to_have_count(1)
        expect(page.get_by_role("navigation", name="Main").get_by_role("link")).not_to_have_count(0)
        assert page.locator(INJECTED).count() == 0
    page.goto("")
    assert page.locator("#main-chart path[class^=fill-]").count() > 0
    page.get_by_role("link", name="By task").click()
    expect(page.locator("#main-chart .legend")).to_contain_text(f"{_TASK}.add")
    page.goto("task-types")
    page.get_by_role("link", name="Runtime p50").click()
    expect(page.get_by_role("columnheader", name="Runtime p50")).to_have_attribute("aria-sort", "descending")
    page.goto("broker")
    page.get_by_role("link", name="5 minutes").click()
    expect(page.get_by_role("table")).to_contain_text("celery")
    context.close()
