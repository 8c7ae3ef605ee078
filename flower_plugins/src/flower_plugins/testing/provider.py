"""A server that plays an identity provider by script: for the lies that no real one tells."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar
from urllib.parse import parse_qsl

from tornado.httpserver import HTTPServer
from tornado.httputil import HTTPServerRequest
from tornado.testing import bind_unused_port
from tornado.web import Application, RequestHandler

__all__ = ["ScriptedProvider", "ScriptedReply", "play_provider"]

T = TypeVar("T")


@dataclass(frozen=True)
class ScriptedReply:
    """What is answered: `value` as JSON, or `raw` as it is; nothing at all when `hangs`."""

    value: Any = None
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    raw: bytes | None = None
    hangs: bool = False

    @property
    def body(self) -> bytes:
        return json.dumps(self.value).encode() if self.raw is None else self.raw


@dataclass
class ScriptedProvider:
    """Answers each path with a reply, or with what a function makes of the request; 404 for the rest."""

    url: str
    replies: dict[str, ScriptedReply | Callable[[HTTPServerRequest], ScriptedReply]] = field(default_factory=dict)
    requests: list[HTTPServerRequest] = field(default_factory=list)

    @property
    def paths(self) -> list[str]:
        """What was asked for, in order."""
        return [request.path for request in self.requests]

    def form(self, path: str) -> dict[str, str]:
        """Return the form that was last sent to a path."""
        body = [request.body for request in self.requests if request.path == path][-1]
        return dict(parse_qsl(body.decode()))

    def reply(self, request: HTTPServerRequest) -> ScriptedReply:
        """Note a request and return what to answer."""
        self.requests.append(request)
        found = self.replies.get(request.path, ScriptedReply({"error": "not_found"}, 404))
        return found if isinstance(found, ScriptedReply) else found(request)


def play_provider(scenario: Callable[[ScriptedProvider], Awaitable[T]]) -> T:
    """Run `scenario` beside a server on a free loopback port, on a fresh event loop; return what it returns."""

    async def run() -> T:
        sock, port = bind_unused_port(address="127.0.0.1")
        script = ScriptedProvider(f"http://127.0.0.1:{port}")
        server = HTTPServer(Application([(r".*", _Handler, {"script": script})]))
        server.add_sockets([sock])
        try:
            return await scenario(script)
        finally:
            server.stop()
            await server.close_all_connections()

    return asyncio.run(run())


class _Handler(RequestHandler):
    def initialize(self, script: ScriptedProvider) -> None:
        self._script = script
        self._gone = asyncio.Event()

    async def get(self) -> None:
        reply = self._script.reply(self.request)
        if reply.hangs:
            await self._gone.wait()
            return
        self.set_status(reply.status)
        for name, value in reply.headers.items():
            self.set_header(name, value)
        if reply.status not in (204, 304):
            self.write(reply.body)

    post = get

    def on_connection_close(self) -> None:
        self._gone.set()
