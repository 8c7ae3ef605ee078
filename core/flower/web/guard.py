"""The one guard: every request passes it before a handler exists and before its body is read."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import TYPE_CHECKING, NamedTuple

from tornado.httputil import HTTPServerRequest

from flower.audit import Attempt
from flower.web.errors import ErrorBodies
from flower.web.failures import LoginFailures
from flower.web.origins import (
    AllowedHosts,
    came_through_proxy,
    is_loopback,
    may_be_forwarded,
    names_loopback,
    refuse_cross_site,
    same_origin,
)
from flower.web.policy import LOOK_ONLY, Visitor, judge
from flower.web.posture import Posture
from flower.web.table import Entry, Match
from flower.web.xsrf import has_form, has_token
from flower_plugins import Access, AuthProvider, Identity, Route, TooManyAttempts, Unavailable
from flower_plugins.web import foreign, handler_of, methods

if TYPE_CHECKING:
    from flower.web.door import Door
    from flower.web.session import Session

__all__ = ["NO_TOKEN", "Guard", "Refusal", "RequestVisit", "attempt"]

log = logging.getLogger(__name__)

MAX_BODY = 1024 * 1024
_SAFE = frozenset(("GET", "HEAD", "OPTIONS"))
_LENGTH_DIGITS = 12
_STREAM_TYPE = "text/event-stream"


class Refusal(NamedTuple):
    """An answer that replaces the handler's."""

    status: int
    message: str
    headers: Mapping[str, str] = MappingProxyType({})


TOO_LARGE = Refusal(413, f"The request body is larger than {MAX_BODY} bytes")
NO_TOKEN = Refusal(403, "'_xsrf' argument missing from POST")


class RequestVisit(NamedTuple):
    """What the guard found out about a request; handed to its handler."""

    visitor: Visitor
    remote_ip: str
    surface: str
    accept: str
    posture: Posture
    errors: ErrorBodies
    can_log_out: bool = False
    cookies: Sequence[str] = ()
    """Set-Cookie lines that go with the answer."""
    tokens: Sequence[str] = ()
    """Words of which the form that is to come must hold one, in its field `_xsrf`."""

    @property
    def identity(self) -> Identity | None:
        """Who was identified, None when nobody has to log in."""
        return self.visitor.identity

    def refusal(self, access: Access) -> str | None:
        """Return why this visitor may not use page routes of that access, None when they may."""
        denial = judge(self.visitor, access, "page", self.posture)
        return None if denial is None else denial.reason

    def error_body(self, status: int, message: str) -> tuple[str, bytes]:
        """Return (Content-Type, body) of an error answer in the form this request asked for."""
        return self.errors.body(self.surface, self.accept, status, message)


class _Asked:
    """What asking the providers brought: who it is, by which session, and the provider that did not know them.

    `vouched` tells whether a provider verified what the request itself brought, such as a password or a token.
    """

    def __init__(self, stranger_to: AuthProvider | None = None) -> None:
        self.identity: Identity | None = None
        self.session: Session | None = None
        self.vouched = False
        self.stranger_to = stranger_to


