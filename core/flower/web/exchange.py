"""The headers every answer carries, whoever writes it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from tornado.concurrent import Future
from tornado.httputil import HTTPConnection, HTTPHeaders, RequestStartLine, ResponseStartLine

__all__ = ["HeaderedConnection"]

_ALWAYS = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
        "object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
    ),
    "Cross-Origin-Opener-Policy": "same-origin",
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}


class HeaderedConnection(HTTPConnection):
    """Wraps Tornado's connection, so that no handler can leave a security header out."""

    def __init__(
        self, inner: HTTPConnection, *, no_store: bool, on_status: Callable[[int], None], on_finish: Callable[[], None]
    ) -> None:
        self._inner = inner
        self._cache_control = "no-store" if no_store else "no-cache"
        self._on_status, self._on_finish = on_status, on_finish
        self.hsts = 0
        """For how many seconds browsers are told to come by https alone."""
        self.cookies: Sequence[str] = ()
        """Set-Cookie lines that go with the answer, unless its handler sets cookies of that name itself."""

    def write_headers(
        self,
        start_line: RequestStartLine | ResponseStartLine,
        headers: HTTPHeaders,
        chunk: bytes | None = None,
    ) -> Future[None]:
        for name, value in _ALWAYS.items():
            headers[name] = value
        headers["Server"] = "Flower"
        if self.hsts:
            headers["Strict-Transport-Security"] = f"max-age={self.hsts}"
        own = [line.partition("=")[0] for line in headers.get_list("Set-Cookie")]
        for line in self.cookies:
            if line.partition("=")[0] not in own:
                headers.add("Set-Cookie", line)
        if "Cache-Control" not in headers:
            headers["Cache-Control"] = self._cache_control
        if isinstance(start_line, ResponseStartLine):
            self._on_status(start_line.code)
        return self._inner.write_headers(start_line, headers, chunk)

    def write(self, chunk: bytes) -> Future[None]:
        return self._inner.write(chunk)

    def finish(self) -> None:
        self._inner.finish()
        self._on_finish()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)  # Tornado's handlers also call set_close_callback and detach
