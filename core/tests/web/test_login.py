"""Logging in and out over real HTTP, with a login provider in memory."""

from __future__ import annotations

import json
import logging
import re
import time
from collections.abc import Awaitable, Callable, Mapping
from typing import Any
from urllib.parse import parse_qs, quote, urlsplit

import pytest

from flower_plugins import Identity
from flower_plugins.testing import FakeClock, FakeLoginProvider

ANN = Identity("ann@example.com", "fake", frozenset(("ops",)))
EVE = Identity("eve@evil.example", "fake")
PEOPLE = {"ann": [ANN], "eve": [EVE], "both": [ANN, EVE], "two": [Identity("a@example.com", "fake"), ANN]}
OURS = {"Sec-Fetch-Site": "same-origin"}
HTTPS = {"X-Forwarded-Proto": "https"}
DENIED = "Access denied. Please use another account or ask your admin to add your email to flower --auth."
MISMATCH = "OAuth authenticator error: State tokens do not match. Please try logging in again."


class Browser:
    """Keeps cookies, follows nothing by itself."""

    def __init__(self, client: Any, headers: Mapping[str, str] | None = None) -> None:
        self.client, self.headers = client, dict(headers or {})
        self.jar: dict[str, str] = {}
        self.lines: list[str] = []

    async def go(
        self, path: str, method: str = "GET", headers: Mapping[str, str] | None = None, body: str | None = None
    ) -> Any:
        sent = {**self.headers, **(headers or {})}
        if self.jar:
            sent["Cookie"] = "; ".join(f"{name}={value}" for name, value in self.jar.items())
        response = await self.client.fetch(path, method, body, sent)
        self.lines = response.headers.get_list("Set-Cookie")
        for line in self.lines:
            name, _, value = line.partition(";")[0].partition("=")
            self.jar.pop(name, None)
            if value:
                self.jar[name] = value
        return response

    async def leave_for_provider(self, next_page: str = "") -> str:
        """Begin a login and return its state."""
        response = await self.go(f"/login?next={quote(next_page, safe='')}" if next_page else "/login")
        assert response.code == 302, response.body
        return parse_qs(urlsplit(response.headers["Location"]).query)["state"][0]

    async def log_in(self, code: str = "ann", next_page: str = "") -> Any:
        state = await self.leave_for_provider(next_page)
        return await self.go(f"/login?code={code}&state={quote(state)}")

    def session(self) -> str:
        (value,) = (value for name, value in self.jar.items() if "flower_session" in name)
        return value


@pytest.fixture
def provider() -> FakeLoginProvider:
    return FakeLoginProvider(people=PEOPLE)


@pytest.fixture
def play(site: Any, provider: FakeLoginProvider) -> Callable[..., Any]:
    """Return what runs a scenario with a browser at a site with a login page."""

    def run(
        scenario: Callable[[Browser], Awaitable[Any]], headers: Mapping[str, str] | None = None, **more: Any
    ) -> Any:
        return site(login=provider, **more).visit(lambda client: scenario(Browser(client, headers)))

    return run


def text(response: Any) -> str:
    return (response.body or b"").decode()


def audited(caplog: pytest.LogCaptureFixture) -> list[tuple[str, str, str]]:
    lines = [json.loads(record.getMessage()) for record in caplog.records if record.name == "flower.audit"]
    return [(line["action"], line["identity"], line["outcome"]) for line in lines]


@pytest.mark.parametrize("path", ["/", "/things/a%2Fb", "/things/x?a=1&b=2", "/?next=//evil.example"])
def test_a_page_without_a_session_leads_to_the_login_and_back_byte_for_byte(play: Any, path: str) -> None:
    """S27"""

    async def scenario(browser: Browser) -> None:
        sent = await browser.go(path)
        assert sent.code == 302
        login = urlsplit(sent.headers["Location"])
        assert login.path == "/login"
        assert parse_qs(login.query) == {"next": [path]}
        away = await browser.go(sent.headers["Location"])
        state = parse_qs(urlsplit(away.headers["Location"]).query)["state"][0]
        back = await browser.go(f"/login?code=ann&state={state}")
        assert (back.code, back.headers["Location"]) == (302, path)
        there = await browser.go(path)
        assert (there.code, text(there)) == (200, "ann@example.com may write")

    play(scenario)


