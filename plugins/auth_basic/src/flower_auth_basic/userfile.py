"""The password file: one `user:hash` a line, read again whenever it changes."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import logging
import os
import secrets
import stat
import time
from collections.abc import Callable, Mapping
from pathlib import Path

from flower_auth_basic import hashes
from flower_plugins import ConfigurationError

__all__ = ["UserFile", "Users"]

_MAX_BYTES = 1024 * 1024
_LOOK_SECONDS = 1.0

Signature = tuple[int, int, int]


class Users:
    """Users and their hashes, as one version of the file has them."""

    def __init__(self, found: Mapping[str, hashes.PasswordHash]) -> None:
        self._found = dict(found)
        self._names = sorted(found)
        self._key = secrets.token_bytes(32)

    def verify(self, user: str, password: bytes) -> bool:
        """Tell whether the password is the user's. It takes as long for strangers, whom somebody's hash measures."""
        known = self._found.get(user)
        matches = (known or self._stand_in(user)).verify(password)
        return matches and known is not None

    def _stand_in(self, user: str) -> hashes.PasswordHash:
        # The same one each time for one name, else its changing pace would tell that nobody is called so.
        digest = hmac.new(self._key, user.encode(), hashlib.sha256).digest()
        return self._found[self._names[int.from_bytes(digest[:8], "big") % len(self._names)]]


class UserFile:
    """Follows the file. A version that cannot be read is reported once, and the one before stays in force."""

    def __init__(
        self, path: str, log: logging.Logger, *, where: str = "", clock: Callable[[], float] = time.monotonic
    ) -> None:
        """Raise ConfigurationError when the first version cannot be used; `where` says where the path was set."""
        self._path, self._log, self._clock = Path(path).expanduser(), log, clock
        self._look_at = clock() + _LOOK_SECONDS
        try:
            self._seen = self._signature()
            self._users = self._read()
        except (OSError, ValueError) as error:
            raise ConfigurationError(f"basic_auth_file {self._path}: {_reason(error)}", where=where) from None

    async def users(self) -> Users:
        """Return the users as of a second ago at most."""
        if self._clock() >= self._look_at:
            self._look_at = self._clock() + _LOOK_SECONDS
            await asyncio.to_thread(self._refresh)
        return self._users

    def _refresh(self) -> None:
        seen: Signature | None = None
        try:
            seen = self._signature()
            if seen != self._seen:
                self._users = self._read()
                self._log.info("%s has changed and was read again", self._path)
        except (OSError, ValueError) as error:
            if seen is None and self._seen is None:
                return  # still out of reach, which was said
            reason = _reason(error)
            self._log.error("%s has changed and cannot be used, the users stay as before: %s", self._path, reason)
        self._seen = seen

    def _signature(self) -> Signature | None:
        found = self._path.stat()
        return found.st_mtime_ns, found.st_size, found.st_ino

    def _read(self) -> Users:
        found = self._path.stat()
        if not stat.S_ISREG(found.st_mode):
            raise ValueError("this is not a file")
        if found.st_size > _MAX_BYTES:
            raise ValueError(f"a password file has {_MAX_BYTES} bytes at most")
        if found.st_mode & stat.S_IROTH:
            self._log.warning("%s can be read by every user of this machine: chmod o-r %s", self._path, self._path)
        try:
            text = self._path.read_text(encoding="utf-8")
        except UnicodeDecodeError:
            raise ValueError("this is not UTF-8 text") from None
        users = {}
        for number, line in enumerate(text.splitlines(), 1):
            if line.strip() and not line.startswith("#"):
                user, hashed = self._read_line(number, line)
                if user in users:
                    raise ValueError(f"line {number}: the user stands in an earlier line already. Remove one of them")
                users[user] = hashed
        if not users:
            raise ValueError(f"it names no user. {hashes.MEND}")
        return Users(users)

    def _read_line(self, number: int, line: str) -> tuple[str, hashes.PasswordHash]:
        """Return user and hash. Messages quote neither: what stands where a name belongs may be a password."""
        user, colon, rest = line.partition(":")
        if not (user and colon):
            raise ValueError(f"line {number}: every line is user:hash. {hashes.MEND}")
        try:
            hashed = hashes.read(rest.strip())
        except ValueError as error:
            raise ValueError(f"line {number}: {error}. {hashes.MEND}") from None
        if hashed.weakness:
            self._log.warning("%s, line %d: %s. %s", self._path, number, hashed.weakness, hashes.MEND)
        return user, hashed


def _reason(error: Exception) -> str:
    return os.strerror(error.errno) if isinstance(error, OSError) and error.errno else str(error)
