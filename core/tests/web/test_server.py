"""The server over real sockets: sizes, times, numbers of connections, and bytes that are hardly HTTP."""

from __future__ import annotations

import asyncio
import json
import logging
import re
import ssl
import subprocess
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from flower.web.binding import Binding
from flower.web.connections import Connections, Limits, Phase
from flower.web.guard import MAX_BODY
from flower.web.server import Server
from flower_plugins.testing import Client

ASK = b"GET /open HTTP/1.1\r\nHost: localhost\r\n\r\n"
HALF = b"GET /open HTTP/1.1\r\nHost: localhost\r\n"
POST = b"POST /api/act HTTP/1.1\r\nHost: localhost\r\nX-Key: good\r\n"
CHUNK = b"10000\r\n" + b"x" * 65536 + b"\r\n"
SECURED = (b"Content-Security-Policy: default-src 'none'", b"X-Frame-Options: DENY", b"Server: Flower\r\n")


async def until_end(reader: asyncio.StreamReader, seconds: float = 5.0) -> bytes:
    """Return what comes until the server closes."""
    return await asyncio.wait_for(reader.read(), seconds)


async def exchange(port: int, *parts: bytes) -> bytes:
    """Send the parts and return everything that comes back until the server closes."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        for part in parts:
            writer.write(part)
            await writer.drain()
        return await until_end(reader)
    finally:
        writer.close()


async def first_answer(port: int, *parts: bytes) -> bytes:
    """Send the parts and return one answer, whether or not the server closes after it."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        for part in parts:
            writer.write(part)
        head = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), 0.8)
        length = re.search(rb"\r\nContent-Length: (\d+)\r\n", head)
        assert length
        return head + await asyncio.wait_for(reader.readexactly(int(length.group(1))), 0.8)
    finally:
        writer.close()


def talk(site: Any, *parts: bytes) -> bytes:
    async def scenario(client: Client) -> bytes:
        return await exchange(client.port, *parts)

    answer: bytes = site.visit(scenario)
    return answer


def status_of(answer: bytes) -> int:
    found = re.match(rb"HTTP/1\.1 (\d{3}) ", answer)
    assert found, answer[:200]
    return int(found.group(1))


