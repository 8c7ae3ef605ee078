"""Where a login leads back to: a place of this server, whatever the address of the login page said."""

from __future__ import annotations

import re
from urllib.parse import quote, unquote

__all__ = ["destination"]

_LONGEST = 2000  # it travels in a cookie, which holds 4096 bytes
_SAFE = "!#$%&'()*+,/:;=?@[]~-._"
_UNREAL = re.compile(r"[\x00-\x20\x7f\\<>\"`{}|^]")
_HERE = frozenset((".", ".."))


def destination(text: str, prefix: str) -> str:
    """Return `text` where it is a path of this server, else the start page.

    `prefix` is the url prefix. What browsers read differently from what is written, by the URL Standard of
    the WHATWG, is none: backslashes, control characters, two slashes at the start, dots as segments. Nor
    is the login itself, which would lead in a circle.
    """
    home = f"{prefix}/"
    if not text.startswith("/") or len(text) > _LONGEST or _UNREAL.search(text):
        return home
    path = re.split(r"[?#]", text, maxsplit=1)[0]
    segments = path.split("/")[1:]
    if segments[0] == "" and len(segments) > 1:
        return home
    if any(unquote(segment) in _HERE for segment in segments) or not path.startswith(home):
        return home
    if path[len(prefix) :].rstrip("/") in ("/login", "/logout"):
        return home
    try:
        return quote(text, safe=_SAFE)
    except UnicodeEncodeError:  # a lone surrogate
        return home
