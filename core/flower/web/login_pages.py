"""The pages of logging in and out."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Sequence
from typing import TypeVar
from urllib.parse import urlsplit

from tornado.web import RequestHandler

from flower.audit import Attempt
from flower.web.destination import destination
from flower.web.door import Door
from flower_plugins import FlowerError, Identity, LoginRefused, ProviderFailed
from flower_plugins.web import Handler

__all__ = ["LoginHandler", "LogoutEverybodyHandler", "LogoutHandler", "add_cookies", "record", "record_refused"]

log = logging.getLogger(__name__)

T = TypeVar("T")

_LONGEST_ERROR = 200
_NO_SESSION = "Nobody is logged in here through a login page, so there is no session to end."


class LoginHandler(Handler):
    """Sends people to the login provider and takes them back."""

    async def get(self) -> None:
        """Begin a login, or end the one whose answer the query holds."""
        fields = self.request.query_arguments
        query = {name: values[-1].decode("utf-8", "replace") for name, values in fields.items()}
        if "error" in query:
            said = f"{query['error']} {query.get('error_description', '')}".strip()[:_LONGEST_ERROR]
            record_refused(self, _door(self), "", f"the provider says {said}")
            raise LoginRefused(f"The login provider refused: {said}. Please try logging in again.")
        if "code" in query or "state" in query:
            await self._finish(query)
        else:
            await self._start(query.get("next", ""))

    async def _start(self, text: str) -> None:
        door = _door(self)
        page = destination(text, door.prefix)
        session = door.sessions.find(self.request)
        if session is not None and door.may_enter(session.identity):
            self.redirect(page)
            return
        ticket, cookies = door.tickets.issue(self.request, page)
        url = await _asked(door.provider.authorize_url(ticket))
        if urlsplit(url).scheme not in ("http", "https"):
            raise ProviderFailed("The login provider's address makes no sense")
        add_cookies(self, cookies)
        self.redirect(url)

    async def _finish(self, query: dict[str, str]) -> None:
        door = _door(self)
        people: Sequence[Identity] = ()
        try:
            returned = door.tickets.redeem(self.request, query.get("state", ""))
            people = await _asked(door.provider.finish(returned.ticket, query))
            identity = door.chosen(people)
            cookies = door.enter(self.request, identity)
        except FlowerError as error:
            record_refused(self, door, people[-1].name if people else "", error.message)
            raise
        record(self, identity.name, "login", "ok")
        add_cookies(self, [*cookies, door.tickets.forget(self.request, returned.ticket.state)])
        self.redirect(returned.next)


class LogoutHandler(Handler):
    """Asks, and ends the session."""

    def get(self) -> None:
        """Ask, since a link or an image of another site could lead here; or say that it is done."""
        door: Door | None = self.route.options["door"]
        session = None if door is None else door.sessions.find(self.request)
        if session is None:
            message = _NO_SESSION if door is None else "You are logged out. The login provider may still know you."
            self.send_page("logout.html", name="", message=message, can_log_in=door is not None)
            return
        name = session.identity.name
        self.send_page("logout.html", name=name, message=f"You are logged in as {name}.", can_log_in=False)

    def post(self) -> None:
        """End this browser's session on this side, for good."""
        door: Door | None = self.route.options["door"]
        if door is not None:
            identity, cookies = door.leave(self.request)
            add_cookies(self, cookies)
            if identity is not None:
                record(self, identity.name, "logout", "ok")
        self.redirect(self.host.url("/logout"), status=303)


class LogoutEverybodyHandler(Handler):
    """Ends every session there is."""

    def post(self) -> None:
        """Log out everybody, whoever asks included."""
        _door(self).sessions.end_all()
        self.redirect(self.host.url("/logout"), status=303)


def record(handler: RequestHandler, name: str, action: str, outcome: str) -> None:
    """Leave a line in the audit."""
    request = handler.request
    made = Attempt(
        identity=name,
        address=request.remote_ip or "",
        method=request.method or "",
        action=action,
        target=request.path,
        due=True,
    )
    made.end(outcome)


def record_refused(handler: RequestHandler, door: Door, name: str, reason: str) -> None:
    """Count a login that was refused; each leaves a line where a provider vouches for the name, few of others do."""
    request, provider = handler.request, door.provider
    door.failures.note(
        provider.name or type(provider).__name__,
        address=request.remote_ip or "",
        method=request.method or "",
        target=request.path,
        recorded=bool(name),
        reason=reason,
    )
    if name:
        record(handler, name, "login", f"refused: {reason}")


def add_cookies(handler: RequestHandler, lines: Sequence[str]) -> None:
    """Add Set-Cookie lines to the answer."""
    for line in lines:
        handler.add_header("Set-Cookie", line)


def _door(handler: Handler) -> Door:
    door: Door = handler.route.options["door"]
    return door


async def _asked(answer: Awaitable[T]) -> T:
    """Return what a login provider answers. Raise ProviderFailed, or what else is an answer to a person."""
    try:
        return await answer
    except FlowerError:
        raise
    except Exception:  # guards the login page: whatever a provider does, nobody is let in and nothing breaks
        log.exception("A login provider failed")
        raise ProviderFailed("The login provider failed. The server's log says how.") from None