def test_under_a_prefix_everything_stays_under_it(play: Any) -> None:
    async def scenario(browser: Browser) -> None:
        sent = await browser.go("/flower/things/x")
        assert sent.headers["Location"] == "/flower/login?next=/flower/things/x"
        away = await browser.go(sent.headers["Location"])
        query = parse_qs(urlsplit(away.headers["Location"]).query)
        assert query["redirect_uri"] == ["http://localhost/flower/login"]
        back = await browser.go(f"/flower/login?code=ann&state={query['state'][0]}")
        assert back.headers["Location"] == "/flower/things/x"

    play(scenario, prefix="/flower")


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/", 302),
        ("HEAD", "/", 302),
        ("POST", "/act", 401),
        ("GET", "/api/things", 401),
        ("POST", "/api/act", 401),
        ("POST", "/api/end", 401),
        ("GET", "/open", 200),
        ("GET", "/probe", 200),
        ("GET", "/nowhere", 404),
    ],
)
def test_strangers_are_sent_to_the_login_by_pages_alone(play: Any, method: str, path: str, status: int) -> None:
    async def scenario(browser: Browser) -> int:
        return int((await browser.go(path, method)).code)

    assert play(scenario) == status


def test_a_script_in_the_background_is_not_sent_to_another_site(play: Any) -> None:
    async def scenario(browser: Browser) -> tuple[int, bool]:
        response = await browser.go("/", headers={"Sec-Fetch-Dest": "empty", **OURS})
        return response.code, "Location" in response.headers

    assert play(scenario) == (401, False)


def test_the_provider_gets_one_ticket_and_finishes_the_same(play: Any, provider: FakeLoginProvider) -> None:
    """S24, S25"""

    async def scenario(browser: Browser) -> None:
        await browser.log_in()
        assert provider.tickets == provider.finished
        assert not [name for name in browser.jar if "flower_login" in name]

    play(scenario)


def test_a_state_counts_once_even_with_its_cookie(play: Any) -> None:
    """S25"""

    async def scenario(browser: Browser) -> None:
        state = await browser.leave_for_provider()
        before = dict(browser.jar)
        assert (await browser.go(f"/login?code=ann&state={state}")).code == 302
        browser.jar = before
        again = await browser.go(f"/login?code=ann&state={state}")
        assert (again.code, text(again)) == (403, MISMATCH)
        assert not browser.lines

    play(scenario)


@pytest.mark.parametrize("query", ["code=ann", "state=x", "code=ann&state=x", "code=ann&state=", "code=&state=%FF%00"])
def test_an_answer_nobody_asked_for_is_refused(play: Any, query: str) -> None:
    """S25"""

    async def scenario(browser: Browser) -> tuple[int, str, list[str]]:
        await browser.leave_for_provider()
        response = await browser.go(f"/login?{query}")
        return response.code, text(response), browser.lines

    assert play(scenario) == (403, MISMATCH, [])


def test_another_browser_cannot_use_the_answer(play: Any) -> None:
    """S25"""

    async def scenario(browser: Browser) -> int:
        state = await browser.leave_for_provider()
        return int((await Browser(browser.client).go(f"/login?code=ann&state={state}")).code)

    assert play(scenario) == 403


def test_ten_minutes_are_enough(play: Any, clock: FakeClock) -> None:
    """S25"""

    async def scenario(browser: Browser) -> tuple[int, str]:
        state = await browser.leave_for_provider()
        clock.now += 601
        response = await browser.go(f"/login?code=ann&state={state}")
        return response.code, text(response)

    status, body = play(scenario, clock=clock)
    assert status == 403
    assert "10 minutes" in body


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


