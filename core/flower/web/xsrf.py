"""What a session's cookie alone does not prove: that a page of ours asked for a change."""

from __future__ import annotations

import hmac
from collections.abc import Awaitable, Callable, Sequence

from tornado.httputil import (
    HTTPHeaders,
    HTTPMessageDelegate,
    HTTPServerRequest,
    RequestStartLine,
    ResponseStartLine,
    parse_body_arguments,
)

__all__ = ["FormToken", "has_form", "has_token"]

_FORMS = ("application/x-www-form-urlencoded", "multipart/form-data")
_LARGEST = 1024 * 1024


def has_token(request: HTTPServerRequest, tokens: Sequence[str]) -> bool:
    """Tell whether a header carries one of the tokens."""
    headers = request.headers
    return _is_one(headers.get("X-Xsrftoken", "") or headers.get("X-Csrftoken", ""), tokens)


def has_form(request: HTTPServerRequest) -> bool:
    """Tell whether a form is to come, which may hold the token."""
    headers = request.headers
    empty = headers.get("Content-Length", "0") == "0" and "Transfer-Encoding" not in headers
    return not empty and headers.get("Content-Type", "").lower().startswith(_FORMS)


class FormToken(HTTPMessageDelegate):
    """Reads along, and lets the handler begin only when the form has one of the tokens as `_xsrf`."""

    def __init__(
        self, inner: HTTPMessageDelegate, content_type: str, tokens: Sequence[str], refuse: Callable[[], None]
    ) -> None:
        self._inner, self._content_type, self._tokens, self._refuse = inner, content_type, tokens, refuse
        self._body = bytearray()

    def headers_received(
        self, start_line: RequestStartLine | ResponseStartLine, headers: HTTPHeaders
    ) -> Awaitable[None] | None:
        return self._inner.headers_received(start_line, headers)

    def data_received(self, chunk: bytes) -> Awaitable[None] | None:
        self._body += chunk[: _LARGEST - len(self._body)]
        return self._inner.data_received(chunk)

    def finish(self) -> None:
        if self._carries():
            self._inner.finish()
        else:
            self._inner.on_connection_close()
            self._refuse()

    def on_connection_close(self) -> None:
        self._inner.on_connection_close()

    def _carries(self) -> bool:
        fields: dict[str, list[bytes]] = {}
        try:
            parse_body_arguments(self._content_type, bytes(self._body), fields, {})
        except Exception:  # guards the door: Tornado raises several types for a form it cannot read
            return False
        return _is_one(fields.get("_xsrf", [b""])[-1].decode("latin-1"), self._tokens)


def _is_one(given: str, tokens: Sequence[str]) -> bool:
    matches = False
    for token in tokens:
        matches |= hmac.compare_digest(given.encode(), token.encode())
    return matches
