"""Calls to a provider that misbehaves."""

from __future__ import annotations

import asyncio
import socket
import ssl
import time
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from flower_plugins import LoginRefused, ProviderFailed
from flower_plugins.oauth2 import Reply, Wire
from flower_plugins.testing import ScriptedProvider, ScriptedReply, play_provider

CANARY = "canary-of-the-secret"


def ask(reply: ScriptedReply, seconds: float = 5.0, **call: Any) -> tuple[Reply, ScriptedProvider]:
    async def scenario(script: ScriptedProvider) -> tuple[Reply, ScriptedProvider]:
        script.replies["/x"] = reply
        wire = Wire("GitLab", seconds)
        try:
            return await wire.ask("user", f"{script.url}/x?key={CANARY}", **call), script
        finally:
            wire.close()

    return play_provider(scenario)


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308, 304, 429, 500, 502, 503, 599])
def test_redirects_and_breakdowns_are_failures(status: int) -> None:
    with pytest.raises(ProviderFailed, match=rf"GitLab's user could not be had: 127\.0\.0\.1 answers {status}"):
        ask(ScriptedReply({}, status, {"Location": "/elsewhere"}))


@pytest.mark.parametrize("status", [400, 401, 403, 404, 422])
def test_a_refusal_is_a_reply_without_a_value(status: int) -> None:
    reply, _ = ask(ScriptedReply({"email": "ann@example.com"}, status))
    assert not reply.ok
    for read in (reply.value, reply.record, reply.records):
        with pytest.raises(LoginRefused, match=f"GitLab's user was refused \\(status {status}\\)"):
            read()


def test_a_megabyte_is_read_and_no_more() -> None:
    reply, _ = ask(ScriptedReply(raw=b'"' + b"x" * (1024 * 1024 - 2) + b'"'))
    assert len(reply.value()) == 1024 * 1024 - 2
    with pytest.raises(ProviderFailed):
        ask(ScriptedReply(raw=b'"' + b"x" * (1024 * 1024) + b'"'))


def test_a_provider_that_says_nothing_is_given_up_in_time() -> None:
    began = time.monotonic()
    with pytest.raises(ProviderFailed, match=r"did not come within 0\.2 seconds"):
        ask(ScriptedReply(hangs=True), seconds=0.2)
    assert time.monotonic() - began < 5


def test_what_is_sent_is_what_was_given() -> None:
    _, script = ask(ScriptedReply({}), bearer="tok")
    assert script.requests[0].method == "GET"
    assert script.requests[0].headers["Authorization"] == "Bearer tok"
    assert script.requests[0].headers["Accept"] == "application/json"
    assert "Accept-Encoding" not in script.requests[0].headers
    _, script = ask(ScriptedReply({}), form={"a": "b c&d"})
    assert script.requests[0].method == "POST"
    assert script.requests[0].body == b"a=b+c%26d"
    _, script = ask(ScriptedReply({}), json_body={"a": 1}, basic=("user", "pass"))
    assert script.requests[0].body == b'{"a": 1}'
    assert script.requests[0].headers["Authorization"] == "Basic dXNlcjpwYXNz"


@pytest.mark.parametrize("reply", [ScriptedReply({}, 500), ScriptedReply(raw=b"x" * 2_000_000), ScriptedReply({}, 302)])
def test_a_failure_holds_nothing_that_was_sent(reply: ScriptedReply, caplog: pytest.LogCaptureFixture) -> None:
    """S35."""
    caplog.set_level(0)
    for call in ({"bearer": CANARY}, {"form": {"client_secret": CANARY}}, {"basic": ("id", CANARY)}):
        with pytest.raises(ProviderFailed) as caught:
            ask(reply, **call)
        assert CANARY not in caught.value.message
        assert caught.value.__cause__ is None
    ours = [
        record.getMessage() for record in caplog.records if record.name != "tornado.access"
    ]  # the scripted server's
    assert CANARY not in "\n".join(ours)


@pytest.mark.parametrize(
    ("headers", "page"),
    [
        ({}, None),
        ({"X-Next-Page": ""}, None),
        ({"X-Next-Page": "2"}, 2),
        ({"X-Next-Page": "-1"}, None),
        ({"X-Next-Page": "\u00b2"}, None),
        ({"X-Next-Page": "9" * 5000}, None),
        ({"Link": '<https://x/y?page=3&z=1>; rel="next"'}, 3),
        ({"Link": '<https://x/y?page=1>; rel="first", <https://x/y?page=4>; rel="next"'}, 4),
        ({"Link": '<https://x/y?page=1>; rel="first"'}, None),
        ({"Link": '<https://x/y?page=a>; rel="next"'}, None),
        ({"Link": "nonsense"}, None),
    ],
)
def test_the_next_page_is_a_number_or_there_is_none(headers: dict[str, str], page: int | None) -> None:
    assert Reply("GitLab's groups", 200, headers, b"[]").next_page() == page


@pytest.mark.parametrize("url", ["http://127.0.0.1:9/", "http://no-such-host.invalid/", "https://127.0.0.1:9/"])
def test_a_server_that_is_not_there_is_a_failure(url: str) -> None:
    async def scenario() -> None:
        wire = Wire("GitLab", 5.0)
        with pytest.raises(ProviderFailed):
            await wire.ask("user", url)
        wire.close()

    asyncio.run(scenario())


def talk(answer: Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]], scheme: str = "http") -> None:
    """Ask a server that speaks what `answer` writes; expect a failure."""

    async def scenario() -> None:
        server = await asyncio.start_server(answer, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        wire = Wire("GitLab", 2.0)
        with pytest.raises(ProviderFailed):
            await wire.ask("user", f"{scheme}://127.0.0.1:{port}/")
        wire.close()
        server.close()
        await server.wait_closed()

    asyncio.run(scenario())


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"SSH-2.0-x\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\n{}",
        b"HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n{}",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        b"HTTP/1.1 200 OK\r\n" + b"A: b\r\n" * 20_000 + b"\r\n",
        b"HTTP/1.1 999999 OK\r\n\r\n",
    ],
)
def test_what_is_no_http_is_a_failure(raw: bytes) -> None:
    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(raw)
        writer.close()

    talk(answer)


def test_a_body_that_is_compressed_is_not_blown_up() -> None:
    reply, _ = ask(ScriptedReply(raw=b"\x1f\x8b\x08\x00" + b"x" * 100, headers={"Content-Encoding": "gzip"}))
    with pytest.raises(ProviderFailed, match="no JSON"):
        reply.value()


def test_a_certificate_that_nobody_vouches_for_is_a_failure(tmp_path: Any) -> None:
    import subprocess

    words = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "1", "-subj", "/CN=127.0.0.1"]
    made = [*words, "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", tmp_path / "key", "-out", tmp_path / "cert"]
    subprocess.run(made, check=True, capture_output=True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(tmp_path / "cert", tmp_path / "key")
    heard: list[bytes] = []

    async def scenario() -> None:
        async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            heard.append(await reader.read(100))
            writer.close()

        server = await asyncio.start_server(answer, "127.0.0.1", 0, ssl=context, family=socket.AF_INET)
        wire = Wire("GitLab", 5.0)
        with pytest.raises(ProviderFailed):
            await wire.ask("user", f"https://127.0.0.1:{server.sockets[0].getsockname()[1]}/", bearer=CANARY)
        wire.close()
        server.close()
        await server.wait_closed()

    asyncio.run(scenario())
    assert b"".join(heard) == b""
