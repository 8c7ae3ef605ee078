"""A small site behind the real router, to knock at."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

import pytest

from flower import audit
from flower.app.access import login_routes
from flower.web.binding import Binding
from flower.web.connections import Limits
from flower.web.cookies import Cookies
from flower.web.door import Door
from flower.web.errors import ErrorBodies
from flower.web.failures import LoginFailures
from flower.web.guard import Guard
from flower.web.keys import Keys
from flower.web.origins import AllowedHosts, TrustedProxies
from flower.web.pattern import AuthPattern
from flower.web.posture import Posture
from flower.web.revocations import Revocations
from flower.web.router import Router
from flower.web.server import Server
from flower.web.session import Sessions
from flower.web.table import RouteTable
from flower.web.ticket import Tickets
from flower_plugins import AuthProvider, Identity, LoginProvider, Request, Route, TooManyAttempts
from flower_plugins.testing import Client, FakeClock, FakeHost, offer_context
from flower_plugins.web import Handler

T = TypeVar("T")


class KeyProvider(AuthProvider):
    """Knows whoever sends `X-Key: good`; falls over at `X-Key: crash`, and has `X-Key: again` wait."""

    name = "key"
    challenge = 'Key realm="flower"'

    async def identify(self, request: Request) -> Identity | None:
        key = request.headers.get("X-Key")
        if key == "crash":
            raise RuntimeError("provider down")
        if key == "again":
            raise TooManyAttempts("Too many failed logins", 7)
        return Identity("ann", "key", frozenset(("out",) if key == "outsider" else ())) if key else None

    def permits(self, identity: Identity) -> bool:
        return "out" not in identity.groups


class Page(Handler):
    """Says who it served; crashes when told to."""

    def get(self) -> None:
        if self.get_query_argument("crash", ""):
            raise RuntimeError("a secret detail")
        name = self.visit.identity.name if self.visit.identity else "nobody"
        self.finish(f"{name} {self.visit.refusal('write') or 'may write'}")


class Address(Handler):
    """Says where the request came from."""

    def get(self) -> None:
        self.finish(f"{self.visit.remote_ip} {self.request.protocol}")


class Slow(Handler):
    """Takes its time."""

    async def get(self) -> None:
        await asyncio.sleep(0.3)
        self.finish("at last")


class Action(Handler):
    """Answers "done", which nobody sees who was refused."""

    def post(self) -> None:
        self.finish("done")


class Sneaky(Handler):
    """Gives an order where it promised to read."""

    def get(self) -> None:
        with audit.order("shutdown", ["w1"]):
            self.finish("done")


class Endless(Handler):
    """Never answers."""

    async def post(self) -> None:
        await asyncio.Event().wait()


class Detached(Handler):
    """Answers past Tornado, as if nobody had asked."""

    def post(self) -> None:
        stream = self.detach()
        stream.write(b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\nConnection: close\r\n\r\ndone")
        stream.close()


class Repeating(Handler):
    """Says twice that it begins."""

    async def post(self) -> None:
        self.write("a")
        await self.flush()
        raise RuntimeError("after the headers")


ROUTES = (
    Route("/sneaky", Sneaky, "read", "page", "sneaky"),
    Route("/endless", Endless, "write", "page", "endless"),
    Route("/detached", Detached, "write", "page", "detached"),
    Route("/repeating", Repeating, "write", "page", "repeating"),
    Route("/", Page, "read", "page", "home"),
    Route("/open", Page, "public", "page", "open"),
    Route("/probe", Page, "public", "probe", "probe"),
    Route("/address", Address, "public", "probe", "address"),
    Route("/slow", Slow, "public", "page", "slow"),
    Route("/api/things", Page, "read", "api", "things"),
    Route("/things/(?P<name>.+)", Page, "read", "page", "thing"),
    Route("/act", Action, "write", "page", "act"),
    Route("/api/act", Action, "write", "api", "api act"),
    Route("/api/end", Action, "admin", "api", "api end"),
)


@dataclass
class Site:
    """How the server under test stands."""

    authenticated: bool = False
    loopback_only: bool = True
    open_api: bool = False
    read_only: bool = False
    prefix: str = ""
    hosts: Sequence[str] = ()
    proxies: Sequence[str] | None = None
    broken: Mapping[str, str] = field(default_factory=dict)
    routes: Sequence[Route] = ROUTES
    render: Callable[[str, Mapping[str, Any]], str | None] = lambda template, context: None
    limits: Limits = field(default_factory=lambda: Limits(total=200, per_address=100))
    hsts: int = 0
    failures: LoginFailures = field(default_factory=LoginFailures)
    freshened: list[str] = field(default_factory=list)
    login: LoginProvider | None = None
    login_page: Callable[[Door], Route] | None = None
    pattern: str = ".*@example.com"
    clock: FakeClock = field(default_factory=FakeClock)
    failed: list[tuple[str, str]] = field(default_factory=list)

    def visit(self, scenario: Callable[[Client], Awaitable[T]]) -> T:
        """Serve on a free port, run the scenario, return what it returns."""

        async def run() -> T:
            self.server = server = Server(self.router(), Binding(("127.0.0.1",), 0), None, self.limits)
            server.start()
            client = Client(int(server.urls[0].rpartition(":")[2]))
            try:
                return await scenario(client)
            finally:
                client.close()
                await server.stop()

        return asyncio.run(run())

    def ask(
        self, path: str, method: str = "GET", headers: Mapping[str, str] | None = None, body: str | None = None
    ) -> tuple[int, str, Mapping[str, str]]:
        """Return (status, body, headers) of one request."""

        async def scenario(client: Client) -> tuple[int, str, Mapping[str, str]]:
            response = await client.fetch(path, method, body, headers)
            return response.code, (response.body or b"").decode(), response.headers

        return self.visit(scenario)

    def router(self) -> Router:
        door = None if self.login is None else self.door(self.login)
        page = None if door is None or self.login_page is None else self.login_page(door)
        providers: list[AuthProvider] = [KeyProvider(offer_context())] if self.authenticated else []
        providers += [] if self.login is None else [self.login]
        posture = Posture(bool(providers), self.loopback_only, self.open_api, self.read_only)
        errors = ErrorBodies(self.render)
        return Router(
            host=FakeHost(url_prefix=self.prefix),
            table=RouteTable(self.prefix, [("site", route) for route in (*self.routes, *login_routes(door, page))]),
            guard=Guard(
                posture, providers, AllowedHosts(self.hosts), errors, self.broken.get, self._fail, self.failures, door
            ),
            errors=errors,
            proxies=None if self.proxies is None else TrustedProxies(self.proxies),
            no_store=bool(providers),
            access_log=False,
            hsts=self.hsts,
            freshen=lambda: self.freshened.append("now"),
        )

    def door(self, provider: LoginProvider) -> Door:
        """Return a door as the assembly makes it, under the site's clock."""
        keys, cookies, revoked = Keys(["k" * 32], self.clock), Cookies(self.prefix), Revocations(None, self.clock)
        sessions = Sessions(keys, cookies, revoked, idle=8 * 3600, lifetime=7 * 86400, clock=self.clock)
        uri = f"http://localhost{self.prefix}/login"
        tickets = Tickets(keys, cookies, provider="fake", redirect_uri=uri, clock=self.clock)
        return Door(provider, AuthPattern(self.pattern), sessions, tickets, self.prefix, keys)

    def _fail(self, plugin: str, reason: str) -> None:
        self.failed.append((plugin, reason))


@pytest.fixture
def site() -> type[Site]:
    """Return the class of sites; a test says how its own stands."""
    return Site
