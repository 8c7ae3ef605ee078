"""Logging in and out in a real browser, by a login handler of one's own."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect
from tests.system.browsing import watched
from tests.system.support import Launcher, Room, RunningFlower

pytestmark = [pytest.mark.system, pytest.mark.browser]

HANDLER = '''
import html

from flower.views import BaseHandler


class Form(BaseHandler):
    """Believes whatever one types."""

    def get(self):
        page = html.escape(self.get_argument("next", "/"))
        self.write("<!doctype html><link rel=icon href='data:,'>")
        self.write(f"<form method=post><input type=hidden name=next value='{page}'>")
        self.write("<label>Name <input name=name></label></form>")

    def post(self):
        self.set_signed_cookie("user", self.get_argument("name"))
        self.redirect(self.get_argument("next"))
'''


@pytest.fixture
def flower(launch: Launcher, redis_room: Room, tmp_path: Path) -> RunningFlower:
    (tmp_path / "my_form.py").write_text(HANDLER)
    logins = ["--auth=.*@example.com", "--auth_provider=my_form.Form"]
    return launch.flower(redis_room, "--address=127.0.0.1", *logins, cwd=tmp_path)


@pytest.fixture
def page(browser: Browser, flower: RunningFlower) -> Iterator[Page]:
    """Return a page that fails its test for any console error, script error or request to another host."""
    with watched(browser, flower.url) as page:
        yield page


def test_one_logs_in_lands_where_one_wanted_to_be_and_logs_out(page: Page) -> None:
    """S27, S28"""
    page.goto("tasks?search=state%3AFAILURE&sort=name")
    page.get_by_label("Name").fill("ann@example.com")
    page.get_by_label("Name").press("Enter")
    page.wait_for_url("**/tasks?search=state%3AFAILURE&sort=name")
    expect(page.get_by_text("ann@example.com")).to_be_visible()
    page.goto("plugins")  # which asks for nothing by itself, so that nothing is refused while one leaves
    page.get_by_role("banner").get_by_role("button", name="Log out").click()
    expect(page.get_by_role("heading", name="Logged out")).to_be_visible()
    page.get_by_role("link", name="Log in again").click()
    expect(page.get_by_label("Name")).to_be_visible()


def test_the_page_asks_before_everybody_is_logged_out(page: Page) -> None:
    """S28"""
    page.goto("login")
    page.get_by_label("Name").fill("ann@example.com")
    page.get_by_label("Name").press("Enter")
    expect(page.get_by_text("ann@example.com")).to_be_visible()
    page.goto("logout")
    expect(page.get_by_role("heading", name="Log out?")).to_be_visible()
    expect(page.get_by_text("You are logged in as ann@example.com.")).to_be_visible()
    page.get_by_role("button", name="Log everybody out").click()
    expect(page.get_by_role("heading", name="Logged out")).to_be_visible()


def test_a_page_whose_session_ended_elsewhere_leads_to_the_login(
    browser: Browser, flower: RunningFlower, redis_room: Room
) -> None:
    """S58: not watched, since Chromium complains of the 401 that tells the page."""
    with browser.new_context(base_url=f"{flower.url}/") as context:
        page, other = context.new_page(), context.new_page()
        page.goto("tasks")
        page.get_by_label("Name").fill("ann@example.com")
        page.get_by_label("Name").press("Enter")
        expect(page.get_by_text("Live", exact=True)).to_be_visible()
        other.goto("logout")
        other.get_by_role("main").get_by_role("button", name="Log out").click()
        expect(other.get_by_role("heading", name="Logged out")).to_be_visible()
        page.bring_to_front()
        redis_room.app().send_task("tests.system.cluster.add", (1, 2))
        expect(page.get_by_label("Name")).to_be_visible(timeout=10_000)
        assert page.url.endswith("/login?next=/tasks")
