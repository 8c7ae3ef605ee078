"""S03, S66: every route of the assembled Flower, in every posture, asked for by every kind of visitor."""

from __future__ import annotations

import asyncio
import base64
import itertools
import re
from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from celery import Celery
from tornado.httputil import HTTPHeaders, HTTPServerRequest, RequestStartLine

from flower.app import Flower, hooks
from flower.plugins import Registry
from flower.settings import load
from flower.web.guard import Refusal
from flower.web.table import Match
from flower_plugins import ConfigurationError, Identity, Route
from flower_plugins.routes import ACCESS_LEVELS

BASIC = {"Authorization": "Basic " + base64.b64encode(b"ann:secret").decode()}
LOGIN = ["--auth=.*@example.com", "--auth_provider=flower.views.BaseHandler"]
ADMITTED = 200
ANN = Identity("ann@example.com", "custom")


@dataclass(frozen=True)
class Posture:
    """How a Flower is started."""

    auth: str
    public: bool
    variable: str | None
    read_only: bool

    def words(self) -> list[str]:
        words = [f"--address={'0.0.0.0' if self.public else '127.0.0.1'}"]
        words += ["--basic_auth=ann:secret"] if self.auth in ("basic", "both") else []
        words += LOGIN if self.auth in ("session", "both") else []
        return words + (["--read_only"] if self.read_only else [])

    @property
    def environ(self) -> dict[str, str]:
        return {} if self.variable is None else {"FLOWER_UNAUTHENTICATED_API": self.variable}


@dataclass(frozen=True)
class Visitor:
    """Who asks, from where, and what the browser says of it."""

    password: bool
    session: bool
    local: bool
    origin: str

    def headers(self) -> dict[str, str]:
        says = {"ours": {"Sec-Fetch-Site": "same-origin"}, "foreign": {"Sec-Fetch-Site": "cross-site"}}
        return {"Host": "127.0.0.1:5555", **says.get(self.origin, {}), **(BASIC if self.password else {})}


@dataclass(frozen=True)
class Peer:
    """The other end of a connection."""

    remote_ip: str
    protocol: str = "http"


POSTURES = [
    Posture(*each)
    for each in itertools.product(("none", "basic", "session", "both"), (False, True), (None, "1", "0"), (False, True))
]
VISITORS = [
    Visitor(*each)
    for each in itertools.product((False, True), (False, True), (True, False), ("ours", "script", "foreign"))
]


def expected(posture: Posture, visitor: Visitor, route: Route, method: str) -> int:
    """Return what BAR's posture says: written from the sentences, not from the code."""
    changes = route.access in ("write", "admin")
    if changes and method == "GET":
        return 405
    known = {
        "none": True,
        "basic": visitor.password,
        "session": visitor.session,
        "both": visitor.password and visitor.session,
    }[posture.auth]
    closed = posture.auth == "none" and route.surface == "api" and posture.variable != "1"
    if method == "POST" and route.surface == "api" and route.access != "public" and (closed or not known):
        return 401
    if method == "POST" and visitor.origin == "foreign":
        return 403
    if route.access == "public":
        return public(posture, visitor, method)
    if closed:
        return 401
    if not known:
        lacks_password = posture.auth in ("basic", "both") and not visitor.password
        return 302 if method == "GET" and route.surface == "page" and not lacks_password else 401
    if changes:
        return change(posture, visitor, route)
    if method == "POST" and posture.auth == "session" and visitor.origin != "ours":
        return 403
    return ADMITTED


def public(posture: Posture, visitor: Visitor, method: str) -> int:
    """Nobody has to be known; a session's cookie alone still does not show that our page asks."""
    login = posture.auth in ("session", "both")
    return 403 if method == "POST" and login and visitor.session and visitor.origin != "ours" else ADMITTED


def change(posture: Posture, visitor: Visitor, route: Route) -> int:
    if posture.read_only:
        return 403
    if posture.auth == "none" and posture.variable != "1":
        touches = not posture.public and visitor.local and visitor.origin == "ours"
        return ADMITTED if touches else 403
    if posture.auth == "session" and visitor.origin != "ours":
        return 403
    return ADMITTED