class Guard:
    """Admits or refuses, in a fixed order: size, host, method, other sites, identity, permission."""

    def __init__(
        self,
        posture: Posture,
        providers: Sequence[AuthProvider],
        hosts: AllowedHosts,
        errors: ErrorBodies,
        broken: Callable[[str], str | None],
        failed: Callable[[str, str], object],
        failures: LoginFailures,
        door: Door | None = None,
    ) -> None:
        """`broken` says why a plugin's routes cannot work at the moment, None when they can.

        `failed` is told of a plugin whose handler cannot be loaded, and why. `door` keeps the sessions of the login
        provider among `providers`.
        """
        self._posture, self._providers, self._hosts = posture, providers, hosts
        self._errors, self._broken, self._failed, self._failures = errors, broken, failed, failures
        self._door = door

    async def admit(self, request: HTTPServerRequest, match: Match | None) -> RequestVisit | Refusal:
        """Return the visit to hand to the handler, or the refusal to send. Whatever goes wrong here refuses."""
        try:
            return await self._judge_all(request, match)
        except Exception:  # guards the door: a fault of the guard itself must not let anybody in
            log.exception("A request could not be judged")
            if match is not None:
                attempt(request, match.entry.route, None).end("refused: 500")
            return Refusal(500, "")

    async def _judge_all(self, request: HTTPServerRequest, match: Match | None) -> RequestVisit | Refusal:
        if match is None:
            return self._refuse_early(request, "") or Refusal(404, _no_route(request.path))
        route = match.entry.route
        early = self._refuse_early(request, route.surface)
        if early is not None:
            attempt(request, route, None).end(_refused(early))
            return early
        try:
            asked = await self._identify(request, route)
        except TooManyAttempts as error:
            wait = Refusal(429, error.message, {"Retry-After": str(error.retry_after)})
            attempt(request, route, None).end(_refused(wait))
            return wait
        visitor = Visitor(asked.identity, _is_local(request))
        refusal = self._refuse_handled(request, match.entry, visitor, asked)
        if refusal is not None:
            attempt(request, route, visitor.identity).end(_refused(refusal))
            return refusal
        return self._visit(request, route, visitor, asked)

    def _visit(self, request: HTTPServerRequest, route: Route, visitor: Visitor, asked: _Asked) -> RequestVisit:
        cookies: Sequence[str] = ()
        tokens: Sequence[str] = ()
        if asked.session is not None and self._door is not None:
            if route.access != "public":
                cookies = self._door.cookies(request, asked.session)
            if self._needs_token(request, asked):
                tokens = self._door.sessions.tokens(asked.session)
        return RequestVisit(
            visitor,
            request.remote_ip or "",
            route.surface,
            request.headers.get("Accept", ""),
            self._posture,
            self._errors,
            can_log_out=asked.session is not None,
            cookies=cookies,
            tokens=tokens,
        )

    def _refuse_early(self, request: HTTPServerRequest, surface: str) -> Refusal | None:
        """Refuse what no route may see."""
        length = request.headers.get("Content-Length", "0")
        if not (length.isascii() and length.isdigit()):
            return Refusal(400, "Content-Length is not a number")
        if "Content-Length" in request.headers and "Transfer-Encoding" in request.headers:
            return Refusal(400, "Content-Length and Transfer-Encoding contradict each other")
        if len(length) > _LENGTH_DIGITS or int(length) > MAX_BODY:
            return TOO_LARGE
        if surface != "probe" and not self._posture.authenticated and not self._hosts.allows(request):
            host = request.headers.get("Host", "")[:200]
            return Refusal(
                421,
                f"This Flower does not know the host name {host!r}. "
                "If it is meant to be reached by it, start Flower with --allowed_hosts=that name.",
            )
        return None

    def _refuse_handled(
        self, request: HTTPServerRequest, entry: Entry, visitor: Visitor, asked: _Asked
    ) -> Refusal | None:
        """Refuse, also because nothing can handle it: a handler that is only named is loaded here."""
        try:
            refusal = self._refuse(request, entry.route, visitor, asked)
            if refusal is None and (reason := self._broken(entry.plugin)) is not None:
                return Refusal(503, reason)
            if refusal is None:
                handler_of(entry.route)
        except Unavailable as error:
            self._failed(entry.plugin, error.message)
            return Refusal(503, f"A part of the plugin {entry.plugin} cannot be loaded; the plugins page says why")
        return refusal

    def _refuse(self, request: HTTPServerRequest, route: Route, visitor: Visitor, asked: _Asked) -> Refusal | None:
        changing = route.access in ("write", "admin")
        safe = request.method in _SAFE
        if changing and safe and request.method != "OPTIONS":
            allowed = [each for each in methods(handler_of(route)) if each not in _SAFE]
            return Refusal(405, "", {"Allow": ", ".join(allowed)})
        if not safe and route.surface == "api" and (denied := self._judge(request, route, visitor, asked)):
            return denied  # a closed API says so before anything else
        if not safe and (reason := refuse_cross_site(request)) is not None:
            return Refusal(403, reason)
        if _STREAM_TYPE in request.headers.get("Accept", "") and foreign(request):
            return Refusal(403, "Cross-site request forbidden")
        denied = self._judge(request, route, visitor, asked)
        if denied is not None:
            return denied
        if self._needs_token(request, asked) and not _may_hold_token(request, route):
            return NO_TOKEN
        if changing and not self._vouched(request, route):
            return Refusal(403, LOOK_ONLY)
        return None

    def _judge(self, request: HTTPServerRequest, route: Route, visitor: Visitor, asked: _Asked) -> Refusal | None:
        denial = judge(visitor, route.access, route.surface, self._posture)
        if denial is None:
            return None
        stranger_to, door = asked.stranger_to, self._door
        if denial.status != 401 or stranger_to is None:
            return Refusal(denial.status, denial.reason)
        if door is not None and stranger_to is door.provider and route.surface == "page":
            # What a script reads in the background must not end up at another site's login page.
            if request.method in ("GET", "HEAD") and request.headers.get("Sec-Fetch-Dest", "document") == "document":
                return Refusal(302, "", {"Location": door.login_url(request)})
            return Refusal(401, denial.reason)
        challenge = stranger_to.challenge
        return Refusal(401, denial.reason, {"WWW-Authenticate": challenge} if challenge else {})

    def _needs_token(self, request: HTTPServerRequest, asked: _Asked) -> bool:
        """Tell whether nothing shows yet that one of our pages, or a script that knows its session's token, asks."""
        if request.method in _SAFE or asked.session is None or asked.vouched or self._door is None:
            return False
        return not (same_origin(request) or has_token(request, self._door.sessions.tokens(asked.session)))

    def _vouched(self, request: HTTPServerRequest, route: Route) -> bool:
        """Where nobody logs in, a page's action needs the browser's word that our page asked for it."""
        return (
            self._posture.authenticated
            or self._posture.open_api
            or request.method == "OPTIONS"
            or (route.surface == "page" and same_origin(request))
        )

    async def _identify(self, request: HTTPServerRequest, route: Route) -> _Asked:
        """Return who every configured provider agrees this is; on public routes, what the session alone says.

        Raise TooManyAttempts.
        """
        asked, door = _Asked(), self._door
        if route.access == "public":
            asked.session = session = door.sessions.find(request) if door is not None else None
            if door is not None and session is not None and len(self._providers) == 1:
                asked.identity = session.identity if door.may_enter(session.identity) else None
            return asked
        for provider in self._providers:
            try:
                identity = await self._ask(provider, request, route, asked)
            except TooManyAttempts:
                self._note_failure(provider, request, route)
                raise
            except Exception:  # guards the door: a provider that fails lets nobody in
                log.exception("The login provider %s failed", type(provider).__name__)
                identity = None
            if identity is None:
                self._note_failure(provider, request, route)
                return _Asked(stranger_to=provider)
            asked.identity = identity
        return asked

    async def _ask(
        self, provider: AuthProvider, request: HTTPServerRequest, route: Route, asked: _Asked
    ) -> Identity | None:
        door = self._door
        if door is None or provider is not door.provider:
            identity = await provider.identify(request)  # type: ignore[arg-type]
            asked.vouched = identity is not None
            return identity if identity is not None and provider.permits(identity) else None
        caller = await door.caller(request, api=route.surface == "api")
        if caller is None:
            return None
        asked.session = caller.session
        asked.vouched = asked.vouched or caller.session is None
        return caller.identity

    def _note_failure(self, provider: AuthProvider, request: HTTPServerRequest, route: Route) -> None:
        """Count a login that failed. Who sent no credentials of that provider's kind has not tried."""
        given = request.headers.get("Authorization", "")
        at_door = self._door is not None and provider is self._door.provider
        if not given or (at_door and not given.lower().startswith("bearer ")):
            return
        self._failures.note(
            provider.name or type(provider).__name__,
            address=request.remote_ip or "",
            method=request.method or "",
            target=request.path,
            recorded=_changes(request, route),
        )


