"""What an id_token proves, and nothing it does not: OpenID Connect Core 1.0, section 3.1.3.7."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import jwt

__all__ = ["Expected", "key_id", "read_keys", "verify"]

_ALGORITHMS = ("RS256", "ES256")
_LEEWAY = 60  # seconds by which clocks may differ
_UNREADABLE = (jwt.PyJWTError, ValueError, TypeError, OverflowError, RecursionError, AttributeError)
"""What PyJWT raises for tokens and keys; beside its own errors, those of the JSON and numbers in them."""


@dataclass(frozen=True, slots=True)
class Expected:
    """What an id_token has to say."""

    issuers: Sequence[str]
    client_id: str
    nonce: str


def read_keys(document: Mapping[str, Any]) -> dict[str, jwt.PyJWK]:
    """Return the usable keys of a JWK set by their ids; raise ValueError when it is no JWK set."""
    listed = document.get("keys")
    if not isinstance(listed, list):
        raise ValueError("no list of keys")
    keys = {}
    for entry in listed:
        if not isinstance(entry, dict) or entry.get("kty") not in ("RSA", "EC") or entry.get("use") == "enc":
            continue
        name = entry.get("kid")
        try:
            if isinstance(name, str) and name:
                keys[name] = jwt.PyJWK.from_dict(entry)
        except _UNREADABLE:
            continue  # one strange key does not take the others away
    return keys


def key_id(token: str) -> str:
    """Return the id of the key a token says it is signed with; raise ValueError when it does not say."""
    try:
        header = jwt.get_unverified_header(token)
    except _UNREADABLE:
        raise ValueError("the id_token cannot be read") from None
    name = header.get("kid")
    if header.get("alg") not in _ALGORITHMS or not isinstance(name, str):
        raise ValueError("the id_token is signed in an unknown way")
    return name


def verify(token: str, key: jwt.PyJWK, expected: Expected) -> Mapping[str, Any]:
    """Return the claims of a token that this key signed, for this client and this login; else raise ValueError."""
    try:
        claims: Mapping[str, Any] = jwt.decode(
            token,
            key.key,
            algorithms=list(_ALGORITHMS),
            audience=expected.client_id,
            leeway=_LEEWAY,
            options={"require": ["iss", "sub", "aud", "exp", "iat"]},
        )
    except jwt.ExpiredSignatureError:
        raise ValueError("the id_token has expired") from None
    except jwt.InvalidAudienceError:
        raise ValueError("the id_token is meant for somebody else") from None
    except jwt.InvalidSignatureError:
        raise ValueError("the id_token is not signed by its issuer") from None
    except _UNREADABLE:
        raise ValueError("the id_token does not hold") from None
    if claims["iss"] not in expected.issuers:
        raise ValueError("the id_token comes from another issuer")
    if claims.get("nonce") != expected.nonce:
        raise ValueError("the id_token belongs to another login")
    audience = claims["aud"]
    several = isinstance(audience, list) and len(audience) > 1
    if claims.get("azp", None if several else expected.client_id) != expected.client_id:
        raise ValueError("the id_token was issued to somebody else")
    return claims
