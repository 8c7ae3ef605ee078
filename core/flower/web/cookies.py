"""Cookies of this server: their names, their attributes, and where to find them in a request."""

from __future__ import annotations

import hashlib

from tornado.httputil import HTTPServerRequest, parse_cookie

__all__ = ["Cookies"]


class Cookies:
    """Writes and reads cookies whose names differ between two Flowers on one host.

    Over TLS, the server's own or a trusted proxy's, they are Secure and their names begin with
    `__Host-`, so that no other host and no plain-http page can plant them.
    """

    def __init__(self, prefix: str) -> None:
        """`prefix` is the url prefix."""
        self.mark = hashlib.sha256(prefix.encode()).hexdigest()[:8]
        """Tells the cookies of one url prefix from those of another."""

    def name(self, request: HTTPServerRequest, purpose: str) -> str:
        """Return the name of the cookie for a purpose, as this request's scheme has it."""
        return f"{'__Host-' if _secure(request) else ''}flower_{purpose}_{self.mark}"

    def read(self, request: HTTPServerRequest, purpose: str) -> str:
        """Return the value sent, "" for none."""
        return all_cookies(request).get(self.name(request, purpose), "")

    def names(self, request: HTTPServerRequest, purpose: str) -> list[str]:
        """Return the names sent that begin like that purpose's."""
        begin = self.name(request, purpose)
        return [name for name in all_cookies(request) if name.startswith(begin)]

    def write(self, request: HTTPServerRequest, name: str, value: str, seconds: int, *, script: bool = False) -> str:
        """Return the Set-Cookie line; `script` lets scripts of our pages read it. 0 seconds removes it."""
        parts = [f"{name}={value}", "Path=/", "SameSite=Lax", f"Max-Age={seconds}"]
        if not script:
            parts.append("HttpOnly")
        if _secure(request):
            parts.append("Secure")
        return "; ".join(parts)


def all_cookies(request: HTTPServerRequest) -> dict[str, str]:
    """Return the cookies of a request; what cannot be read is left out."""
    return parse_cookie(request.headers.get("Cookie", ""))


def _secure(request: HTTPServerRequest) -> bool:
    return request.protocol == "https"
