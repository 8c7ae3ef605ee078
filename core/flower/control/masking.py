"""Secrets in what workers say of themselves: found by name, by place in a URL, by shape of an entry."""

from __future__ import annotations

import re
from collections.abc import Mapping
from itertools import pairwise
from typing import Any

__all__ = ["MASK", "mask", "mask_text", "mask_url"]

MASK = "********"

_MAX_DEPTH = 50
_SECRET_NAME = re.compile(
    r"passw|passphrase|(?<![a-z])pass(?![a-z])|passwd|pwd|secret|token(?!iz)|private|credential|webhook"
    r"|(?<![a-z])auth(?![a-z])|authori[sz]ation|authentication|(?<![a-z])dsn|signature|(?<![a-z])salt(?![a-z])"
    r"|(?:api|access|account|encryption|fernet|shared|signing|session|security|license)[_-]?key|cookie"
    r"|conn(?:ection)?[_-]?str(?:ing)?",
    re.IGNORECASE,
)
_SCHEME_LETTERS = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789+-.")
_MAX_SCHEME = 30
_TOKEN = re.compile(r"[^\s\"'<>]*")
_PARAMETER = re.compile(r"(?<![\w.\-])([\w.\-]+)=([^\s&;,\"'<>]+)")
_HOOK = re.compile(r"(webhooks?/|hooks\.[^\s/\"']{1,200}/)[^\s\"'<>]+", re.IGNORECASE)
_SCHEDULES = frozenset(("beat_schedule", "celerybeat_schedule", "schedule"))
_SCHEDULE_SECRETS = frozenset(("args", "kwargs", "options"))


def mask(value: Any) -> Any:
    """Return a copy of JSON-able data in which secrets are replaced by asterisks.

    Masked are values under a telling key, user names with passwords in URLs anywhere in a text,
    telling URL parameters, and the arguments of scheduled tasks. Empty values, booleans and the
    per-task totals of `stats` stay as they are.
    """
    return _mask(value, 0)


def mask_text(text: str) -> str:
    """Return the text with the secrets of every URL and every `name=value` in it masked."""
    starts = _scheme_starts(text)
    if starts:
        edges = [0, *starts, len(text)]
        text = "".join(_mask_piece(text[a:b]) for a, b in pairwise(edges))
    return _PARAMETER.sub(_mask_parameter, text) if "=" in text else text


def mask_url(url: str) -> str:
    """Return a URL, or a list of them joined by semicolons, without passwords: the user name stays."""
    return mask_text(url)


def _mask(value: Any, depth: int) -> Any:
    if isinstance(value, str):
        return mask_text(value)
    if depth > _MAX_DEPTH:
        return MASK
    if isinstance(value, Mapping):
        return {key: _mask_entry(key, item, depth + 1) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_mask(item, depth + 1) for item in value]
    return value


def _mask_entry(key: Any, value: Any, depth: int) -> Any:
    if isinstance(key, str):
        if key == "total" and _is_count(value):
            return dict(value)
        if key.lower() in _SCHEDULES and isinstance(value, Mapping):
            return {name: _mask_schedule(entry, depth + 1) for name, entry in value.items()}
        if _SECRET_NAME.search(key) and not _harmless(value):
            return MASK
    return _mask(value, depth)


def _mask_schedule(entry: Any, depth: int) -> Any:
    if not isinstance(entry, Mapping):
        return _mask(entry, depth)
    return {
        key: MASK if key in _SCHEDULE_SECRETS and not _harmless(item) else _mask_entry(key, item, depth + 1)
        for key, item in entry.items()
    }


def _harmless(value: Any) -> bool:
    return value is None or isinstance(value, bool) or value in ("", MASK) or value == [] or value == {}


def _is_count(value: Any) -> bool:
    return isinstance(value, Mapping) and all(isinstance(n, int) for n in value.values())


def _scheme_starts(text: str) -> list[int]:
    """Return where the URLs begin. Looks back from each `://`, which takes linear time on any text."""
    starts: list[int] = []
    end = 0
    while (colon := text.find("://", end)) >= 0:
        start = colon
        while start > max(end, colon - _MAX_SCHEME) and text[start - 1] in _SCHEME_LETTERS:
            start -= 1
        starts.append(start)
        end = colon + 3
    return starts


def _mask_piece(piece: str) -> str:
    """Mask one URL and what follows it up to the next."""
    scheme, colon, _ = piece.partition("://")
    if not colon:
        return piece
    scheme += colon
    end = _end_of_token(piece, len(scheme))
    rest = piece[len(scheme) : end]
    at = _end_of_userinfo(rest)
    if at >= 0:
        user, separator, _ = rest[:at].partition(":")
        rest = (f"{user}:{MASK}" if separator else MASK) + rest[at:]
    return scheme + _HOOK.sub(rf"\1{MASK}", rest) + piece[end:]


def _end_of_token(text: str, start: int) -> int:
    match = _TOKEN.match(text, start)
    return match.end() if match else start


def _end_of_userinfo(rest: str) -> int:
    """Return where the `@` after user and password stands, -1 without one."""
    authority = re.split(r"[/?#]", rest, maxsplit=1)[0]
    at = authority.rfind("@")
    if at < 0 and ":" in authority and not authority.rpartition(":")[2].rstrip("],;").isdigit():
        # What stands where a port belongs is no number: a password with an unquoted slash.
        at = rest.rfind("@")
    return at


def _mask_parameter(match: re.Match[str]) -> str:
    name = match.group(1)
    return f"{name}={MASK}" if _SECRET_NAME.search(name) else match.group()
