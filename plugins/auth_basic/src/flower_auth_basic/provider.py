"""HTTP Basic authentication against users in the settings, in a password file, or both."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import secrets
from collections import OrderedDict

from flower_auth_basic.attempts import Failures, Queue
from flower_auth_basic.credentials import check_entry, parse_header
from flower_auth_basic.userfile import UserFile, Users
from flower_plugins import AuthProvider, ConfigurationError, Identity, OfferContext, Request

__all__ = ["BasicAuthProvider"]

_MAX_VERIFIED = 256


class BasicAuthProvider(AuthProvider):
    """Compares in a time that tells neither whether a name is known nor how much of a password is right."""

    name = "basic"
    challenge = 'Basic realm="flower"'

    def __init__(self, context: OfferContext) -> None:
        super().__init__(context)
        settings = context.settings
        self._key = secrets.token_bytes(32)
        self._listed = self._list(settings["basic_auth"] or (), settings.origin("basic_auth"))
        path = settings["basic_auth_file"]
        where = settings.origin("basic_auth_file")
        self._hashed = _Hashed(UserFile(path, context.log, where=where)) if path else None
        if not (self._listed or self._hashed):
            raise ConfigurationError(
                "basic_auth is empty",
                where=settings.origin("basic_auth"),
                mend="Give user:password, or basic_auth_file, or leave it out.",
            )
        self._failures = Failures()

    async def identify(self, request: Request) -> Identity | None:
        """Return the user whose name and password the Authorization header holds.

        Raise TooManyAttempts while that user fails too often from that address, for the right password too.
        """
        parsed = parse_header(request.headers.get("Authorization", ""))
        if parsed is None:
            return None
        user, credentials = parsed
        address = request.remote_ip or ""
        self._failures.refuse(address, user)
        if not await self._knows(address, user, credentials):
            self._failures.note(address, user)
            self._failures.refuse(address, user)
            return None
        self._failures.refuse(address, user)  # others may have failed while this password was checked
        return Identity(user, self.name)

    async def _knows(self, address: str, user: str, credentials: bytes) -> bool:
        given = self._digest(credentials)
        matches = 0
        for digest in self._listed:
            matches |= hmac.compare_digest(digest, given)
        if matches or self._hashed is None:
            return bool(matches)
        return await self._hashed.knows(address, user, credentials, given)

    def _list(self, entries: tuple[str, ...], where: str) -> list[bytes]:
        try:
            return [self._digest(check_entry(entry).encode()) for entry in entries]
        except ValueError as error:
            raise ConfigurationError(f"basic_auth: {error}", where=where) from None

    def _digest(self, credentials: bytes) -> bytes:
        # A keyed digest has one length for all: the comparison does not even tell how long a password is.
        return hmac.new(self._key, credentials, hashlib.sha256).digest()


class _Hashed:
    """Checks against the file; remembers what was right, so that a script that polls pays once."""

    def __init__(self, file: UserFile) -> None:
        self._file = file
        self._queue = Queue()
        self._users: Users | None = None
        self._verified: OrderedDict[bytes, None] = OrderedDict()
        self._running: dict[bytes, asyncio.Task[bool]] = {}

    async def knows(self, address: str, user: str, credentials: bytes, digest: bytes) -> bool:
        """Tell whether user and password belong together; the same question is worked on once at a time."""
        users = await self._file.users()
        if users is not self._users:
            self._users = users
            self._verified.clear()
            self._running.clear()
        if digest in self._verified:
            self._verified.move_to_end(digest)
            return True
        task = self._running.get(digest)
        if task is None:
            password = credentials[len(user.encode()) + 1 :]
            task = asyncio.ensure_future(self._queue.run(address, lambda: users.verify(user, password)))
            self._running[digest] = task
            task.add_done_callback(lambda done: self._note(users, digest, done))
        return await asyncio.shield(task)

    def _note(self, users: Users, digest: bytes, done: asyncio.Task[bool]) -> None:
        right = not done.cancelled() and done.exception() is None and done.result()
        if users is not self._users:
            return  # the file has changed meanwhile
        self._running.pop(digest, None)
        if right:
            self._verified[digest] = None
            if len(self._verified) > _MAX_VERIFIED:
                self._verified.popitem(last=False)
