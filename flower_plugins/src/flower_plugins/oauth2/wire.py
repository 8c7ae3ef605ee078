"""Calls to a provider that can neither hang, nor flood, nor lead elsewhere."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

from tornado.httpclient import HTTPError, HTTPRequest
from tornado.httputil import HTTPInputError
from tornado.iostream import StreamBufferFullError, UnsatisfiableReadError
from tornado.simple_httpclient import HTTPTimeoutError, SimpleAsyncHTTPClient

from flower_plugins.errors import LoginRefused, ProviderFailed
from flower_plugins.oauth2.records import Record, parse_json

__all__ = ["Reply", "Wire"]

_MAX_BYTES = 1024 * 1024
"""How much a provider may say in one answer."""
_MAX_PAGES = 50
"""How many pages of a list are read."""
_CALLS_AT_ONCE = 32
_BELOW_HTTP = (HTTPError, HTTPInputError, OSError, StreamBufferFullError, UnsatisfiableReadError, ValueError)
"""What goes wrong with names, connections, certificates, framing and size."""


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer of a provider that is neither a redirect nor a breakdown: 2xx, or 4xx for a refusal."""

    source: str
    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def ok(self) -> bool:
        """Tell whether the provider did what was asked."""
        return 200 <= self.status < 300

    def value(self) -> Any:
        """Return the JSON of the answer; LoginRefused for a refusal, ProviderFailed when it is no JSON."""
        if not self.ok:
            raise LoginRefused(f"{self.source} was refused (status {self.status})")
        try:
            return parse_json(self.body)
        except ValueError:
            raise ProviderFailed(f"{self.source} came as something that is no JSON") from None

    def record(self) -> Record:
        """Return the JSON object of the answer; an object with `error` in it is a refusal."""
        value = self.value()
        if not isinstance(value, dict):
            raise ProviderFailed(f"{self.source} came as something that is no JSON object")
        if value.get("error"):
            raise LoginRefused(f"{self.source} was refused")
        return Record(self.source, value)

    def records(self) -> Sequence[Record]:
        """Return the JSON objects of an answer that is a list of them."""
        value = self.value()
        if not isinstance(value, list) or not all(isinstance(item, dict) for item in value):
            raise ProviderFailed(f"{self.source} came as something that is no list of JSON objects")
        return [Record(self.source, item) for item in value]

    def next_page(self) -> int | None:
        """Return the number of the page that follows, from `X-Next-Page` or `Link` (RFC 8288)."""
        number = self.headers.get("X-Next-Page", "").strip() or _page_of_link(self.headers.get("Link", ""))
        return int(number) if number.isascii() and number.isdigit() and len(number) < 9 else None


class Wire:
    """Talks to one provider, `label` in messages; nothing it raises holds an address' query, a header or a body.

    Each call ends within `seconds`, follows no redirect, verifies certificates and reads at most 1 MB.
    """

    def __init__(self, label: str, seconds: float) -> None:
        self._label, self._seconds = label, seconds
        self._client: SimpleAsyncHTTPClient | None = None

    async def ask(
        self,
        what: str,
        url: str,
        *,
        bearer: str = "",
        basic: tuple[str, str] | None = None,
        form: Mapping[str, str] | str | None = None,
        json_body: Mapping[str, Any] | None = None,
    ) -> Reply:
        """Return the reply to a GET, or to a POST when there is a form or a JSON body.

        `what` names the reply in messages: "user" becomes "GitLab's user". Raise ProviderFailed.
        """
        headers = {"Accept": "application/json", "User-Agent": "Flower"}
        body: str | None = None
        if bearer:
            headers["Authorization"] = f"Bearer {bearer}"
        if form is not None:
            body = form if isinstance(form, str) else urlencode(form)
            headers["Content-Type"] = "application/x-www-form-urlencoded"
        elif json_body is not None:
            body = json.dumps(json_body)
            headers["Content-Type"] = "application/json"
        user, password = basic or (None, None)
        request = HTTPRequest(
            url,
            method="GET" if body is None else "POST",
            headers=headers,
            body=body,
            auth_username=user,
            auth_password=password,
            connect_timeout=self._seconds,
            request_timeout=self._seconds,
            follow_redirects=False,
            validate_cert=True,
            decompress_response=False,
        )
        return await self._send(f"{self._label}'s {what}", request)

    async def pages(self, what: str, url: str, *, bearer: str) -> AsyncIterator[Record]:
        """Yield the objects of a list that comes in pages of a hundred; at most 50 pages are read."""
        mark = "&" if "?" in url else "?"
        page: int | None = 1
        for _ in range(_MAX_PAGES):
            if page is None:
                return
            reply = await self.ask(what, f"{url}{mark}per_page=100&page={page}", bearer=bearer)
            for record in reply.records():
                yield record
            following = reply.next_page()
            page = following if following is None or following > page else None

    def close(self) -> None:
        """Let go of the connections."""
        if self._client is not None:
            self._client.close()
            self._client = None

    async def _send(self, source: str, request: HTTPRequest) -> Reply:
        if self._client is None:
            self._client = SimpleAsyncHTTPClient(
                force_instance=True,
                max_clients=_CALLS_AT_ONCE,
                max_body_size=_MAX_BYTES,
                max_buffer_size=2 * _MAX_BYTES,
            )
        try:
            response = await self._client.fetch(request, raise_error=False)
        except HTTPTimeoutError:
            raise ProviderFailed(f"{source} did not come within {self._seconds:g} seconds") from None
        except _BELOW_HTTP:
            raise ProviderFailed(f"{source} could not be had: no proper answer from {_host(request.url)}") from None
        if response.code == 429 or not (200 <= response.code < 300 or 400 <= response.code < 500):
            raise ProviderFailed(f"{source} could not be had: {_host(request.url)} answers {response.code}")
        return Reply(source, response.code, response.headers, response.body or b"")


def _page_of_link(header: str) -> str:
    for link in header.split(","):
        target, _, rest = link.partition(";")
        if 'rel="next"' in rest.replace(" ", ""):
            query = parse_qs(urlsplit(target.strip(" <>")).query)
            return query.get("page", [""])[0]
    return ""


def _host(url: str) -> str:
    return urlsplit(url).hostname or "?"
