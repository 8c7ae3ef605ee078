"""Logging in, being turned away and logging out in a real browser, with the provider that looks like GitLab."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect
from tests.system.provider import IdentityProvider
from tests.system.support import Launcher, RunningFlower

pytestmark = [pytest.mark.system, pytest.mark.browser]

# What Chromium says of any such page, and of one that asks for news after its session has ended.
_DENIED = tuple(f"Failed to load resource: the server responded with a status of {status}" for status in (401, 403))


@pytest.fixture(scope="module")
def idp(launch_once: Launcher, need_service: Callable[[str], str]) -> IdentityProvider:
    provider = IdentityProvider(launch_once, Path(need_service("idp")))
    provider.start()
    return provider


@pytest.fixture(scope="module")
def flower(idp: IdentityProvider) -> RunningFlower:
    return idp.flower("gitlab", {})


@pytest.fixture
def page(browser: Browser, idp: IdentityProvider, flower: RunningFlower) -> Iterator[Page]:
    """Return a page at localhost; the provider is at 127.0.0.1, which is another site with other cookies."""
    complaints: list[str] = []
    site = f"http://localhost:{idp.ports['gitlab']}"
    context = browser.new_context(base_url=site, viewport={"width": 1440, "height": 900})
    page = context.new_page()

    def hear(text: str) -> None:
        if not text.startswith(_DENIED):
            complaints.append(text)

    page.on("console", lambda line: hear(line.text) if line.type in ("error", "warning") else None)
    page.on("pageerror", lambda error: hear(str(error)))
    page.on("request", lambda each: None if each.url.startswith((site, idp.url, "data:")) else hear(each.url))
    yield page
    context.close()
    assert complaints == []


def test_a_person_logs_in_lands_where_they_wanted_and_logs_out(page: Page) -> None:
    """S27, S28."""
    page.goto("/tasks?state=FAILURE")
    expect(page.get_by_role("heading", name="Who are you?")).to_be_visible()
    page.get_by_role("link", name="ann").click()
    expect(page).to_have_url(re.compile(r"^http://localhost:\d+/tasks\?state=FAILURE$"))
    expect(page.get_by_text("ann@example.com").first).to_be_visible()
    page.get_by_role("button", name="Log out").first.click()
    expect(page).to_have_url(re.compile(r"/logout$"))
    expect(page.get_by_text("You are logged out.")).to_be_visible()
    reply = page.request.get("/tasks", max_redirects=0)
    assert reply.status == 302


@pytest.mark.parametrize(("user", "words"), [("mallory", "Access denied."), ("deny", "access_denied")])
def test_who_may_not_enter_is_told_so_and_stays_out(page: Page, user: str, words: str) -> None:
    """S26."""
    page.goto("/workers")
    page.get_by_role("link", name=user).click()
    expect(page.get_by_text(words)).to_be_visible()
    expect(page).to_have_url(re.compile(r"/login\?"))
    assert page.locator("main b").count() == 0  # what the provider says is text, never HTML
    reply = page.request.get("/workers", max_redirects=0)
    assert reply.status == 302