@pytest.fixture(scope="module")
def registry() -> Registry:
    return Registry.load(core=hooks, config_globals={}, config_path="")


def assemble(registry: Registry, posture: Posture) -> Flower:
    settings = load(posture.words(), options=registry.options(), environ=posture.environ, cwd="/")
    return Flower(Celery("matrix", broker="memory://"), settings, registry, container=lambda: False)


def matches(flower: Flower) -> Iterator[tuple[Match, str]]:
    """Yield every route with a path that leads to it."""
    assert flower.table is not None
    for entry in flower.table:
        path = re.sub(r"\(\?P<\w+>[^)]*\)", "x", entry.route.pattern).replace("\\", "").removesuffix("/?")
        path = re.sub(r"\((\?:)?([^|)]*)[^)]*\)\??", r"\2", path)
        match = flower.table.find(path)
        assert match is not None, entry.route.pattern
        assert match.entry is entry, (path, match.entry.route.pattern)
        yield match, path


def request(path: str, method: str, visitor: Visitor, cookie: str) -> HTTPServerRequest:
    class Connection:
        context = Peer("127.0.0.1" if visitor.local else "203.0.113.9")

    headers = HTTPHeaders(visitor.headers())
    if visitor.session:
        headers["Cookie"] = cookie
    line = RequestStartLine(method, path, "HTTP/1.1")
    return HTTPServerRequest(start_line=line, headers=headers, connection=Connection())  # type: ignore[arg-type]


def cookie_of(flower: Flower) -> str:
    """Return the cookie of somebody who logged in, and where that is impossible a forged one."""
    if flower.door is None:
        return "flower_session_x=forged"
    return flower.door.enter(request("/login", "GET", VISITORS[0], ""), ANN)[0].partition(";")[0]


@pytest.mark.parametrize("posture", POSTURES, ids=str)
def test_every_route_lets_in_whom_the_posture_says(registry: Registry, posture: Posture) -> None:
    """S03, S55, S66"""
    flower = assemble(registry, posture)

    async def walk() -> list[str]:
        found, walked, cookie = [], 0, cookie_of(flower)
        for (match, path), visitor in itertools.product(matches(flower), VISITORS):
            route = match.entry.route
            assert route.access in ACCESS_LEVELS
            for method in ("GET", "POST"):
                walked += 1
                outcome = await flower.router.guard.admit(request(path, method, visitor, cookie), match)
                got = outcome.status if isinstance(outcome, Refusal) else ADMITTED
                due = expected(posture, visitor, route, method)
                if got != due:
                    found.append(f"{method} {path} ({route.access} {route.surface}) by {visitor}: {got}, not {due}")
        assert walked > 1000
        return found

    wrong = asyncio.run(walk())
    assert not wrong, "\n".join(wrong[:20])


@pytest.mark.parametrize("auth", ["none", "basic", "session", "both"])
@pytest.mark.parametrize("public", [False, True])
@pytest.mark.parametrize("read_only", [False, True])
def test_a_nonsensical_variable_stops_every_start(registry: Registry, auth: str, public: bool, read_only: bool) -> None:
    """S03"""
    with pytest.raises(ConfigurationError, match="FLOWER_UNAUTHENTICATED_API: 'maybe'"):
        assemble(registry, Posture(auth, public, "maybe", read_only))


def test_every_action_names_the_permission_it_needs(registry: Registry) -> None:
    """S03: shutdown, restart and what touches everybody need more than acting on tasks and queues."""
    flower = assemble(registry, Posture("none", False, None, False))
    found = {path: match.entry.route.access for match, path in matches(flower)}
    admin = {path for path, access in found.items() if access == "admin"}
    assert all(re.search("shutdown|restart", path) for path in admin), admin
    assert not [
        path for path, access in found.items() if re.search("shutdown|restart|purge", path) and access != "admin"
    ]
    control = [
        path for path in found if re.search(r"/(grow|shrink|autoscale|add-consumer|revoke|apply|send-task)\b", path)
    ]
    assert len(control) > 5
    assert {found[path] for path in control} == {"write"}
