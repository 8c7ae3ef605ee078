"""Answers as gzip: for whom, of what, and never where it could tell secrets."""

from __future__ import annotations

import gzip
import re
from collections.abc import Mapping
from typing import Any

import pytest
from tornado.httpclient import AsyncHTTPClient, HTTPRequest

from flower.web import compression
from flower_plugins import Param, Route
from flower_plugins.testing import Client
from flower_plugins.web import Handler


class Text(Handler):
    """Answers with as much text as asked for, of any type."""

    def get(self) -> None:
        self.set_header("Content-Type", self.params["type"])
        self.finish("x" * self.params["size"])


class Pieces(Handler):
    """Answers piece by piece."""

    async def get(self) -> None:
        self.set_header("Content-Type", "application/json")
        for _ in range(3):
            self.write("[" + "1," * 1000 + "1]")
            await self.flush()


ROUTES = (
    Route("/text", Text, "public", "page", "text", [Param("size", int, 5000), Param("type", default="text/plain")]),
    Route("/pieces", Pieces, "public", "page", "pieces"),
)
TEXT = "x" * 5000


def ask(
    site: Any, path: str, accepted: str = "gzip", method: str = "GET", **more: str
) -> tuple[int, bytes, Mapping[str, str]]:
    """Return (status, body as sent, headers)."""
    headers = {name.replace("_", "-"): value for name, value in more.items()}

    async def scenario(client: Client) -> tuple[int, bytes, Mapping[str, str]]:
        http = AsyncHTTPClient(force_instance=True)
        request = HTTPRequest(
            f"http://127.0.0.1:{client.port}{path}",
            method=method,
            headers={"Accept-Encoding": accepted, **headers},
            decompress_response=False,
        )
        try:
            response = await http.fetch(request, raise_error=False)
        finally:
            http.close()
        return response.code, response.body, response.headers

    answer: tuple[int, bytes, Mapping[str, str]] = site(routes=ROUTES).visit(scenario)
    return answer


@pytest.mark.parametrize(
    ("accepted", "packed"),
    [
        ("gzip", True),
        ("GZIP", True),
        ("br, gzip;q=0.5", True),
        ("*", True),
        ("gzip; q=1.0", True),
        ("", False),
        ("identity", False),
        ("gzip;q=0", False),
        ("gzip;q=0, *", False),
        ("*;q=0", False),
        ("br", False),
        ("gzip;q=much", False),
        ("xgzip", False),
    ],
)
def test_the_client_decides(site: Any, accepted: str, packed: bool) -> None:
    _, body, headers = ask(site, "/text", accepted)
    assert (headers.get("Content-Encoding") == "gzip") == packed
    assert (gzip.decompress(body) if packed else body).decode() == TEXT
    assert headers["Vary"] == "Accept-Encoding"
    assert headers["Content-Length"] == str(len(body))


@pytest.mark.parametrize(
    ("query", "packed"),
    [
        ("size=1023", False),
        ("size=1024", True),
        ("type=application/json", True),
        ("type=text/html;%20charset=UTF-8", True),
        ("type=image/svg%2Bxml", True),
        ("type=image/png", False),
        ("type=text/event-stream", False),
        ("type=text/event-stream;%20charset=UTF-8", False),
    ],
)
def test_only_what_gains_by_it_is_compressed(site: Any, query: str, packed: bool) -> None:
    headers = ask(site, f"/text?{query}")[2]
    assert ("Content-Encoding" in headers) == packed


@pytest.mark.parametrize(
    ("site_of_origin", "packed"), [("same-origin", True), ("none", True), ("cross-site", False), ("same-site", False)]
)
def test_other_sites_cannot_watch_the_length_of_an_answer(site: Any, site_of_origin: str, packed: bool) -> None:
    headers = ask(site, "/text", Sec_Fetch_Site=site_of_origin)[2]
    assert ("Content-Encoding" in headers) == packed


def test_a_tag_still_matches_and_is_weak_where_bytes_may_differ(site: Any) -> None:
    plain, packed = ask(site, "/text", "")[2]["Etag"], ask(site, "/text")[2]["Etag"]
    assert packed == f"W/{plain}"
    assert re.fullmatch(r'"\w+"', plain)
    for tag in (plain, packed):
        status, body, _ = ask(site, "/text", If_None_Match=tag)
        assert (status, body) == (304, b"")


def test_a_head_tells_what_a_get_would(site: Any) -> None:
    status, body, headers = ask(site, "/text", method="HEAD")
    _, sent, told = ask(site, "/text")
    assert (status, body) == (200, b"")
    for name in ("Content-Length", "Content-Encoding", "Content-Type", "Etag", "Vary"):
        assert headers[name] == told[name]
    assert told["Content-Length"] == str(len(sent))


@pytest.mark.parametrize("accepted", ["gzip", ""])
def test_an_answer_in_pieces_arrives_whole(site: Any, accepted: str) -> None:
    _, body, headers = ask(site, "/pieces", accepted)
    assert "Content-Length" not in headers
    assert (gzip.decompress(body) if accepted else body).decode() == ("[" + "1," * 1000 + "1]") * 3
    assert bool(accepted) == (len(body) < 2000)


def test_what_many_are_sent_is_compressed_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """BAR R41."""
    recent, packed = compression.Recent(), []
    pack = compression._pack
    monkeypatch.setattr(compression, "_pack", lambda body: packed.append(body) or pack(body))
    body = TEXT.encode()
    assert [gzip.decompress(recent.pack(body)) for _ in range(50)] == [body] * 50
    assert packed == [body]


def test_few_bodies_are_kept_and_no_large_ones() -> None:
    recent = compression.Recent()
    for number in range(20):
        body = b"%d" % number + TEXT.encode()
        assert gzip.decompress(recent.pack(body)) == body
    large = bytes(300 * 1024)
    assert gzip.decompress(recent.pack(large)) == large
    assert len(recent._packed) == 4
    assert large not in recent._packed