def test_a_refusal_by_the_provider_is_shown_and_not_followed(play: Any, provider: FakeLoginProvider) -> None:
    """S26"""

    async def scenario(browser: Browser) -> None:
        state = await browser.leave_for_provider()
        asked = len(provider.tickets)
        for query in (
            f"error=access_denied&state={state}",
            "error=%3Cscript%3E&error_description=" + "x" * 5000,
            "error=",
        ):
            response = await browser.go(f"/login?{query}")
            assert response.code == 403
            assert "Location" not in response.headers
            assert len(text(response)) < 400
        assert len(provider.tickets) == asked
        assert "access_denied" in text(await browser.go("/login?error=access_denied"))

    play(scenario)


@pytest.mark.parametrize(
    ("code", "status", "body"),
    [
        ("eve", 403, DENIED),
        ("nobody", 403, DENIED),
        ("refuse", 403, "This account has no verified address"),
        ("fail", 502, "The provider does not answer"),
        ("crash", 502, "The login provider failed. The server's log says how."),
    ],
)
def test_who_may_not_enter_gets_a_reason_and_no_session(
    play: Any, code: str, status: int, body: str, caplog: pytest.LogCaptureFixture
) -> None:
    """S36"""
    caplog.set_level(logging.INFO, "flower.audit")

    async def scenario(browser: Browser) -> None:
        response = await browser.log_in(code)
        assert (response.code, text(response)) == (status, body)
        assert "flower_session" not in "".join(browser.lines)
        assert (await browser.go("/")).code == 302

    play(scenario)
    name = "eve@evil.example" if code == "eve" else ""
    assert audited(caplog) == [("login", name, f"refused: {body}")]


@pytest.mark.parametrize("query", ["error=x", "code=ann&state=x", "code=ann"])
def test_strangers_cannot_fill_the_audit_with_logins(play: Any, query: str, caplog: pytest.LogCaptureFixture) -> None:
    """S31"""
    caplog.set_level(logging.INFO, "flower.audit")

    async def scenario(browser: Browser) -> None:
        assert {(await browser.go(f"/login?{query}")).code for _ in range(60)} == {403}

    began = time.monotonic()
    play(scenario)
    assert 0 < len(audited(caplog)) <= 10 * (2 + int(time.monotonic() - began))


@pytest.mark.parametrize(("code", "name"), [("both", "ann@example.com"), ("two", "ann@example.com")])
def test_of_several_addresses_the_last_that_may_enter_counts(play: Any, code: str, name: str) -> None:
    async def scenario(browser: Browser) -> str:
        await browser.log_in(code)
        return text(await browser.go("/"))

    assert play(scenario) == f"{name} may write"


def test_the_pattern_and_the_groups_are_judged_on_every_request(play: Any, provider: FakeLoginProvider) -> None:
    async def scenario(browser: Browser) -> None:
        await browser.log_in()
        assert (await browser.go("/")).code == 200
        provider.outsiders.add("ann@example.com")
        assert (await browser.go("/")).code == 302
        assert (await browser.go("/api/things")).code == 401
        assert (await browser.log_in()).code == 403

    play(scenario)


def test_a_login_leaves_a_line_in_the_audit_and_so_does_a_logout(play: Any, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "flower.audit")

    async def scenario(browser: Browser) -> None:
        await browser.log_in()
        await browser.go("/logout", "POST", OURS)

    play(scenario)
    assert audited(caplog) == [("login", "ann@example.com", "ok"), ("logout", "ann@example.com", "ok")]


def test_a_session_that_was_logged_out_is_over_wherever_it_was_copied_to(play: Any) -> None:
    """S28"""

    async def scenario(browser: Browser) -> None:
        await browser.log_in()
        copy = dict(browser.jar)
        asked = await browser.go("/logout")
        assert asked.code == 200
        assert "ann@example.com" in text(asked)
        left = await browser.go("/logout", "POST", OURS)
        assert (left.code, left.headers["Location"]) == (303, "/logout")
        assert "logged out" in text(await browser.go("/logout/"))
        browser.jar = copy
        assert (await browser.go("/")).code == 302
        assert (await browser.go("/api/things")).code == 401

    play(scenario)


