"""HTTP Basic authentication against a list of users in the settings."""

from __future__ import annotations

import hashlib
import hmac
import secrets

from flower_auth_basic.credentials import check_entry, parse_header
from flower_plugins import AuthProvider, ConfigurationError, Identity, OfferContext, Request

__all__ = ["BasicAuthProvider"]


class BasicAuthProvider(AuthProvider):
    """Compares with every entry, in a time that tells neither which one matched nor how much of it."""

    challenge = 'Basic realm="flower"'

    def __init__(self, context: OfferContext) -> None:
        super().__init__(context)
        where = context.settings.origin("basic_auth")
        entries = context.settings["basic_auth"] or ()
        if not entries:
            raise ConfigurationError("basic_auth is empty", where=where, mend="Give user:password, or leave it out.")
        self._key = secrets.token_bytes(32)
        try:
            self._digests = [self._digest(check_entry(entry).encode()) for entry in entries]
        except ValueError as error:
            raise ConfigurationError(f"basic_auth: {error}", where=where) from None

    async def identify(self, request: Request) -> Identity | None:
        """Return the user whose name and password the Authorization header holds."""
        parsed = parse_header(request.headers.get("Authorization", ""))
        if parsed is None:
            return None
        user, credentials = parsed
        given = self._digest(credentials)
        matches = 0
        for digest in self._digests:
            matches |= hmac.compare_digest(digest, given)
        return Identity(user, "basic") if matches else None

    def _digest(self, credentials: bytes) -> bytes:
        # A keyed digest has one length for all: the comparison does not even tell how long a password is.
        return hmac.new(self._key, credentials, hashlib.sha256).digest()
