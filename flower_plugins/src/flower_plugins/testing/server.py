"""Serve a plugin's routes on a free loopback port, with a guard that a test controls."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar
from urllib.parse import unquote

from tornado.httpclient import AsyncHTTPClient, HTTPRequest, HTTPResponse
from tornado.httpserver import HTTPServer
from tornado.httputil import HTTPMessageDelegate, HTTPServerRequest
from tornado.routing import Router
from tornado.testing import bind_unused_port
from tornado.web import Application, ErrorHandler

from flower_plugins.identity import Identity
from flower_plugins.routes import Access, Route
from flower_plugins.testing.host import FakeHost
from flower_plugins.web import handler_of, wants_json

__all__ = ["Client", "FakeVisit", "serve"]

T = TypeVar("T")


@dataclass
class FakeVisit:
    """A visitor who may do what `refusals` does not forbid."""

    surface: str = "page"
    identity: Identity | None = None
    remote_ip: str = "127.0.0.1"
    accept: str = ""
    can_log_out: bool = False
    refusals: Mapping[str, str] = field(default_factory=dict)

    def refusal(self, access: Access) -> str | None:
        return self.refusals.get(access)

    def error_body(self, status: int, message: str) -> tuple[str, bytes]:
        text = message or str(status)
        if wants_json(self.accept):
            return "application/json; charset=UTF-8", json.dumps({"error": text}).encode()
        return "text/plain; charset=UTF-8", text.encode()


class Client:
    """Sends requests to a served plugin."""

    def __init__(self, port: int) -> None:
        self.port = port
        self._http = AsyncHTTPClient(force_instance=True)

    def close(self) -> None:
        """Release connections."""
        self._http.close()

    async def fetch(
        self, path: str, method: str = "GET", body: str | None = None, headers: Mapping[str, str] | None = None
    ) -> HTTPResponse:
        """Return the response, whatever its status; redirects are not followed."""
        request = HTTPRequest(
            f"http://127.0.0.1:{self.port}{path}",
            method=method,
            body="" if body is None and method in ("POST", "PUT", "PATCH") else body,
            headers=dict(headers or {}),
            follow_redirects=False,
        )
        return await self._http.fetch(request, raise_error=False)

    async def json(self, path: str) -> Any:
        """Return the parsed body of a GET that answered 200 with strict JSON."""
        response = await self.fetch(path)
        assert response.code == 200, (response.code, response.body)
        return json.loads(response.body, parse_constant=_refuse_constant)


def serve(
    host: FakeHost,
    routes: Sequence[Route],
    scenario: Callable[[Client], Awaitable[T]],
    *,
    refusals: Mapping[str, str] | None = None,
) -> T:
    """Run `scenario` against the routes on a fresh event loop and return what it returns.

    Meanwhile `host.routes()` names them.
    """
    host.route_list = list(routes)

    async def run() -> T:
        server = HTTPServer(_Router(host, routes, refusals or {}))
        sock, port = bind_unused_port(address="127.0.0.1")
        server.add_sockets([sock])
        client = Client(port)
        try:
            return await scenario(client)
        finally:
            client.close()
            server.stop()
            await server.close_all_connections()

    return asyncio.run(run())


class _Router(Router):
    """Matches like core's router; paths nobody declared are 404."""

    def __init__(self, host: FakeHost, routes: Sequence[Route], refusals: Mapping[str, str]) -> None:
        self._app = Application()
        self._host, self._refusals = host, refusals
        self._routes = [(re.compile(re.escape(host.url_prefix) + route.pattern), route) for route in routes]

    def find_handler(self, request: HTTPServerRequest, **kwargs: Any) -> HTTPMessageDelegate:
        for pattern, route in self._routes:
            match = pattern.fullmatch(unquote(request.path))
            if match is not None:
                return self._delegate(request, route, match)
        return self._app.get_handler_delegate(request, ErrorHandler, {"status_code": 404})

    def _delegate(self, request: HTTPServerRequest, route: Route, match: re.Match[str]) -> HTTPMessageDelegate:
        accept = request.headers.get("Accept", "")
        visit = FakeVisit(route.surface, accept=accept, refusals=self._refusals)
        if visit.refusal(route.access) is not None:
            return self._app.get_handler_delegate(request, ErrorHandler, {"status_code": 403})
        groups = {name: value or "" for name, value in match.groupdict().items()}
        made_with = {"host": self._host, "route": route, "visit": visit, "path": groups}
        return self._app.get_handler_delegate(request, handler_of(route), made_with)


def _refuse_constant(name: str) -> None:
    raise AssertionError(f"{name} is not JSON")
