"""Sessions: what a browser holds after a login, and what ends it."""

from __future__ import annotations

import hashlib
import json
import secrets
import time
from collections.abc import Callable

from msgspec import Struct
from msgspec.structs import replace
from tornado.httputil import HTTPServerRequest

from flower.web.cookies import Cookies
from flower.web.keys import Keys
from flower.web.revocations import Revocations
from flower_plugins import Identity, LoginRefused

__all__ = ["XSRF_COOKIE", "Session", "Sessions"]

XSRF_COOKIE = "_xsrf"
_PURPOSE = "session"
_AGAIN_SECONDS = 300.0
_LARGEST = 3800  # browsers keep 4096 bytes of a cookie, name and attributes included


class Session(Struct, frozen=True):
    """Who logged in, when, and when they were last seen; times in seconds since the epoch."""

    sid: str
    identity: Identity
    issued: float
    seen: float


class Sessions:
    """Signed cookies that hold the whole session, and a list of those that were ended.

    A session ends `idle` seconds after it was last used and `lifetime` seconds after the login. That it is
    used is noted in the cookie every five minutes, so that `idle` may be counted from up to five
    minutes earlier, never from later.
    """

    def __init__(
        self,
        keys: Keys,
        cookies: Cookies,
        revocations: Revocations,
        *,
        idle: float,
        lifetime: float,
        provider: str = "",
        clock: Callable[[], float] = time.time,
    ) -> None:
        """`provider` is the setting that chooses the login: a session counts for that one and this prefix alone."""
        self._keys, self._cookies, self._revocations = keys, cookies, revocations
        self._idle, self._lifetime, self._clock = idle, lifetime, clock
        mark = hashlib.sha256(f"{cookies.mark}\0{provider}".encode()).hexdigest()[:16]
        self._seal = f"{_PURPOSE}_{mark}"
        """What the cookie is signed for, so that none of another prefix or provider fits under its name."""

    def begin(self, identity: Identity) -> Session:
        """Return a new session, with an id that was never used."""
        now = self._clock()
        return Session(secrets.token_urlsafe(16), identity, now, now)

    def find(self, request: HTTPServerRequest) -> Session | None:
        """Return the session whose cookie a request brings, None when there is none, or it has ended."""
        value = self._cookies.read(request, _PURPOSE)
        text = self._keys.verify(self._seal, value) if value else None
        session = None if text is None else _decode(text)
        if session is None:
            return None
        now = self._clock()
        if now - session.issued >= self._lifetime or now - session.seen >= self._idle:
            return None
        return None if self._revocations.stands(session.sid, session.issued) else session

    def cookie(self, request: HTTPServerRequest, session: Session) -> str:
        """Return the Set-Cookie line. Raise LoginRefused for an identity that no cookie can hold."""
        left = session.issued + self._lifetime - self._clock()
        value = self._keys.sign(self._seal, _encode(session))
        if len(value) > _LARGEST:
            raise LoginRefused("Access denied. This account is in more groups than a session can hold.")
        seconds = max(1, int(min(self._idle, left)))
        return self._cookies.write(request, self._cookies.name(request, _PURPOSE), value, seconds)

    def touched(self, session: Session) -> Session | None:
        """Return the session as seen now, None as long as what the browser holds is fresh enough."""
        now = self._clock()
        return replace(session, seen=now) if now - session.seen >= min(_AGAIN_SECONDS, self._idle / 4) else None

    def end(self, session: Session) -> None:
        """Let a session no longer count, for every process that shares the folder."""
        self._revocations.add(session.sid, session.issued + self._lifetime)

    def end_all(self) -> None:
        """Log out everybody who is logged in now."""
        self._revocations.add_all()

    def forget(self, request: HTTPServerRequest) -> str:
        """Return the Set-Cookie line that removes the cookie."""
        return self._cookies.write(request, self._cookies.name(request, _PURPOSE), "", 0)

    def token(self, session: Session) -> str:
        """Return the word by which a session's own pages show that a request is theirs."""
        return self._keys.mac("xsrf", session.sid)

    def tokens(self, session: Session) -> list[str]:
        """Return every word that counts: one for each key."""
        return [self._keys.mac("xsrf", session.sid, version) for version in self._keys.versions]

    def token_cookie(self, request: HTTPServerRequest, session: Session) -> str:
        """Return the Set-Cookie line of that word; scripts may read it."""
        left = max(1, int(session.issued + self._lifetime - self._clock()))
        return self._cookies.write(request, XSRF_COOKIE, self.token(session), left, script=True)


def _encode(session: Session) -> str:
    who = session.identity
    fields = [session.sid, who.name, who.provider, sorted(who.groups), round(session.issued, 3), round(session.seen, 3)]
    return json.dumps(fields, separators=(",", ":"))


def _decode(text: str) -> Session | None:
    try:
        sid, name, provider, groups, issued, seen = json.loads(text)
        return Session(str(sid), Identity(str(name), str(provider), frozenset(groups)), float(issued), float(seen))
    except (TypeError, ValueError):  # signed by us, in another version
        return None
