"""Answers as gzip, where the client takes it and it pays."""

from __future__ import annotations

import zlib
from collections import OrderedDict

from tornado.httputil import HTTPHeaders, HTTPServerRequest
from tornado.web import GZipContentEncoding

from flower_plugins.web import foreign

__all__ = ["Compression", "Recent"]

_STREAM = "text/event-stream"
# Level 1 makes a twelfth of a task list, 3 ms a megabyte; the default of 6 takes twice the time for 8 % less.
_LEVEL = 1
_GZIP = 31
"""What zlib calls the gzip format with its largest window."""
_KEPT = 4
_LARGEST = 256 * 1024


class Recent:
    """The bodies that were compressed last, for the many who look at one page are sent the same a hundred times.

    Four of at most 256 KB each are kept.
    """

    def __init__(self) -> None:
        self._packed: OrderedDict[bytes, bytes] = OrderedDict()

    def pack(self, body: bytes) -> bytes:
        """Return the body as gzip."""
        if len(body) > _LARGEST:
            return _pack(body)
        packed = self._packed.get(body)
        if packed is None:
            packed = self._packed[body] = _pack(body)
            if len(self._packed) > _KEPT:
                self._packed.popitem(last=False)
        else:
            self._packed.move_to_end(body)
        return packed


class Compression(GZipContentEncoding):
    """Compresses texts and JSON from 1 KB on, an answer that comes in pieces piece by piece.

    Event streams are left alone, for proxies hold compressed ones back. So are answers to requests that the browser
    says another site sent: of those the length could be watched while a guess is put into the URL (BREACH).
    """

    GZIP_LEVEL = _LEVEL

    def __init__(self, recent: Recent, request: HTTPServerRequest) -> None:
        super().__init__(request)
        self._recent = recent
        self._gzipping = _takes_gzip(request.headers.get("Accept-Encoding", "")) and not foreign(request)

    def transform_first_chunk(
        self, status_code: int, headers: HTTPHeaders, chunk: bytes, finishing: bool
    ) -> tuple[int, HTTPHeaders, bytes]:
        """Begin to compress, or decide against it. The tag of a compressed answer is a weak one (RFC 9110, 8.8.1)."""
        if headers.get("Content-Type", "").startswith(_STREAM):
            self._gzipping = False
        packed = finishing and self._gzipping and self._pays(headers, chunk)
        if packed:
            self._gzipping = False
            chunk = self._recent.pack(chunk)
            headers["Content-Encoding"], headers["Content-Length"] = "gzip", str(len(chunk))
        status_code, headers, chunk = super().transform_first_chunk(status_code, headers, chunk, finishing)
        tag = headers.get("Etag", "")
        if (packed or self._gzipping) and tag.startswith('"'):
            headers["Etag"] = f"W/{tag}"
        return status_code, headers, chunk

    def _pays(self, headers: HTTPHeaders, body: bytes) -> bool:
        """Tell whether a body that is whole is worth it, and not compressed already."""
        kind = headers.get("Content-Type", "").split(";")[0]
        return len(body) >= self.MIN_LENGTH and self._compressible_type(kind) and "Content-Encoding" not in headers


def _pack(body: bytes) -> bytes:
    packer = zlib.compressobj(_LEVEL, zlib.DEFLATED, _GZIP)
    return packer.compress(body) + packer.flush()


def _takes_gzip(accepted: str) -> bool:
    """Tell whether an Accept-Encoding header names gzip, or everything, and does not rule it out."""
    if "gzip" not in accepted.lower() and "*" not in accepted:
        return False
    qualities: dict[str, str] = {}
    for part in accepted.lower().split(","):
        name, _, parameter = part.partition(";")
        qualities[name.strip()] = parameter.replace(" ", "") or "q=1"
    quality = qualities.get("gzip", qualities.get("*", "q=0"))
    try:
        return float(quality.removeprefix("q=")) > 0
    except ValueError:
        return False
