"""Answers as gzip, where the client takes it and it pays."""

from __future__ import annotations

from tornado.httputil import HTTPHeaders, HTTPServerRequest
from tornado.web import GZipContentEncoding

from flower_plugins.web import foreign

__all__ = ["Compression"]

_STREAM = "text/event-stream"


class Compression(GZipContentEncoding):
    """Compresses texts and JSON from 1 KB on, an answer that comes in pieces piece by piece.

    Event streams are left alone, for proxies hold compressed ones back. So are answers to requests that the browser
    says another site sent: of those the length could be watched while a guess is put into the URL (BREACH).
    """

    GZIP_LEVEL = (
        1  # makes a twelfth of a task list, 3 ms a megabyte; the default of 6 takes twice the time for 8 % less
    )

    def __init__(self, request: HTTPServerRequest) -> None:
        super().__init__(request)
        self._gzipping = _takes_gzip(request.headers.get("Accept-Encoding", "")) and not foreign(request)

    def transform_first_chunk(
        self, status_code: int, headers: HTTPHeaders, chunk: bytes, finishing: bool
    ) -> tuple[int, HTTPHeaders, bytes]:
        """Begin to compress, or decide against it. The tag of a compressed answer is a weak one (RFC 9110, 8.8.1)."""
        if headers.get("Content-Type", "").startswith(_STREAM):
            self._gzipping = False
        status_code, headers, chunk = super().transform_first_chunk(status_code, headers, chunk, finishing)
        tag = headers.get("Etag", "")
        if self._gzipping and tag.startswith('"'):
            headers["Etag"] = f"W/{tag}"
        return status_code, headers, chunk


def _takes_gzip(accepted: str) -> bool:
    """Tell whether an Accept-Encoding header names gzip, or everything, and does not rule it out."""
    qualities: dict[str, str] = {}
    for part in accepted.lower().split(","):
        name, _, parameter = part.partition(";")
        qualities[name.strip()] = parameter.replace(" ", "") or "q=1"
    quality = qualities.get("gzip", qualities.get("*", "q=0"))
    try:
        return float(quality.removeprefix("q=")) > 0
    except ValueError:
        return False