@pytest.mark.parametrize(
    ("method", "headers"),
    [
        ("GET", {"Sec-Fetch-Site": "cross-site"}),
        ("GET", {}),
        ("POST", {"Sec-Fetch-Site": "cross-site"}),
        ("POST", {"Sec-Fetch-Site": "same-site"}),
        ("POST", {"Origin": "http://evil.example"}),
        ("POST", {"Origin": "null"}),
        ("POST", {"Referer": "http://evil.example/"}),
        ("POST", {}),
    ],
)
def test_another_site_cannot_log_anybody_out(play: Any, method: str, headers: Mapping[str, str]) -> None:
    """S08"""

    async def scenario(browser: Browser) -> int:
        await browser.log_in()
        await browser.go("/logout", method, headers)
        return int((await browser.go("/")).code)

    assert play(scenario) == 200


def test_a_login_has_a_new_session_and_ends_the_old_one(play: Any, provider: FakeLoginProvider) -> None:
    """S28"""

    async def scenario(browser: Browser) -> None:
        await browser.log_in()
        first, old = browser.session(), dict(browser.jar)
        state = parse_qs(urlsplit(await away(browser, provider)).query)["state"][0]
        await browser.go(f"/login?code=ann&state={state}")
        assert browser.session() != first
        assert (await browser.go("/")).code == 200
        browser.jar = old
        assert (await browser.go("/")).code == 302

    async def away(browser: Browser, provider: FakeLoginProvider) -> str:
        provider.outsiders.add("ann@example.com")  # so that the login page does not send her back at once
        url: str = (await browser.go("/login")).headers["Location"]
        provider.outsiders.clear()
        return url

    play(scenario)


def test_who_is_logged_in_is_not_sent_away_again(play: Any, provider: FakeLoginProvider) -> None:
    async def scenario(browser: Browser) -> None:
        await browser.log_in()
        response = await browser.go("/login?next=/things/x")
        assert (response.code, response.headers["Location"]) == (302, "/things/x")
        assert len(provider.tickets) == 1

    play(scenario)


@pytest.mark.parametrize("seconds", [8 * 3600, 7 * 86400])
def test_a_session_ends_by_itself(play: Any, clock: FakeClock, seconds: float) -> None:
    """S28"""

    async def scenario(browser: Browser) -> None:
        await browser.log_in()
        start, step = clock.now, 3600 if seconds > 8 * 3600 else seconds
        while clock.now + step < start + seconds:
            clock.now += step
            assert (await browser.go("/")).code == 200
            assert "flower_session" in "".join(browser.lines)
        clock.now = start + seconds
        assert (await browser.go("/")).code == 302

    play(scenario, clock=clock)


@pytest.mark.parametrize(
    ("headers", "renewed"),
    [({}, True), ({"Accept": "text/event-stream"}, False), ({"Sec-Fetch-Dest": "empty", **OURS}, False)],
)
def test_what_a_page_does_by_itself_does_not_keep_a_session(
    play: Any, clock: FakeClock, headers: Mapping[str, str], renewed: bool
) -> None:
    """S28"""

    async def scenario(browser: Browser) -> bool:
        await browser.log_in()
        clock.now += 3600
        await browser.go("/", headers=headers)
        return "flower_session" in "".join(browser.lines)

    assert play(scenario, clock=clock) is renewed


def test_everybody_can_be_logged_out(play: Any, clock: FakeClock) -> None:
    """S28"""

    async def scenario(browser: Browser) -> None:
        other = Browser(browser.client)
        await browser.log_in()
        await other.log_in()
        clock.now += 1
        stranger = Browser(browser.client)
        assert (await stranger.go("/logout/everybody", "POST", OURS)).code == 401
        assert (await browser.go("/logout/everybody", "POST", {"Sec-Fetch-Site": "cross-site"})).code == 403
        assert (await other.go("/")).code == 200
        assert (await browser.go("/logout/everybody", "POST", OURS)).code == 303
        assert (await other.go("/")).code == 302
        assert (await browser.go("/")).code == 302
        clock.now += 1
        await other.log_in()
        assert (await other.go("/")).code == 200

    play(scenario, clock=clock)


