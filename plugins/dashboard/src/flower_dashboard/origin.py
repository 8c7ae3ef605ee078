"""Whether a request was made by another web site's page, for reads that have an effect."""

from __future__ import annotations

from urllib.parse import urlsplit

from tornado.httputil import HTTPServerRequest

__all__ = ["is_foreign"]


def is_foreign(request: HTTPServerRequest) -> bool:
    """Tell whether the browser says that another site is behind the request.

    Missing headers do not count against it: scripts send none, and a browser sends no
    Sec-Fetch-Site on plain http outside localhost.
    """
    site = request.headers.get("Sec-Fetch-Site")
    if site is not None:
        return site not in ("same-origin", "none")
    origin = request.headers.get("Origin")
    return origin is not None and urlsplit(origin).netloc.lower() != request.host.lower()