def attempt(request: HTTPServerRequest, route: Route, identity: Identity | None) -> Attempt:
    """Return what a request is in the audit; asking a route for its methods changes nothing."""
    return Attempt(
        identity=identity.name if identity else "",
        address=request.remote_ip or "",
        method=request.method or "",
        action=route.name,
        target=request.path,
        due=_changes(request, route),
    )


def _may_hold_token(request: HTTPServerRequest, route: Route) -> bool:
    """Tell whether a form is to come whose handler waits for the whole of it."""
    return has_form(request) and not getattr(handler_of(route), "_stream_request_body", False)


def _changes(request: HTTPServerRequest, route: Route) -> bool:
    return route.access in ("write", "admin") and request.method != "OPTIONS"


def _refused(refusal: Refusal) -> str:
    return f"refused: {refusal.message or refusal.status}"


def _no_route(path: str) -> str:
    """Return what callers of the API see, who get no page; what is not of the API needs no words from here."""
    _, api, rest = path.partition("/api/")  # an url prefix may stand before it
    return f"No such route: /api/{rest[:200]}. /api/docs lists them." if api else ""


def _is_local(request: HTTPServerRequest) -> bool:
    """Tell whether the request comes from this machine and no proxy has said otherwise."""
    if came_through_proxy(request) or may_be_forwarded(request.headers) or not names_loopback(request):
        return False
    return is_loopback(request.remote_ip or "")