@pytest.mark.parametrize("head", [POST, POST.replace(b"good", b""), b"GET /open HTTP/1.1\r\nHost: localhost\r\n"])
def test_a_large_chunked_body_is_refused_in_our_words(site: Any, head: bytes) -> None:
    """S46"""
    chunks = [CHUNK] * (MAX_BODY // 65536 + 1)
    answer = talk(site(authenticated=True), head, b"Transfer-Encoding: chunked\r\n\r\n", *chunks, b"0\r\n\r\n")
    if head.endswith(b"X-Key: \r\n"):
        assert status_of(answer) == 401
        return
    assert status_of(answer) == 413
    assert b"The request body is larger than 1048576 bytes" in answer
    for header in (*SECURED, b"Connection: close"):
        assert header in answer
    assert answer.count(b"HTTP/1.1") == 1


def test_one_chunk_without_end_is_refused_after_a_megabyte(site: Any) -> None:
    """S46"""
    parts = [POST, b"Transfer-Encoding: chunked\r\n\r\n", b"ffffffffffff\r\n", *[b"x" * 65536] * 17]
    assert status_of(site(open_api=True).visit(lambda client: first_answer(client.port, *parts))) == 413


def test_a_large_body_is_refused_by_its_length_even_when_it_is_sent_first(site: Any) -> None:
    """S46: a client that sends all of it before it listens still gets the answer."""
    body = b"x" * (20 * MAX_BODY)
    answer = talk(site(open_api=True), POST, b"Content-Length: %d\r\n\r\n" % len(body), body)
    assert status_of(answer) == 413
    for header in SECURED:
        assert header in answer


def test_a_chunked_body_of_a_megabyte_is_read(site: Any) -> None:
    chunks = [CHUNK] * (MAX_BODY // 65536)
    answer = talk(
        site(open_api=True), POST, b"Connection: close\r\nTransfer-Encoding: chunked\r\n\r\n", *chunks, b"0\r\n\r\n"
    )
    assert status_of(answer) == 200


@pytest.mark.parametrize("framing", [b"Content-Length: 100000\r\n\r\n", b"Transfer-Encoding: chunked\r\n\r\n"])
def test_who_may_not_act_is_told_before_the_body_is_read(site: Any, framing: bytes) -> None:
    """S46: not a byte of the body has been sent when the answer comes."""
    head = b"POST /api/act HTTP/1.1\r\nHost: localhost\r\n"
    answer = site(authenticated=True).visit(lambda client: first_answer(client.port, head, framing))
    assert status_of(answer) == 401


def test_an_answer_that_no_body_follows_is_ended_after_a_second(site: Any) -> None:
    """S46"""
    began = time.monotonic()
    answer = talk(site(), b"POST /nowhere HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\n\r\n")
    assert 0.9 < time.monotonic() - began < 3
    assert status_of(answer) == 404
    assert answer.count(b"HTTP/1.1") == 1


def test_a_refused_request_with_a_body_leaves_a_whole_answer_behind(site: Any) -> None:
    answer = talk(site(), b"POST /nowhere HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\n\r\n", b"hello")
    assert status_of(answer) == 404
    assert b"Connection: close" in answer


def test_a_client_that_waits_to_be_told_to_go_on_is_not_told_so_when_it_is_refused(site: Any) -> None:
    head = b"POST /api/act HTTP/1.1\r\nHost: localhost\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n"
    answer = talk(site(), head)
    assert status_of(answer) == 401
    assert b"Continue" not in answer


def test_a_body_cut_off_leaves_one_record(site: Any, caplog: pytest.LogCaptureFixture) -> None:
    """S46, S53"""
    with caplog.at_level(logging.INFO, "flower.audit"):
        talk(site(open_api=True), POST, b"Transfer-Encoding: chunked\r\n\r\n", *[CHUNK] * 17, b"0\r\n\r\n")
    (record,) = (json.loads(each.message) for each in caplog.records if each.name == "flower.audit")
    assert record["outcome"] == "refused: The request body is larger than 1048576 bytes"


@pytest.mark.parametrize(
    "request_bytes",
    [
        POST + b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        POST + b"Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\nhello",
        POST + b"Content-Length: 5\r\nContent-Length: 6\r\n\r\nhello!",
        POST + b"Content-Length: 5\r\nContent-Length: 5\r\n\r\nhello",
        POST + b"Content-Length: 5, 5\r\n\r\nhello",
        POST + b"Content-Length: +5\r\n\r\nhello",
        POST + b"Content-Length: -5\r\n\r\nhello",
        POST + b"Content-Length: 0x5\r\n\r\nhello",
        POST + b"Content-Length: 1_0\r\n\r\nhellohello",
        POST + "Content-Length: \u0665\r\n\r\nhello".encode(),
        POST + b"Content-Length:\r\n\r\nhello",
        POST + b"Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
        POST + b"Transfer-Encoding: chunked, chunked\r\n\r\n0\r\n\r\n",
        POST + b"Transfer-Encoding: identity\r\n\r\n",
        POST + b"Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n",
        POST + b"Transfer-Encoding: \x0bchunked\r\n\r\n0\r\n\r\n",
        POST + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n\r\n",
        POST + b"Transfer-Encoding: chunked\r\n\r\n-1\r\n\r\n",
        b"GET /open HTTP/1.1\r\n\r\n",
        b"GET /open HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n",
        b"GET /open HTTP/1.1\nHost: localhost\n\n",
        b"GET /open HTTP/1.1\r\nHost: localhost\nX-Key: good\r\n\r\n",
        b"GET /open HTTP/1.1\r\nHost: localhost\r\nX-Key: go\rod\r\n\r\n",
        b"GET /open HTTP/1.1\r\nHost: localhost\r\nX-Key: go\x00od\r\n\r\n",
        b"GET /open HTTP/1.1\r\nHost: localhost\r\nno colon here\r\n\r\n",
        b"GET /open HTTP/1.1\r\n Host: localhost\r\n\r\n",
        b"GET  /open HTTP/1.1\r\nHost: localhost\r\n\r\n",
        b"GET /open\r\nHost: localhost\r\n\r\n",
        b"GET /open HTTP/2.0\r\nHost: localhost\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n",
    ],
)
def test_what_two_servers_could_read_in_two_ways_is_refused(site: Any, request_bytes: bytes) -> None:
    """S60: and nothing after it is taken for a request of its own."""
    answer = talk(site(open_api=True), request_bytes + b"GET /probe HTTP/1.1\r\nHost: localhost\r\n\r\n")
    assert status_of(answer) == 400
    assert answer.count(b"HTTP/1.1") == 1
    assert b"done" not in answer


def test_a_chunk_that_ends_elsewhere_than_it_says_ends_the_connection(site: Any) -> None:
    """S60: without a word where Tornado is older than 6.6."""
    wrong = POST + b"Transfer-Encoding: chunked\r\n\r\n5\r\nhello0\r\n\r\n" + ASK
    answer = talk(site(open_api=True), wrong)
    assert answer == b"" or (status_of(answer) == 400 and answer.count(b"HTTP/1.1") == 1)


def test_headers_without_end_end_the_connection(site: Any) -> None:
    """S60"""

    async def scenario(client: Client) -> int:
        reader, writer = await asyncio.open_connection("127.0.0.1", client.port)
        with pytest.raises((ConnectionError, asyncio.IncompleteReadError)):
            for _ in range(200):
                writer.write(b"X-Long: " + b"x" * 4000 + b"\r\n")
                await writer.drain()
                await asyncio.sleep(0)
            await reader.readexactly(1)
        writer.close()
        return (await client.fetch("/probe")).code

    assert site().visit(scenario) == 200


def test_old_clients_get_their_answer_and_the_end_of_the_connection(site: Any) -> None:
    answer = talk(site(), b"GET /probe HTTP/1.0\r\n\r\n")
    assert status_of(answer) == 200
    assert b"Transfer-Encoding" not in answer
    answer = talk(site(), b"GET /probe HTTP/1.0\r\nConnection: keep-alive\r\n\r\n", b"GET /probe HTTP/1.0\r\n\r\n")
    assert answer.count(b"HTTP/1.1 200") == 2


def test_requests_sent_all_at_once_are_answered_in_their_order(site: Any) -> None:
    paths = [b"/probe", b"/slow", b"/address", b"/nowhere", b"/probe"]
    asks = [b"GET %s HTTP/1.1\r\nHost: localhost\r\n\r\n" % path for path in paths]
    asks[-1] = asks[-1].replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n")
    answer = talk(site(), b"".join(asks))
    assert re.findall(rb"HTTP/1\.1 (\d+)", answer) == [b"200", b"200", b"200", b"404", b"200"]
    assert answer.index(b"nobody") < answer.index(b"at last") < answer.index(b"127.0.0.1 http")


ENDLESS = (
    b"POST /endless HTTP/1.1\r\nHost: localhost\r\nSec-Fetch-Site: same-origin\r\nAccept: text/event-stream\r\n\r\n"
)


def limited(**more: Any) -> Limits:
    return Limits(**{"total": 16, "per_address": 100, "header_seconds": 0.2, **more})


@pytest.mark.parametrize("sent", [b"", b"G", HALF])
def test_headers_that_do_not_come_end_the_connection(site: Any, sent: bytes) -> None:
    """S47"""
    began = time.monotonic()
    assert talk(site(limits=limited()), sent) == b""
    assert 0.15 < time.monotonic() - began < 2


def test_headers_of_a_later_request_take_no_longer_than_those_of_the_first(site: Any) -> None:
    """S47"""

    async def scenario(client: Client) -> bytes:
        reader, writer = await asyncio.open_connection("127.0.0.1", client.port)
        writer.write(ASK)
        head = await reader.readuntil(b"\r\n\r\n")
        await reader.readexactly(int(head.partition(b"Content-Length: ")[2].partition(b"\r\n")[0]))
        writer.write(HALF)
        try:
            return await until_end(reader, 2)
        finally:
            writer.close()

    assert site(limits=limited()).visit(scenario) == b""


def test_headers_that_drip_do_not_win_time(site: Any) -> None:
    """S47"""

    async def scenario(client: Client) -> float:
        reader, writer = await asyncio.open_connection("127.0.0.1", client.port)
        began = time.monotonic()
        ended = asyncio.ensure_future(until_end(reader))
        while not ended.done():
            writer.write(b"a")
            await asyncio.sleep(0.02)
        writer.close()
        with pytest.raises(ConnectionError):
            if not ended.result():
                raise ConnectionResetError
        return time.monotonic() - began

    assert 0.15 < site(limits=limited()).visit(scenario) < 2


def test_a_connection_may_rest_between_requests_for_longer_than_headers_may_take(site: Any) -> None:
    """S47"""

    async def scenario(client: Client) -> bytes:
        reader, writer = await asyncio.open_connection("127.0.0.1", client.port)
        writer.write(ASK)
        await reader.readuntil(b"\r\n\r\n")
        await asyncio.sleep(0.5)
        writer.write(ASK.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n"))
        try:
            return await until_end(reader)
        finally:
            writer.close()

    assert b"HTTP/1.1 200" in site(limits=limited()).visit(scenario)


def crowd(site: Any, count: int, sent: bytes, then: Callable[[Client], Awaitable[Any]]) -> Any:
    """Return what happens while so many connections have sent this and wait."""

    async def scenario(client: Client) -> Any:
        writers = []
        try:
            for _ in range(count):
                _, writer = await asyncio.open_connection("127.0.0.1", client.port)
                writers.append(writer)
                writer.write(sent)
                await settled(site.server.connections, len(writers), sent)
            return await then(client)
        finally:
            for writer in writers:
                writer.close()

    return site.visit(scenario)


async def settled(connections: Connections, opened: int, sent: bytes) -> None:
    """Wait until the server has read what each connection sent."""
    if not sent.startswith(b"POST"):
        await asyncio.sleep(0)
        return
    deadline = time.monotonic() + 5
    while connections.count(Phase.SERVING) < opened:
        assert time.monotonic() < deadline
        await asyncio.sleep(0.001)


async def ask_both(client: Client) -> tuple[int, int]:
    return (await client.fetch("/probe")).code, (await client.fetch("/open")).code


@pytest.mark.parametrize(
    "sent", [b"", HALF, ASK, b"GET /probe HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\n\r\nhel"]
)
def test_connections_that_wait_for_their_clients_do_not_keep_others_out(site: Any, sent: bytes) -> None:
    """S47"""
    assert crowd(site(limits=limited(header_seconds=30)), 60, sent, ask_both) == (200, 200)


def test_incomplete_bodies_are_kept_up_to_a_limit_and_the_newest_is_served(site: Any) -> None:
    """S46: also by routes that anybody may ask."""
    sent = b"GET /open HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000000\r\n\r\n" + b"x" * 900_000

    async def act(client: Client) -> tuple[int, int]:
        answer = await client.fetch("/api/act", "POST", "x" * 900_000)
        return answer.code, made.server.connections.count(Phase.READING)

    made = site(limits=limited(total=100, header_seconds=30, bodies=5_000_000), open_api=True)
    status, reading = crowd(made, 30, sent, act)
    assert status == 200
    assert reading <= 5


def test_when_all_connections_are_at_work_the_probes_are_answered_still(
    site: Any, caplog: pytest.LogCaptureFixture
) -> None:
    """S47"""
    assert crowd(site(limits=limited()), 16, ENDLESS, ask_both) == (200, 503)
    lines = [record.getMessage() for record in caplog.records if record.name.startswith("flower.web")]
    assert len(lines) == 1
    assert lines[0].startswith("16 connections are open")


def test_beyond_the_spare_connections_clients_are_turned_away(site: Any) -> None:
    """S47"""

    async def knock(client: Client) -> bytes:
        reader, writer = await asyncio.open_connection("127.0.0.1", client.port)
        try:
            return await until_end(reader)
        finally:
            writer.close()

    assert status_of(crowd(site(limits=limited(spare=0)), 16, ENDLESS, knock)) == 503


def test_the_first_minute_of_junk_is_not_a_minute_of_log(site: Any, caplog: pytest.LogCaptureFixture) -> None:
    """S47, R48: Tornado has a line for every request that it cannot read."""

    async def scenario(client: Client) -> None:
        await asyncio.gather(*(exchange(client.port, b"junk\r\n\r\n") for _ in range(100)))

    with caplog.at_level(logging.INFO):
        began = time.monotonic()
        site().visit(scenario)
    assert 0 < len(caplog.records) <= 10 * (time.monotonic() - began + 1)


@pytest.mark.parametrize(
    ("site_options", "headers", "expected"),
    [
        ({"hsts": 600}, {}, None),
        ({"hsts": 600, "proxies": ["127.0.0.1"]}, {}, None),
        ({"hsts": 600, "proxies": ["127.0.0.1"]}, {"X-Forwarded-Proto": "https"}, "max-age=600"),
        ({"hsts": 600, "proxies": ["127.0.0.1"]}, {"X-Scheme": "https"}, "max-age=600"),
        ({"hsts": 600, "proxies": ["127.0.0.1"]}, {"X-Forwarded-Proto": "https, http"}, None),
        ({"hsts": 600, "proxies": ["10.0.0.1"]}, {"X-Forwarded-Proto": "https"}, None),
        ({"hsts": 600}, {"X-Forwarded-Proto": "https"}, None),
        ({"hsts": 0, "proxies": ["127.0.0.1"]}, {"X-Forwarded-Proto": "https"}, None),
    ],
)
@pytest.mark.parametrize("path", ["/probe", "/nowhere", "/api/things"])
def test_https_alone_is_asked_for_over_https_alone(
    site: Any, site_options: dict[str, Any], headers: dict[str, str], expected: str | None, path: str
) -> None:
    """S13, S62: by every answer, and never on the word of a stranger."""
    assert site(**site_options).ask(path, headers=headers)[2].get("Strict-Transport-Security") == expected


@pytest.fixture
def tls(tmp_path: Path) -> ssl.SSLContext:
    words = "req -x509 -newkey rsa:2048 -nodes -keyout key.pem -out cert.pem -days 2 -subj /CN=localhost"
    subprocess.run(["openssl", *words.split()], cwd=tmp_path, check=True, capture_output=True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(tmp_path / "cert.pem", tmp_path / "key.pem")
    return context


def test_own_tls_counts_as_https_and_a_handshake_that_stalls_is_ended(site: Any, tls: ssl.SSLContext) -> None:
    """S13, S47"""

    async def run() -> tuple[bytes, bytes]:
        server = Server(site(hsts=600).router(), Binding(("127.0.0.1",), 0), tls, limited())
        server.start()
        port = int(server.urls[0].rpartition(":")[2])
        try:
            stalled, hanging = await asyncio.open_connection("127.0.0.1", port)
            hanging.write(b"\x16\x03\x01")
            trusting = ssl.create_default_context()
            trusting.check_hostname, trusting.verify_mode = False, ssl.CERT_NONE
            reader, writer = await asyncio.open_connection("127.0.0.1", port, ssl=trusting)
            writer.write(b"GET /probe HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
            answer, nothing = await until_end(reader), await until_end(stalled)
            writer.close()
            hanging.close()
            return answer, nothing
        finally:
            await server.stop()

    answer, nothing = asyncio.run(run())
    assert b"\r\nStrict-Transport-Security: max-age=600\r\n" in answer
    assert nothing == b""
