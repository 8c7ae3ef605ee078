"""Password hashes as they stand in a password file: bcrypt, argon2 and scrypt, and no weaker ones."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import re
from collections.abc import Callable
from dataclasses import dataclass

import argon2
import bcrypt
from argon2.exceptions import Argon2Error, InvalidHashError
from argon2.low_level import verify_secret

__all__ = ["MEND", "PasswordHash", "make", "read"]

MEND = "Make the line anew with: htpasswd -nBC 12 NAME, or: python -m flower_auth_basic NAME"

_BCRYPT = re.compile(r"\$2[aby]\$(\d\d)\$[./A-Za-z0-9]{53}")
_BCRYPT_BYTES = 72  # bcrypt looks at no more of a password; its library refuses longer ones
_SCRYPT = re.compile(r"\$scrypt\$ln=(\d{1,2}),r=(\d{1,2}),p=(\d{1,2})\$([A-Za-z0-9+/]{8,90})\$([A-Za-z0-9+/]{22,90})")
_WEAK = (
    ("{SHA}", "SHA-1"),
    ("{SSHA}", "SHA-1"),
    ("$apr1$", "MD5"),
    ("$1$", "MD5"),
    ("$5$", "SHA-crypt"),
    ("$6$", "SHA-crypt"),
)
_MAX_MEMORY = 256 * 1024 * 1024
_MAX_BCRYPT_COST = 15
_MAX_PASSES = 20
_MAX_LANES = 16
_GOOD_BCRYPT_COST = 10
_GOOD_MEMORY = 7 * 1024 * 1024  # OWASP Password Storage Cheat Sheet, the least it recommends for argon2id


@dataclass(frozen=True, slots=True)
class PasswordHash:
    """One hash: `verify` takes a password and some tenths of a second. `weakness` says how it is too quick, or ""."""

    verify: Callable[[bytes], bool]
    weakness: str = ""


def read(text: str) -> PasswordHash:
    """Return the hash that a text stands for. Raise ValueError, which does not quote it, for what is none of ours."""
    if text.startswith("$2"):
        return _bcrypt(text)
    if text.startswith("$argon2"):
        return _argon2(text)
    if text.startswith("$scrypt$"):
        return _scrypt(text)
    weak = next((kind for mark, kind in _WEAK if text.startswith(mark)), "plain text or crypt")
    raise ValueError(f"the password is {weak}, which is not safe to keep; bcrypt, argon2 or scrypt is")


def make(password: bytes) -> str:
    """Return an argon2id hash of a password, with the parameters that its library recommends."""
    return argon2.PasswordHasher().hash(password)


def _bcrypt(text: str) -> PasswordHash:
    found = _BCRYPT.fullmatch(text)
    if found is None:
        raise ValueError("the bcrypt hash is not complete")
    cost, hashed = int(found[1]), text.encode()
    if not 4 <= cost <= _MAX_BCRYPT_COST:
        raise ValueError(f"the bcrypt cost {cost} is not between 4 and {_MAX_BCRYPT_COST}")

    def verify(password: bytes) -> bool:
        try:
            return bcrypt.checkpw(password[:_BCRYPT_BYTES], hashed)
        except ValueError:  # a password that bcrypt cannot take, such as one with a NUL
            return False

    return PasswordHash(verify, f"bcrypt cost {cost} is quick to guess" if cost < _GOOD_BCRYPT_COST else "")


def _argon2(text: str) -> PasswordHash:
    try:
        found = argon2.extract_parameters(text)
    except InvalidHashError:
        raise ValueError("the argon2 hash is not complete") from None
    memory = found.memory_cost * 1024
    if memory > _MAX_MEMORY or found.time_cost > _MAX_PASSES or found.parallelism > _MAX_LANES:
        raise ValueError("the argon2 hash asks for more than 256 MiB, 20 passes or 16 lanes")
    hashed = text.encode()

    def verify(password: bytes) -> bool:
        try:
            return verify_secret(hashed, password, found.type)
        except Argon2Error:
            return False

    weakness = f"argon2 with {found.memory_cost} KiB is quick to guess" if memory < _GOOD_MEMORY else ""
    return PasswordHash(verify, weakness)


def _scrypt(text: str) -> PasswordHash:
    found = _SCRYPT.fullmatch(text)
    if found is None:
        raise ValueError("the scrypt hash does not look like $scrypt$ln=16,r=8,p=1$SALT$HASH")
    rounds, block, lanes = (int(found[number]) for number in (1, 2, 3))
    # The upper bound of N = 2 ** rounds is that of RFC 7914, section 2.
    memory = 128 * block * ((1 << rounds) + lanes + 2)
    if 0 in (rounds, block, lanes) or rounds >= 16 * block or lanes > _MAX_LANES or memory > _MAX_MEMORY:
        raise ValueError("the parameters of the scrypt hash are out of range; 256 MiB and 16 lanes are the most")
    try:
        salt, wanted = _unpadded(found[4]), _unpadded(found[5])
    except binascii.Error:
        raise ValueError("the scrypt hash is not Base64") from None

    def verify(password: bytes) -> bool:
        given = hashlib.scrypt(
            password, salt=salt, n=1 << rounds, r=block, p=lanes, maxmem=memory + 1024 * 1024, dklen=len(wanted)
        )
        return hmac.compare_digest(given, wanted)

    return PasswordHash(verify, "scrypt with so little memory is quick to guess" if memory < _GOOD_MEMORY else "")


def _unpadded(text: str) -> bytes:
    return base64.b64decode(text + "=" * (-len(text) % 4), validate=True)