def test_over_tls_every_cookie_is_closed(play: Any) -> None:
    """S13, S62"""

    async def scenario(browser: Browser) -> None:
        await browser.leave_for_provider()
        lines = list(browser.lines)
        await browser.log_in()
        lines += browser.lines
        assert {line.partition("=")[0] for line in lines} >= {"_xsrf"}
        for line in lines:
            attributes = line.split("; ")
            assert "Secure" in attributes
            assert "Path=/" in attributes
            assert "SameSite=Lax" in attributes
            assert ("HttpOnly" in attributes) is not line.startswith("_xsrf=")
            assert line.startswith(("__Host-flower_", "_xsrf="))
        assert (await browser.go("/")).code == 200

    play(scenario, headers=HTTPS, proxies=["127.0.0.1"])


def test_a_proxy_nobody_trusts_does_not_decide(play: Any) -> None:
    """S62"""

    async def scenario(browser: Browser) -> str:
        await browser.log_in()
        return "".join(browser.lines)

    assert "Secure" not in play(scenario, headers=HTTPS, proxies=["10.0.0.0/8"])


def test_answers_to_people_who_are_logged_in_are_not_stored(play: Any) -> None:
    """S11"""

    async def scenario(browser: Browser) -> None:
        for path in ("/", "/login", "/logout", "/api/things"):
            assert (await browser.go(path)).headers["Cache-Control"] == "no-store"
        await browser.log_in()
        assert (await browser.go("/")).headers["Cache-Control"] == "no-store"

    play(scenario)


FORM = {"Content-Type": "application/x-www-form-urlencoded"}


@pytest.mark.parametrize("path", ["/act", "/api/act", "/api/end"])
@pytest.mark.parametrize(
    ("headers", "body", "status"),
    [
        ({}, None, 403),
        ({"Authorization": "x"}, None, 403),
        ({"Authorization": "Bearer ann"}, None, 403),
        ({"Authorization": "Basic eDp5"}, "x=1", 403),
        ({"X-XSRFToken": "wrong"}, None, 403),
        ({"X-XSRFToken": "\u00fc"}, None, 403),
        ({"X-CSRFToken": ""}, None, 403),
        (FORM, "_xsrf=wrong", 403),
        (FORM, "a=1", 403),
        (FORM, "_xsrf=", 403),
        ({"Content-Type": "multipart/form-data; boundary="}, "x", 403),
        (FORM, "_xsrf=" + "x" * 100_000, 403),
        ({"Content-Type": "application/json"}, '{"_xsrf": "{token}"}', 403),
        ({"X-XSRFToken": "{token}"}, None, 200),
        ({"X-CSRFToken": "{token}"}, "a=1", 200),
        (FORM, "_xsrf={token}&a=1", 200),
        ({"Content-Type": "multipart/form-data; boundary=b"}, "{multipart}", 200),
        (OURS, None, 200),
        ({"Origin": "{origin}"}, None, 200),
        ({"Origin": "http://evil.example", "X-XSRFToken": "{token}"}, None, 403),
        ({"Sec-Fetch-Site": "cross-site", "X-XSRFToken": "{token}"}, None, 403),
    ],
)
def test_a_session_alone_does_not_show_that_our_page_asked(
    play: Any, path: str, headers: Mapping[str, str], body: str | None, status: int
) -> None:
    """S07"""

    async def scenario(browser: Browser) -> tuple[int, str]:
        await browser.log_in()
        token = browser.jar["_xsrf"]
        multipart = f'--b\r\nContent-Disposition: form-data; name="_xsrf"\r\n\r\n{token}\r\n--b--\r\n'
        origin = f"http://127.0.0.1:{browser.client.port}"
        fill = {"{token}": token, "{origin}": origin, "{multipart}": multipart}
        sent = {name: re.sub(r"\{\w+\}", lambda found: fill[found[0]], value) for name, value in headers.items()}
        filled = None if body is None else re.sub(r"\{(token|multipart)\}", lambda found: fill[found[0]], body)
        response = await browser.go(path, "POST", sent, filled)
        return response.code, text(response)

    answered, words = play(scenario)
    assert answered == status
    assert (words == "done") is (status == 200)


