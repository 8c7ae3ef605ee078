"""A clock that stands still, requests as a browser sends them, and a login provider that needs no network."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from urllib.parse import urlencode

from tornado.httputil import HTTPHeaders, HTTPServerRequest, RequestStartLine

from flower_plugins.errors import LoginRefused, ProviderFailed
from flower_plugins.identity import Identity, LoginProvider, LoginTicket
from flower_plugins.offers import OfferContext
from flower_plugins.testing.host import offer_context

__all__ = ["FakeClock", "FakeLoginProvider", "browser_request"]


class FakeClock:
    """Seconds since the epoch that pass only when a test says so."""

    def __init__(self, now: float = 1_700_000_000.0) -> None:
        self.now = now

    def __call__(self) -> float:
        return self.now


class FakeLoginProvider(LoginProvider):
    """Knows people by the code they come back with, and by their access token.

    `people` are the verified identities by code or token. The codes `refuse`, `fail` and `crash` do that.
    """

    label = "Fake"

    def __init__(
        self, context: OfferContext | None = None, people: Mapping[str, Sequence[Identity]] | None = None
    ) -> None:
        super().__init__(context or offer_context())
        self.people = dict(people or {})
        self.tickets: list[LoginTicket] = []
        self.finished: list[LoginTicket] = []
        self.bearers: list[str] = []
        self.outsiders: set[str] = set()
        self.closed = False

    async def authorize_url(self, ticket: LoginTicket) -> str:
        self.tickets.append(ticket)
        query = urlencode({"state": ticket.state, "redirect_uri": ticket.redirect_uri})
        return f"https://provider.example/authorize?{query}"

    async def finish(self, ticket: LoginTicket, answer: Mapping[str, str]) -> Sequence[Identity]:
        self.finished.append(ticket)
        code = answer.get("code", "")
        if code == "refuse":
            raise LoginRefused("This account has no verified address")
        if code == "fail":
            raise ProviderFailed("The provider does not answer")
        if code == "crash":
            raise RuntimeError("a secret detail")
        return self.people.get(code, ())

    async def bearer(self, token: str) -> Sequence[Identity]:
        self.bearers.append(token)
        if token == "crash":  # noqa: S105  # a word that tests send
            raise RuntimeError("a secret detail")
        return self.people.get(token, ())

    def permits(self, identity: Identity) -> bool:
        return identity.name not in self.outsiders

    async def close(self) -> None:
        self.closed = True


def browser_request(
    cookie: str = "", protocol: str = "http", headers: Mapping[str, str] | None = None, method: str = "GET"
) -> HTTPServerRequest:
    """Return a request for / with that Cookie header, over http or https."""

    class Connection:
        context = type("Context", (), {"remote_ip": "127.0.0.1", "protocol": protocol})()

    fields = HTTPHeaders({"Host": "localhost", **(headers or {}), **({"Cookie": cookie} if cookie else {})})
    line = RequestStartLine(method, "/", "HTTP/1.1")
    return HTTPServerRequest(start_line=line, headers=fields, connection=Connection())  # type: ignore[arg-type]
