"""Takes each request from the socket to its handler, through the guard."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import socket
from collections.abc import Awaitable, Callable
from functools import partial
from http import HTTPStatus
from typing import Any

from tornado.concurrent import Future
from tornado.httputil import (
    HTTPConnection,
    HTTPHeaders,
    HTTPMessageDelegate,
    HTTPServerConnectionDelegate,
    HTTPServerRequest,
    RequestStartLine,
    ResponseStartLine,
)
from tornado.web import Application

from flower import audit
from flower.web.acceptor import connection_of
from flower.web.compression import Compression, Recent
from flower.web.errors import ErrorBodies
from flower.web.exchange import HeaderedConnection
from flower.web.guard import MAX_BODY, NO_TOKEN, TOO_LARGE, Guard, Refusal, attempt
from flower.web.origins import TrustedProxies
from flower.web.table import Match, RouteTable
from flower.web.xsrf import FormToken
from flower_plugins import Host
from flower_plugins.web import handler_of

__all__ = ["Router"]

_LEFT_SECONDS = 30.0
_SOME_FAILED = 207
_LINGER_SECONDS = 1.0
_CROWDED = Refusal(503, "Too many connections are open here. Try again in a moment.", {"Retry-After": "5"})


class Router(HTTPServerConnectionDelegate):
    """Handed to Tornado's server: makes one exchange per request.

    `freshen` is called before a handler is made, so that it sees what has arrived up to now. `hsts` is for how many
    seconds browsers that came by https are told to come by nothing else.
    """

    def __init__(
        self,
        *,
        host: Host,
        table: RouteTable,
        guard: Guard,
        errors: ErrorBodies,
        proxies: TrustedProxies | None,
        no_store: bool,
        access_log: bool,
        hsts: int = 0,
        freshen: Callable[[], None] = lambda: None,
    ) -> None:
        self.freshen = freshen
        self.host, self.table, self.guard, self.errors = host, table, guard, errors
        self.proxies, self.no_store, self.hsts = proxies, no_store, hsts
        self._open: set[object] = set()
        self._attempts: set[audit.Attempt] = set()
        self._idle = asyncio.Event()
        self._idle.set()
        self.application = Application(transforms=[partial(Compression, Recent())])  # type: ignore[list-item]  # a factory does
        if not access_log:
            self.application.settings["log_function"] = _no_log

    def began(self, exchange: object) -> None:
        """Note that an answer is under way; streams are not waited for at the end."""
        self._open.add(exchange)
        self._idle.clear()

    def ended(self, exchange: object) -> None:
        """Note that an answer is complete, or nobody waits for it any more."""
        self._open.discard(exchange)
        if not self._open:
            self._idle.set()

    def tries(self, attempt: audit.Attempt) -> None:
        """Note an attempt whose outcome is not known yet."""
        self._attempts.add(attempt)

    def settle(self, attempt: audit.Attempt, outcome: str, parameters: str = "") -> None:
        """Write the attempt's record, unless it is written."""
        self._attempts.discard(attempt)
        attempt.end(outcome, parameters)

    @property
    def undecided(self) -> int:
        """How many requests are admitted and have no outcome yet."""
        return len(self._attempts)

    @property
    def busy(self) -> int:
        """How many answers are under way."""
        return len(self._open)

    async def drained(self, seconds: float) -> None:
        """Wait until no answer is under way, at most so many seconds; what is still open then is recorded as such."""
        with contextlib.suppress(asyncio.TimeoutError):
            await asyncio.wait_for(self._idle.wait(), seconds)
        for unsettled in tuple(self._attempts):
            self.settle(unsettled, "unknown: Flower ended before the answer")

    def start_request(self, server_conn: object, request_conn: HTTPConnection) -> HTTPMessageDelegate:
        return _Exchange(self, server_conn, request_conn)