def test_the_token_of_one_session_does_not_serve_another(play: Any) -> None:
    """S07"""

    async def scenario(browser: Browser) -> int:
        other = Browser(browser.client)
        await browser.log_in()
        await other.log_in()
        token = other.jar["_xsrf"]
        browser.jar["_xsrf"] = token
        return int((await browser.go("/act", "POST", {"X-XSRFToken": token})).code)

    assert play(scenario) == 403


def test_a_page_brings_the_token_where_it_is_missing(play: Any) -> None:
    async def scenario(browser: Browser) -> None:
        await browser.log_in()
        token = browser.jar.pop("_xsrf")
        await browser.go("/")
        assert browser.jar["_xsrf"] == token
        await browser.go("/")
        assert browser.lines == []

    play(scenario)


@pytest.mark.parametrize(
    ("header", "path", "status"),
    [
        ("Bearer ann", "/api/things", 200),
        ("bearer  ann ", "/api/things", 200),
        ("Bearer ann", "/", 302),
        ("Bearer eve", "/api/things", 401),
        ("Bearer nobody", "/api/things", 401),
        ("Bearer crash", "/api/things", 401),
        ("Bearer ", "/api/things", 401),
        ("Bearer", "/api/things", 401),
        ("Bearer " + "x" * 9000, "/api/things", 401),
        ("Basic ann", "/api/things", 401),
        ("ann", "/api/things", 401),
    ],
)
def test_a_token_of_the_provider_opens_the_api(play: Any, header: str, path: str, status: int) -> None:
    async def scenario(browser: Browser) -> int:
        return int((await browser.go(path, headers={"Authorization": header})).code)

    assert play(scenario) == status


def test_a_script_with_a_verified_token_may_act(play: Any) -> None:
    """S07"""

    async def scenario(browser: Browser) -> int:
        return int((await browser.go("/api/act", "POST", {"Authorization": "Bearer ann"})).code)

    assert play(scenario) == 200


def test_both_logins_have_to_agree_and_the_password_comes_first(play: Any) -> None:
    async def scenario(browser: Browser) -> None:
        key = {"X-Key": "good"}
        refused = await browser.go("/")
        assert (refused.code, refused.headers["WWW-Authenticate"]) == (401, 'Key realm="flower"')
        sent = await browser.go("/", headers=key)
        assert sent.code == 302
        assert "WWW-Authenticate" not in (await browser.go("/api/things", headers=key)).headers
        await browser.log_in()
        assert (await browser.go("/")).code == 401
        assert text(await browser.go("/", headers=key)) == "ann@example.com may write"
        assert (await browser.go("/act", "POST", key)).code == 200
        assert (await browser.go("/act", "POST", {**key, "Sec-Fetch-Site": "cross-site"})).code == 403

    play(scenario, authenticated=True)


def test_a_crash_says_nothing_to_strangers(play: Any) -> None:
    """S36"""

    async def scenario(browser: Browser) -> None:
        for query in ("", "?code=crash&state=x", "?error=x", "?next=%00", "?next=" + "%ff" * 100, "?code=%f0%28"):
            body = text(await browser.go(f"/login{query}"))
            assert "Traceback" not in body
            assert "secret detail" not in body

    play(scenario)


def test_without_a_login_page_there_is_nothing_to_log_out_of(site: Any) -> None:
    status, body, _ = site().ask("/logout")
    assert status == 200
    assert "no session" in body
    assert site().ask("/login")[0] == 404
    assert site().ask("/logout", "POST")[0] == 303
