"""The door for people: who is logged in, who may log in, and where one goes to do so."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from urllib.parse import quote

from msgspec import Struct
from tornado.httputil import HTTPServerRequest

from flower.web.bearers import Bearers
from flower.web.destination import destination
from flower.web.failures import LoginFailures
from flower.web.keys import Keys
from flower.web.pattern import AuthPattern
from flower.web.session import XSRF_COOKIE, Session, Sessions
from flower.web.ticket import Tickets
from flower_plugins import FlowerError, Identity, LoginProvider, LoginRefused, TooManyAttempts

__all__ = ["Caller", "Door"]

log = logging.getLogger(__name__)

_STREAM_TYPE = "text/event-stream"


class Caller(Struct, frozen=True):
    """Who sends a request; with a session when a cookie says so, without when a token does."""

    identity: Identity
    session: Session | None = None


class Door:
    """Holds the one login provider, the sessions of those it let in, and the pattern they must match."""

    def __init__(
        self,
        provider: LoginProvider,
        pattern: AuthPattern,
        sessions: Sessions,
        tickets: Tickets,
        prefix: str,
        keys: Keys,
        failures: LoginFailures | None = None,
    ) -> None:
        """`prefix` is the url prefix; `keys` sign what sessions and tickets are made of."""
        self.provider, self.sessions, self.tickets, self.prefix = provider, sessions, tickets, prefix
        self.keys = keys
        self.failures = failures or LoginFailures()
        self._pattern = pattern
        self._bearers = Bearers(provider)

    def may_enter(self, identity: Identity) -> bool:
        """Tell whether an identity may enter: asked at the login and on every request."""
        try:
            return self._pattern.matches(identity.name) and self.provider.permits(identity)
        except Exception:  # guards the door: a provider that fails lets nobody in
            log.exception("The login provider %s failed", type(self.provider).__name__)
            return False

    def chosen(self, identities: Sequence[Identity]) -> Identity:
        """Return the last identity that may enter. Raise LoginRefused where none may."""
        allowed = [identity for identity in identities if self.may_enter(identity)]
        if not allowed:
            raise LoginRefused(self.provider.denial(identities))
        return allowed[-1]

    async def caller(self, request: HTTPServerRequest, *, api: bool) -> Caller | None:
        """Return who sends a request, by session or, on the API alone, by token; None who is nobody here.

        Raise TooManyAttempts when too many tokens are being checked.
        """
        session = self.sessions.find(request)
        if session is not None:
            return Caller(session.identity, session) if self.may_enter(session.identity) else None
        header = request.headers.get("Authorization", "")
        if not (api and header):
            return None
        try:
            return Caller(self.chosen(await self._bearers.identities(header)))
        except TooManyAttempts:
            raise
        except FlowerError:
            return None

    def login_url(self, request: HTTPServerRequest) -> str:
        """Return the login page's address, leading back to the page that was asked for."""
        page = destination(request.uri or "", self.prefix)
        return f"{self.prefix}/login?next={quote(page, safe='/')}"

    def cookies(self, request: HTTPServerRequest, session: Session) -> list[str]:
        """Return the Set-Cookie lines due with the answer: the session was used, or its token is not there yet.

        What a page does by itself is no use of a session: streams, and what scripts read in the background.
        """
        lines = []
        again = None if _is_background(request) else self.sessions.touched(session)
        if again is not None:
            lines.append(self.sessions.cookie(request, again))
        sent = request.cookies.get(XSRF_COOKIE)
        if again is not None or sent is None or sent.value != self.sessions.token(session):
            lines.append(self.sessions.token_cookie(request, session))
        return lines

    def enter(self, request: HTTPServerRequest, identity: Identity) -> list[str]:
        """Begin a session, in place of the browser's former one; return the Set-Cookie lines.

        Raise LoginRefused for an identity that no session can hold.
        """
        session = self.sessions.begin(identity)
        lines = [self.sessions.cookie(request, session), self.sessions.token_cookie(request, session)]
        former = self.sessions.find(request)
        if former is not None:
            self.sessions.end(former)
        return lines

    def leave(self, request: HTTPServerRequest) -> tuple[Identity | None, list[str]]:
        """End the browser's session; return whose it was and the Set-Cookie lines."""
        session = self.sessions.find(request)
        if session is None:
            return None, [self.sessions.forget(request)]
        self.sessions.end(session)
        return session.identity, [self.sessions.forget(request)]


def _is_background(request: HTTPServerRequest) -> bool:
    if _STREAM_TYPE in request.headers.get("Accept", ""):
        return True
    return request.method in ("GET", "HEAD") and request.headers.get("Sec-Fetch-Dest", "document") != "document"