class _Exchange(HTTPMessageDelegate):
    """One request and its answer."""

    def __init__(self, router: Router, server_conn: object, connection: HTTPConnection) -> None:
        self._router, self._server_conn = router, server_conn
        self._kept_by = connection_of(server_conn)
        self._connection = HeaderedConnection(
            connection, no_store=router.no_store, on_status=self._note_status, on_finish=lambda: router.ended(self)
        )
        self._delegate: HTTPMessageDelegate | None = None
        self._attempt: audit.Attempt | None = None
        self._request: HTTPServerRequest | None = None
        self._match: Match | None = None
        self._received = 0
        self._answered = False
        self._held: tuple[ResponseStartLine, HTTPHeaders, bytes] | None = None
        self._lingering: asyncio.TimerHandle | None = None
        self._written: Future[None] | None = None

    async def headers_received(self, start_line: RequestStartLine | ResponseStartLine, headers: HTTPHeaders) -> None:
        router = self._router
        assert isinstance(start_line, RequestStartLine)  # noqa: S101  # a server never receives a response
        request = HTTPServerRequest(
            connection=self._connection, server_connection=self._server_conn, start_line=start_line, headers=headers
        )
        self._request = request
        if router.proxies is not None:
            router.proxies.apply(request, unix=_is_unix(request))
        self._connection.hsts = router.hsts if request.protocol == "https" else 0
        prefix = router.table.prefix
        if prefix and request.path == prefix:
            self._answer(request, 308, b"", {"Location": f"{prefix}/"})
            return
        match = self._match = router.table.find(request.path)
        if self._is_crowded(match):
            self._refuse(request, match, _CROWDED)
            return
        outcome = await router.guard.admit(request, match)
        if isinstance(outcome, Refusal):
            self._refuse(request, match, outcome)
            return
        assert match is not None  # noqa: S101  # the guard admits matched requests only
        self._connection.cookies = outcome.cookies
        # Whatever the handler does from here on, in this context, is done for this request.
        self._attempt = attempt(request, match.entry.route, outcome.identity)
        audit.begin(self._attempt)
        router.tries(self._attempt)
        made_with: dict[str, Any] = {
            "host": router.host,
            "route": match.entry.route,
            "visit": outcome,
            "path": match.path,
        }
        router.freshen()
        if "text/event-stream" not in outcome.accept:
            router.began(self)
        self._delegate = router.application.get_handler_delegate(request, handler_of(match.entry.route), made_with)
        if outcome.tokens:
            content_type, refuse = headers.get("Content-Type", ""), partial(self._refuse, request, match, NO_TOKEN)
            self._delegate = FormToken(self._delegate, content_type, outcome.tokens, refuse)
        ready = self._delegate.headers_received(start_line, headers)
        if ready is not None:
            await ready

    def data_received(self, chunk: bytes) -> Awaitable[None] | None:
        self._received += len(chunk)
        if self._delegate is None:
            return None
        if self._received > MAX_BODY:
            self._cut(self._delegate)
            return None
        if self._kept_by is not None:
            self._kept_by.keeps(len(chunk))
        return self._delegate.data_received(chunk)

    def finish(self) -> None:
        if self._delegate is not None:
            self._delegate.finish()
        elif self._held is not None:
            self._write(*self._held)
            self._connection.finish()
        elif self._lingering is not None:
            self._part()

    def on_connection_close(self) -> None:
        self._router.ended(self)
        if self._lingering is not None:
            self._lingering.cancel()
        if self._delegate is not None:
            self._delegate.on_connection_close()
        if self._attempt is not None and self._attempt.open:
            # The order may be under way; its handler still says how it ended, if it ever ends.
            outcome = "unknown: the client left before the answer"
            asyncio.get_running_loop().call_later(_LEFT_SECONDS, self._router.settle, self._attempt, outcome)

    def _refuse(self, request: HTTPServerRequest, match: Match | None, refusal: Refusal) -> None:
        if match is not None:
            surface: str = match.entry.route.surface
        else:
            surface = "api" if request.path.startswith(self._router.table.prefix + "/api/") else "page"
        accept = request.headers.get("Accept", "")
        content_type, body = self._router.errors.body(surface, accept, refusal.status, refusal.message)
        self._answer(request, refusal.status, body, {"Content-Type": content_type, **refusal.headers})

    def _answer(self, request: HTTPServerRequest, status: int, body: bytes, headers: dict[str, str]) -> None:
        """Answer without a handler: at once when a body is still to come.

        Nobody needs that body, yet a client that sends it before it listens misses the answer when the connection
        closes on it: so it is read for a second and thrown away. A request whose end is uncertain ends at once, and
        so does one that waits to be told to go on.
        """
        fields = HTTPHeaders(headers)
        fields["Content-Length"] = str(len(body))
        line = ResponseStartLine("HTTP/1.1", status, HTTPStatus(status).phrase)
        held = line, fields, b"" if request.method == "HEAD" else body
        if request.headers.get("Content-Length", "0") == "0" and "Transfer-Encoding" not in request.headers:
            self._held = held
            return
        fields["Connection"] = "close"
        self._write(*held)
        if status == HTTPStatus.BAD_REQUEST or "Expect" in request.headers:
            self._connection.finish()
        else:
            self._lingering = asyncio.get_running_loop().call_later(_LINGER_SECONDS, self._part)

    def _write(self, line: ResponseStartLine, fields: HTTPHeaders, body: bytes) -> None:
        self._held = None
        self._written = self._connection.write_headers(line, fields, body)

    def _part(self) -> None:
        """Close the connection, once the answer is written."""
        assert self._lingering is not None and self._written is not None  # noqa: S101, PT018  # it lingers after writing
        self._lingering.cancel()
        self._lingering = None
        self._connection.finish()
        self._written.add_done_callback(lambda _: self._connection.close())

    def _cut(self, delegate: HTTPMessageDelegate) -> None:
        """Refuse a body that turns out too large while it is read."""
        assert self._request is not None  # noqa: S101  # headers come before bodies
        self._delegate = None
        delegate.on_connection_close()
        if self._answered:
            self._connection.close()
            return
        if self._attempt is not None:
            self._router.settle(self._attempt, f"refused: {TOO_LARGE.message}")
        self._refuse(self._request, self._match, TOO_LARGE)

    def _is_crowded(self, match: Match | None) -> bool:
        """Tell whether the connection was let in above the limit, for the probes alone, and asks for something else."""
        spare = self._kept_by is not None and self._kept_by.spare
        return spare and (match is None or match.entry.route.surface != "probe")

    def _note_status(self, status: int) -> None:
        """Settle the audit record of an admitted request, once its outcome is known."""
        self._answered = True
        if self._attempt is None or self._request is None:
            return
        outcome = "partly" if status == _SOME_FAILED else "ok" if status < 400 else f"failed: {status}"
        self._router.settle(self._attempt, outcome, _digest(self._request))


def _digest(request: HTTPServerRequest) -> str:
    """Return a short digest of what was asked for besides the path, "" when that is nothing."""
    asked = b"\n".join((request.query.encode(), request.body or b""))
    return hashlib.sha256(asked).hexdigest()[:16] if asked != b"\n" else ""


def _is_unix(request: HTTPServerRequest) -> bool:
    context = getattr(request.connection, "context", None)
    return getattr(context, "address_family", None) not in (socket.AF_INET, socket.AF_INET6)


def _no_log(handler: object) -> None:
    """Access lines are for --debug."""
