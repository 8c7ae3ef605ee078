"""The keys that sign cookies: given, or made once and kept."""

from __future__ import annotations

import contextlib
import hashlib
import hmac
import os
import secrets
import time
from base64 import urlsafe_b64encode
from collections.abc import Callable, Sequence
from pathlib import Path

from tornado.web import create_signed_value, decode_signed_value, get_signature_key_version

from flower_plugins import ConfigurationError

__all__ = ["LEAST_BYTES", "Keys", "kept_secret"]

LEAST_BYTES = 32
_FILE = "cookie_secret"


class Keys:
    """Signs with the first secret and verifies with any, so that secrets can be replaced without a break."""

    def __init__(self, given: Sequence[str], clock: Callable[[], float] = time.time) -> None:
        """`given` are secrets, the newest first; `clock` tells seconds since the epoch."""
        self._clock = clock
        self.versions = {_version(secret): secret for secret in reversed(given)}
        """The secrets by what cookies name them with."""
        self.version = _version(given[0])
        """The one that signs."""

    def sign(self, name: str, text: str) -> str:
        """Return the text as the value of a cookie of that name."""
        signed = create_signed_value(self.versions, name, text, version=2, clock=self._clock, key_version=self.version)
        return signed.decode()

    def verify(self, name: str, value: str | bytes) -> str | None:
        """Return the text of a value that `sign` made for a cookie of that name, None for anything else."""
        try:
            text = decode_signed_value(self.versions, name, value, max_age_days=366, clock=self._clock, min_version=2)
            return None if text is None else text.decode()
        except ValueError:
            return None

    def derive(self, value: str, purpose: str, text: str) -> str:
        """Return 43 characters that only the holder of the secret that signed `value` can make from `text`."""
        version = get_signature_key_version(value)
        return self.mac(purpose, text, self.version if version is None else version)

    def mac(self, purpose: str, text: str, version: int | None = None) -> str:
        """Return 43 characters that only a holder of the secret can make from `text`, apart for each purpose."""
        secret = self.versions[self.version if version is None else version]
        digest = hmac.new(secret.encode(), f"flower {purpose}\0{text}".encode(), hashlib.sha256).digest()
        return urlsafe_b64encode(digest).rstrip(b"=").decode()


def kept_secret(folder: Path) -> str:
    """Return the secret kept in a folder, made on first use; only this user can read it.

    Raise ConfigurationError when it cannot be read or written.
    """
    path = folder / _FILE
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        folder.chmod(0o700)
        if not path.exists():
            _create(path)
        path.chmod(0o600)
        secret = path.read_text(encoding="ascii").strip()
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise ConfigurationError(
            f"the secret that signs cookies cannot be kept in {path}: {reason}",
            where="data_dir",
            mend="Name a folder that this user may write with --data_dir, or give --cookie_secret",
        ) from None
    if len(secret) < LEAST_BYTES:
        raise ConfigurationError(f"{path} holds no secret", where="data_dir", mend="Remove that file")
    return secret


def _create(path: Path) -> None:
    """Write a new secret, unless another process was first."""
    new = path.with_name(f"{path.name}.{os.getpid()}.{secrets.token_hex(4)}")
    descriptor = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
    try:
        with os.fdopen(descriptor, "w", encoding="ascii") as file:
            file.write(secrets.token_urlsafe(48))
            file.flush()
            os.fsync(file.fileno())
        with contextlib.suppress(FileExistsError):
            os.link(new, path)
    finally:
        new.unlink()


def _version(secret: str) -> int:
    """Return the number that cookies name a secret with: it stays the same wherever the secret stands in the list."""
    return int.from_bytes(hashlib.sha256(b"flower key\0" + secret.encode()).digest()[:4], "big")
