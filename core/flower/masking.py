"""Secrets in texts and data: found by name, by place in a URL, by shape of an entry.

Masking takes linear time. Where it is not clear how far a secret goes, too much is masked.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from itertools import pairwise
from typing import Any

from flower.quiet import one_line

__all__ = ["MASK", "mask", "mask_text", "mask_url", "safe_error", "safe_line"]

MASK = "********"

_URL_MASK = "**"
_MAX_DEPTH = 50
_MAX_LINE = 300
_MAX_READ = 10_000
_SECRET_NAME = re.compile(
    r"passw|passphrase|(?<![a-z])pass(?![a-z])|passwd|pwd|secret|token(?!iz)|private|credential|webhook"
    r"|(?<![a-z])auth(?![a-z])|authori[sz]ation|authentication|(?<![a-z])dsn|signature|(?<![a-z])sig(?![a-z])"
    r"|(?<![a-z])salt(?![a-z])|(?:api|access|account|encryption|fernet|shared|signing|session|security|license)[_-]?key"
    r"|cookie|conn(?:ection)?[_-]?str(?:ing)?",
    re.IGNORECASE,
)
_SCHEME_LETTERS = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789+-.")
_MAX_SCHEME = 30
_TOKEN = re.compile(r"[^\s\"'<>]*")
_HOOK = re.compile(r"(webhooks?/|hooks\.[^\s/\"']{1,200}/)[^\s\"'<>]+", re.IGNORECASE)
# A colon counts after a quoted name or before a space only: `auth:login` is the name of a queue.
_NAMED = re.compile(r"(?<![\w.\-])([\w.\-]+)(?:\\{0,3}[\"']\s{0,9}[:=]|\s{0,9}=|:(?=\s))\s{0,9}")
_NAMED_VALUE = re.compile(
    r"(?P<quote>\\{0,3}[\"'])(?:(?!(?P=quote))(?:[^\\]|\\.))*(?P=quote)?"
    r"|[\[({][^\])}]*[\])}]?"
    r"|(?:(?:bearer|basic|token)\s)?[^\s&\"'<>]+",
    re.IGNORECASE | re.DOTALL,
)
_SCHEDULES = frozenset(("beat_schedule", "celerybeat_schedule", "schedule"))
_SCHEDULE_SECRETS = frozenset(("args", "kwargs", "options"))


def mask(value: Any) -> Any:
    """Return a copy of JSON-able data in which secrets are replaced by asterisks.

    Masked are values under a telling key, the secrets in texts as `mask_text` finds them, and the
    arguments of scheduled tasks. Empty values, booleans and the per-task totals of `stats` stay.
    """
    return _mask(value, 0)


def mask_text(text: str) -> str:
    """Return the text with the passwords of every URL and every `name=value` of a telling name masked."""
    return _mask_named(_mask_urls(text, MASK, whole=False), MASK)


def mask_url(url: str) -> str:
    """Return a URL, or a list of them joined by semicolons, without secrets, as kombu shows URLs.

    The user name before a password stays. A user name alone may be a token and is masked.
    """
    return _mask_named(_mask_urls(url, _URL_MASK, whole=True), _URL_MASK)


def safe_line(text: str) -> str:
    """Return a message in one printable line of bounded length with its secrets masked."""
    return one_line(mask_text(text[:_MAX_READ]), _MAX_LINE)


def safe_error(error: BaseException) -> str:
    """Return the type and the words of an exception as `safe_line` does."""
    name = type(error).__name__
    try:
        words = str(error)
    except Exception:  # guards against an exception class that cannot write itself
        words = ""
    return safe_line(f"{name}: {words}" if words else name)


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


def _mask_urls(text: str, stars: str, *, whole: bool) -> str:
    """Mask every URL in the text; `whole` says that there is nothing but URLs, which may hold spaces and quotes."""
    starts = _scheme_starts(text)
    edges = [0, *starts, len(text)]
    return "".join(_mask_piece(text[a:b], stars, whole=whole) for a, b in pairwise(edges)) if starts else text


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


def _mask_piece(piece: str, stars: str, *, whole: bool) -> str:
    """Mask one URL and leave what follows it up to the next."""
    scheme, colon, _ = piece.partition("://")
    if not colon:
        return piece
    scheme += colon
    token = _TOKEN.match(piece, len(scheme))
    end = len(piece) if whole or token is None else token.end()
    rest = piece[len(scheme) : end]
    at = _end_of_userinfo(rest)
    if at >= 0:
        user, separator, _ = rest[:at].partition(":")
        rest = (f"{user}:{stars}" if separator else stars) + rest[at:]
    return scheme + _HOOK.sub(rf"\1{stars}", rest) + piece[end:]


def _end_of_userinfo(rest: str) -> int:
    """Return where the `@` after user and password stands, -1 without one.

    Passwords are often pasted unquoted: any `@` after a colon or another `@` may end one, so the last does.
    """
    authority = re.split(r"[/?#]", rest, maxsplit=1)[0]
    return rest.rfind("@") if "@" in authority or ":" in authority else -1


def _mask_named(text: str, stars: str) -> str:
    """Mask what follows a telling name."""
    pieces: list[str] = []
    done = place = 0
    while (named := _NAMED.search(text, place)) is not None:
        place = named.end()
        if not _SECRET_NAME.search(named[1]) or text.startswith(stars, place):
            continue
        value = _NAMED_VALUE.match(text, place)
        if value is not None and value[0] not in ("''", '""'):
            quote = value["quote"] or ""
            pieces += [text[done:place], quote, stars, quote]
            done = place = value.end()
    return "".join([*pieces, text[done:]])
