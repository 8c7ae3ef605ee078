"""Tickets: what ties a provider's answer to the browser, the provider and the page it was asked for."""

from __future__ import annotations

import json
import secrets
import time
from collections.abc import Callable

from msgspec import Struct
from tornado.httputil import HTTPServerRequest

from flower.web.cookies import Cookies, all_cookies
from flower.web.keys import Keys
from flower_plugins import LoginRefused, LoginTicket

__all__ = ["Returned", "Tickets"]

_PURPOSE = "login"
_SECONDS = 600
_AT_ONCE = 8
_MOST = 50_000
_MISMATCH = "OAuth authenticator error: State tokens do not match. Please try logging in again."
_LATE = "OAuth authenticator error: The login took longer than 10 minutes. Please try logging in again."


class Returned(Struct, frozen=True):
    """A ticket that came back, and the page the login was for."""

    ticket: LoginTicket
    next: str


class Tickets:
    """Nothing of a login under way is kept here: the browser holds a signed cookie, the rest is derived.

    What was used up is remembered for as long as it would count.

    Each login has a cookie of its own, so that several tabs can log in at once. Verifier and nonce come
    from the state and the secret that signed the cookie.
    """

    def __init__(
        self,
        keys: Keys,
        cookies: Cookies,
        *,
        provider: str,
        redirect_uri: str,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._keys, self._cookies, self._clock = keys, cookies, clock
        self._used: dict[str, float] = {}
        self._provider, self._redirect_uri = provider, redirect_uri

    def issue(self, request: HTTPServerRequest, next_page: str) -> tuple[LoginTicket, list[str]]:
        """Return a ticket and the Set-Cookie lines that go with it."""
        state = secrets.token_urlsafe(24)
        name = self._name(request, state)
        fields = [state, self._provider, next_page, round(self._clock(), 3)]
        value = self._keys.sign(_PURPOSE, json.dumps(fields, separators=(",", ":")))
        before = self._cookies.names(request, _PURPOSE)
        gone = before if len(before) >= _AT_ONCE else []
        lines = [self._cookies.write(request, old, "", 0) for old in gone]
        return self._ticket(value, state), [*lines, self._cookies.write(request, name, value, _SECONDS)]

    def redeem(self, request: HTTPServerRequest, state: str) -> Returned:
        """Return what `issue` made for this browser and state, once. Raise LoginRefused for anything else."""
        value = all_cookies(request).get(self._name(request, state), "")
        text = self._keys.verify(_PURPOSE, value) if value else None
        try:
            signed, provider, next_page, issued = json.loads(text or "")
        except ValueError:
            raise LoginRefused(_MISMATCH) from None
        if not secrets.compare_digest(str(signed).encode(), state.encode()) or provider != self._provider:
            raise LoginRefused(_MISMATCH)
        if self._clock() - issued >= _SECONDS:
            raise LoginRefused(_LATE)
        self._use_up(state, issued)
        return Returned(self._ticket(value, state), next_page)

    def forget(self, request: HTTPServerRequest, state: str) -> str:
        """Return the Set-Cookie line that removes a ticket's cookie."""
        return self._cookies.write(request, self._name(request, state), "", 0)

    def _use_up(self, state: str, issued: float) -> None:
        """Remember a state until it is too old anyway. Raise LoginRefused for one that is known."""
        if state in self._used:
            raise LoginRefused(_MISMATCH)
        self._used[state] = issued
        now = self._clock()
        if len(self._used) > _MOST:
            self._used = {state: issued for state, issued in self._used.items() if now - issued < _SECONDS}
        while len(self._used) > _MOST:  # somebody finishes logins in a flood; the provider still takes each code once
            del self._used[next(iter(self._used))]

    def _name(self, request: HTTPServerRequest, state: str) -> str:
        mark = "".join(sign for sign in state[:12] if sign.isascii() and (sign.isalnum() or sign in "-_"))
        return f"{self._cookies.name(request, _PURPOSE)}_{mark}"

    def _ticket(self, value: str, state: str) -> LoginTicket:
        verifier, nonce = (self._keys.derive(value, purpose, state) for purpose in ("verifier", "nonce"))
        return LoginTicket(state, verifier, nonce, self._redirect_uri)
