"""Logging in through a real identity provider that looks like Google, GitHub, GitLab and Okta."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import httpx
import pytest
from tests.system.provider import COOKIE_SECRET, ENDPOINTS, SECRET, Browser, IdentityProvider
from tests.system.support import Launcher, RunningFlower

pytestmark = pytest.mark.system

PROVIDERS = list(ENDPOINTS)
CLOCK = """
import os, pathlib, time

_now, _ahead = time.time, pathlib.Path(os.environ["TEST_CLOCK_AHEAD"])
time.time = lambda: _now() + float(_ahead.read_text())
"""
"""Runs at the start of a Python that finds it as `sitecustomize`: its clock goes as far ahead as a file says."""

Flowers = Callable[[str], RunningFlower]
Visit = Callable[[str], Browser]


@pytest.fixture(scope="module")
def idp(launch_once: Launcher, need_service: Callable[[str], str]) -> IdentityProvider:
    provider = IdentityProvider(launch_once, Path(need_service("idp")))
    provider.start()
    return provider


class Clock:
    """Puts the clocks of processes ahead that find `folder` on their path."""

    def __init__(self, folder: Path) -> None:
        self._file = folder / "ahead"
        self.environment = {"PYTHONPATH": str(folder), "TEST_CLOCK_AHEAD": str(self._file)}
        (folder / "sitecustomize.py").write_text(CLOCK)
        self.put_ahead(0)

    def put_ahead(self, seconds: float) -> None:
        new = self._file.with_suffix(".new")
        new.write_text(str(seconds))
        new.replace(self._file)


@pytest.fixture(scope="module")
def clock(tmp_path_factory: pytest.TempPathFactory) -> Clock:
    return Clock(tmp_path_factory.mktemp("clock"))


@pytest.fixture(scope="module")
def flowers(idp: IdentityProvider, clock: Clock) -> Iterator[Flowers]:
    """Return `flowers(name)`, one Flower for each provider."""
    running: dict[str, RunningFlower] = {}

    def flower(name: str) -> RunningFlower:
        if name not in running:
            running[name] = idp.flower(name, clock.environment)
        return running[name]

    yield flower
    for name, each in running.items():
        output = each.process.output()
        assert SECRET not in output, name  # S35, with --debug
        assert COOKIE_SECRET not in output, name
        assert "Traceback" not in output, output


@pytest.fixture(params=PROVIDERS)
def name(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def visit(idp: IdentityProvider, flowers: Flowers) -> Iterator[Visit]:
    """Return `visit(name)`, a new browser at the Flower of a provider."""
    with ExitStack() as stack:

        def browser(name: str) -> Browser:
            flowers(name)
            return stack.enter_context(Browser(f"http://localhost:{idp.ports[name]}"))

        yield browser


@pytest.fixture
def browser(visit: Visit, name: str) -> Browser:
    return visit(name)


def refused(reply: httpx.Response, *words: str, status: int = 403) -> None:
    assert reply.status_code == status, (reply.status_code, reply.text[:1000])
    assert "text/html" in reply.headers["Content-Type"]
    assert all(word in reply.text for word in words), (words, reply.text[:3000])
    assert "Traceback" not in reply.text
    assert SECRET not in reply.text


def test_who_may_enter_gets_in_and_to_the_page_asked_for(browser: Browser) -> None:
    """S27: the deep link survives byte for byte."""
    page = "/tasks?a=1&b=%2F%26&c=%C3%BC"
    reply = browser.log_in("ann", page)
    assert reply.status_code == 302, reply.text[:1000]
    assert reply.headers["Location"] == page
    shown = browser.get(page)
    assert shown.status_code == 200
    assert "ann@example.com" in shown.text


@pytest.mark.parametrize("user", ["mallory", "carl", "una"])
def test_another_address_another_group_and_an_unverified_address_stay_out(browser: Browser, user: str) -> None:
    """S17, S18, S19, S20."""
    refused(browser.log_in(user))
    assert not browser.is_in()


def test_a_blocked_account_stays_out(visit: Visit) -> None:
    """S18."""
    browser = visit("gitlab")
    refused(browser.log_in("bob"), "Access denied. Please use another account or contact your admin.")
    assert not browser.is_in()


def test_consent_that_is_refused_is_told_and_does_not_loop(browser: Browser) -> None:
    """S26."""
    reply = browser.log_in("deny")
    refused(reply, "access_denied", "&lt;b&gt;said&lt;/b&gt;")
    assert not browser.is_in()


def test_a_code_for_another_verifier_lets_nobody_in(browser: Browser) -> None:
    """S24."""
    url = httpx.URL(browser.leave())
    assert url.params["code_challenge_method"] == "S256"
    swapped = url.copy_set_param("code_challenge", "x" * len(url.params["code_challenge"]))
    refused(browser.get(browser.consent(str(swapped), "ann")))
    assert not browser.is_in()


def test_a_code_cannot_be_used_twice(browser: Browser, visit: Visit, name: str) -> None:
    first = browser.come_back("ann")
    assert browser.get(first).status_code == 302
    thief = visit(name)
    own = httpx.URL(thief.come_back("mallory"))
    refused(thief.get(str(own.copy_set_param("code", httpx.URL(first).params["code"]))))
    assert not thief.is_in()


def test_a_state_counts_once_and_in_its_own_browser_only(browser: Browser, visit: Visit, name: str) -> None:
    """S25."""
    back = browser.come_back("ann")
    words = "OAuth authenticator error: State tokens do not match. Please try logging in again."
    refused(visit(name).get(back), words)
    kept = httpx.Cookies(browser.client.cookies)
    assert browser.get(back).status_code == 302
    browser.client.cookies = kept
    refused(browser.get(back), words)
    assert not browser.is_in()


def test_a_state_of_another_provider_does_not_count(
    browser: Browser, idp: IdentityProvider, name: str, flowers: Flowers
) -> None:
    """S25: mixed up, though the Flowers share a secret and the browser sends its cookies to each."""
    other = PROVIDERS[PROVIDERS.index(name) - 1]
    flowers(other)
    back = httpx.URL(browser.come_back("ann"))
    mixed = back.copy_with(port=idp.ports[other])
    refused(browser.client.get(mixed), "State tokens do not match")
    assert browser.client.get(mixed.copy_with(path="/workers", query=None)).status_code == 302


def test_a_state_is_too_old_after_ten_minutes(browser: Browser, clock: Clock) -> None:
    """S25."""
    late, later = browser.come_back("ann"), browser.come_back("ann")
    try:
        clock.put_ahead(590)
        assert (reply := browser.get(late)).status_code == 302, reply.text
        browser.client.cookies.delete("_xsrf")
        clock.put_ahead(610)
        refused(browser.get(later), "10 minutes")
    finally:
        clock.put_ahead(0)


def test_logging_out_ends_the_session_for_good(browser: Browser) -> None:
    """S28."""
    assert browser.log_in("ann").status_code == 302
    assert browser.is_in()
    stolen = httpx.Cookies(browser.client.cookies)
    assert browser.post("/logout").status_code in (302, 303)
    assert not browser.is_in()
    browser.client.cookies = stolen
    assert not browser.is_in()


def test_a_bearer_token_opens_the_api_and_nothing_else(idp: IdentityProvider, flowers: Flowers, name: str) -> None:
    flowers(name)
    url = f"http://localhost:{idp.ports[name]}"
    ann = {"Authorization": f"Bearer {idp.token(name, 'ann')}"}
    assert httpx.get(f"{url}/api/workers", headers=ann).status_code == 200
    assert httpx.get(f"{url}/workers", headers=ann).status_code == 302
    strangers = [idp.token(name, "mallory"), idp.token(name, "carl"), idp.token(name, "ann", "another"), "x" * 43]
    for token in strangers:
        reply = httpx.get(f"{url}/api/workers", headers={"Authorization": f"Bearer {token}"})
        assert reply.status_code == 401, (token, reply.text)


@pytest.mark.parametrize(
    "lie",
    [
        {"body": {"error": "bad_verification_code", "error_description": "no"}},
        {"body": []},
        {"raw": "<html>Sign in</html>"},
        {"raw": '{"email": NaN, "access_token": NaN}'},
        {"status": 500, "body": {}},
        {"status": 302, "location": "/elsewhere", "body": {}},
        {"body": {"email": ["ann@example.com"], "email_verified": "true", "access_token": 5, "state": "active"}},
        {"body": [{"email": "ann@example.com", "verified": "true"}]},
    ],
    ids=["error", "list", "html", "nan", "broken", "redirect", "types", "verified"],
)
def test_a_provider_that_talks_nonsense_lets_nobody_in(
    browser: Browser, idp: IdentityProvider, name: str, lie: dict[str, Any]
) -> None:
    """S20."""
    _, token, user = ENDPOINTS[name]
    # Google's id_token says who somebody is; its user is asked for bearers only
    for path in [token] if name == "google" else [token, user]:
        back = browser.come_back("ann")
        idp.fail(**{path: lie})
        try:
            reply = browser.get(back)
        finally:
            idp.fail()
        assert reply.status_code in (403, 502), (path, reply.status_code, reply.text[:500])
        refused(reply, status=reply.status_code)
    assert not browser.is_in()


def test_a_provider_that_hangs_or_is_down_lets_nobody_in_and_holds_nothing_up(
    idp: IdentityProvider, flowers: Flowers, visit: Visit
) -> None:
    browsers = {name: visit(name) for name in PROVIDERS}
    backs = {name: browser.come_back("ann") for name, browser in browsers.items()}
    idp.fail(**{ENDPOINTS[name][1]: {"hang": True} for name in PROVIDERS})
    with ThreadPoolExecutor() as pool:
        began = time.monotonic()
        waiting = [pool.submit(browsers[name].get, back) for name, back in backs.items()]
        for name in PROVIDERS:
            assert flowers(name).get("/healthcheck").elapsed.total_seconds() < 2
        for reply in waiting:
            refused(reply.result(), "10 seconds", status=502)
        assert 8 < time.monotonic() - began < 20
    idp.fail()
    backs = {name: browser.come_back("ann") for name, browser in browsers.items()}
    idp.kill()
    try:
        for name, back in backs.items():
            refused(browsers[name].get(back), "could not be had", status=502)
            assert not browsers[name].is_in()
    finally:
        idp.start()
    for browser in browsers.values():  # Google's among them, which signs with another key now
        assert browser.log_in("ann").status_code == 302
