"""The text `user:password`, in settings and in the Authorization header (RFC 7617)."""

from __future__ import annotations

import base64
import binascii

__all__ = ["check_entry", "parse_header"]

_MAX_HEADER = 8192


def check_entry(entry: str) -> str:
    """Return a configured entry without leading blanks; raise ValueError unless it is `user:password`."""
    text = entry.lstrip()
    user, colon, password = text.partition(":")
    if not (user and colon and password):
        raise ValueError("every entry is user:password, and both need at least one character")
    return text


def parse_header(header: str) -> tuple[str, bytes] | None:
    """Return (user, `user:password` in UTF-8) of an Authorization header, None for anything else."""
    scheme, _, encoded = header.strip().partition(" ")
    if scheme.lower() != "basic" or len(header) > _MAX_HEADER:
        return None
    try:
        raw = base64.b64decode(encoded.strip(), validate=True)
        user, colon, _ = raw.decode().partition(":")
    except (binascii.Error, ValueError):
        return None
    return (user, raw) if colon else None
