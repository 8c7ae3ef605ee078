"""Login handlers of one's own, mounted: what their cookie `user` becomes, and what they still decide themselves."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from tornado.web import RequestHandler

from flower.settings import load
from flower.web.custom import HandlerApplication, HandlerProvider, custom_login, is_path, load_handler
from flower.web.door import Door
from flower_plugins import ConfigurationError, LoginTicket, ProviderFailed, Route
from flower_plugins.testing import offer_context

OURS = {"Sec-Fetch-Site": "same-origin"}


class Login(RequestHandler):
    """Does what its argument says; its own names are those a careless mount would take."""

    _door = _route = _name = _enter = "mine"

    def prepare(self) -> None:
        assert (self._door, self._route, self._name, self._enter) == ("mine",) * 4

    def get(self) -> None:
        what = self.get_argument("do", "")
        if what == "enter":
            self.set_secure_cookie("user", "ann@example.com")
            assert self.get_secure_cookie("user") == b"ann@example.com"
            self.redirect(self.get_argument("next", "/"))
        elif what == "unsigned":
            self.set_cookie("user", "ann@example.com")
        elif what == "eve":
            self.set_signed_cookie("user", "eve@evil.example")
        elif what == "leave":
            self.clear_cookie("user")
        elif what == "crash":
            raise RuntimeError("a secret detail")
        else:
            self.set_signed_cookie("other", "kept")
            assert self.get_signed_cookie("forged") is None
            self.finish(f"{self.get_signed_cookie('user')!r} {self.application.options.auth}")  # type: ignore[attr-defined]


def test_a_path_is_told_from_a_name() -> None:
    assert all(map(is_path, ("a.B", "a.b:C", " my.module.Handler ")))
    assert not any(map(is_path, ("google", "a..B", ".B", "a.", "a b.C", "a/b.C", "a.b-c", "")))


@pytest.mark.parametrize(
    "path", ["no.such.Thing", "os.path", "os:nothing", "tornado.web.RequestHandler", "os.PathLike"]
)
def test_what_is_no_login_handler_stops_the_start(path: str) -> None:
    with pytest.raises(ConfigurationError) as raised:
        load_handler(path, "auth_provider, command line")
    assert path in raised.value.message
    assert raised.value.where == "auth_provider, command line"


@pytest.fixture
def go(site: Any) -> Any:
    """Return what walks one browser through addresses and returns (status, body, location) of each."""
    provider = HandlerProvider(offer_context(), Login)
    settings = load(["--auth=.*@example.com"], options=(), environ={}, cwd="/")

    def run(*steps: str) -> list[tuple[int, str, str]]:
        def page(door: Door) -> Route:
            return custom_login(door, provider, HandlerApplication(settings, door.keys, ""))

        async def scenario(client: Any) -> list[tuple[int, str, str]]:
            jar = {"forged": "dmFsdWU=|1700000000|0123456789012345678901234567890123456789"}
            found = []
            for path in steps:
                cookie = "; ".join(f"{name}={value}" for name, value in jar.items())
                answer = await client.fetch(path, headers={"Cookie": cookie} if cookie else {})
                for line in answer.headers.get_list("Set-Cookie"):
                    name, _, value = line.partition(";")[0].partition("=")
                    jar[name] = value
                    assert name != "user"
                found.append((answer.code, (answer.body or b"").decode(), answer.headers.get("Location", "")))
            return found

        result: list[tuple[int, str, str]] = site(login=provider, login_page=page).visit(scenario)
        return result

    return run


def test_the_cookie_user_becomes_a_session(go: Any) -> None:
    answers = go("/login?do=enter&next=/things/x?a=1", "/", "/login", "/login?do=leave", "/", "/login")
    assert answers[0] == (302, "", "/things/x?a=1")
    assert answers[1][:2] == (200, "ann@example.com may write")
    assert answers[2][:2] == (200, "b'ann@example.com' .*@example.com")
    assert answers[3][0] == 200
    assert answers[4][0] == 302
    assert answers[5][:2] == (200, "None .*@example.com")


def test_next_is_a_page_of_this_server_before_the_handler_sees_it(go: Any) -> None:
    """S27"""
    assert go("/login?do=enter&next=//evil.example")[0][2] == "/"


@pytest.mark.parametrize("what", ["unsigned", "eve"])
def test_a_cookie_that_does_not_count_is_refused(go: Any, what: str) -> None:
    """S21"""
    assert [status for status, _, _ in go(f"/login?do={what}", "/")] == [403, 302]


def test_a_crash_of_the_handler_says_nothing(go: Any) -> None:
    """S36"""
    status, body, _ = go("/login?do=crash")[0]
    assert status == 500
    assert "secret" not in body
    assert "Traceback" not in body


def test_a_handler_is_never_asked_as_a_provider() -> None:
    provider = HandlerProvider(offer_context(), Login)
    for call in (provider.authorize_url(LoginTicket("", "", "", "")), provider.finish(LoginTicket("", "", "", ""), {})):
        with pytest.raises(ProviderFailed):
            call.send(None)


def test_settings_are_attributes_and_others_are_missing() -> None:
    settings = load(["--auth=a@x.com", "--oauth2_key=k"], options=(), environ={}, cwd="/")
    keys = SimpleNamespace(versions={1: "s"}, version=1)
    application = HandlerApplication(settings, keys, "/f")  # type: ignore[arg-type]
    assert application.options.auth == "a@x.com"
    assert application.settings["oauth"]["key"] == "k"
    assert application.settings["login_url"] == "/f/login"
    with pytest.raises(AttributeError):
        _ = application.options.nonsense
