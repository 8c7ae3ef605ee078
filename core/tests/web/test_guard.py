"""The guard over real HTTP: who gets in, who is sent away, and with which words."""

from __future__ import annotations

import asyncio
import json
import logging
import re
import socket
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tornado.httpserver import HTTPServer
from tornado.testing import bind_unused_port

from flower_plugins import Access, Route
from flower_plugins.testing import Client

API_CLOSED = "FLOWER_UNAUTHENTICATED_API environment variable is required to enable API without authentication"
GOOD = {"X-Key": "good"}
OURS = {"Sec-Fetch-Site": "same-origin"}
READ_ONLY = "Read only mode is enabled"


@pytest.mark.parametrize("path", ["/", "/open", "/probe", "/things/a%2Fb", "/things/x/"])
def test_pages_are_open_when_nobody_logs_in(site: Any, path: str) -> None:
    assert site().ask(path)[0] == 200


@pytest.mark.parametrize(("method", "path"), [("GET", "/api/things"), ("POST", "/api/act"), ("POST", "/api/end")])
def test_the_api_is_closed_without_login_until_the_variable_opens_it(site: Any, method: str, path: str) -> None:
    """S03"""
    assert site().ask(path, method)[:2] == (401, API_CLOSED)
    assert site(open_api=True).ask(path, method)[0] == 200


@pytest.mark.parametrize(
    ("headers", "message"),
    [
        ({"Sec-Fetch-Site": "cross-site"}, "Cross-site request forbidden"),
        ({"Sec-Fetch-Site": "same-site"}, "Cross-site request forbidden"),
        ({"Sec-Fetch-Site": "none"}, "Cross-site request forbidden"),
        ({"Origin": "http://evil.example"}, "Cross-origin request forbidden"),
        ({"Origin": "null"}, "Cross-origin request forbidden"),
        ({"Referer": "http://evil.example/x"}, "Cross-origin request forbidden"),
        ({"Sec-Fetch-Site": "cross-site", "Content-Type": "text/plain"}, "Cross-site request forbidden"),
    ],
)
@pytest.mark.parametrize("posture", [{"open_api": True}, {"authenticated": True}])
def test_other_sites_cannot_act(site: Any, posture: dict[str, bool], headers: dict[str, str], message: str) -> None:
    """S04, S06"""
    assert site(**posture).ask("/api/act", "POST", {**headers, **GOOD})[:2] == (403, message)


@pytest.mark.parametrize("name", ["Origin", "Referer"])
def test_a_page_that_came_in_clear_cannot_act_by_https(site: Any, name: str) -> None:
    """S06: such a page of the same host may be anybody's; older browsers send no Sec-Fetch-Site."""
    made, host = site(authenticated=True, proxies=[]), "flower.example.com"
    headers = {**GOOD, "Host": host, "X-Forwarded-Proto": "https"}
    assert made.ask("/api/act", "POST", {**headers, name: f"https://{host}/"})[0] == 200
    assert made.ask("/api/act", "POST", {**headers, name: f"http://{host}/"})[0] == 403


@pytest.mark.parametrize("posture", [{"open_api": True}, {"authenticated": True}])
def test_scripts_send_no_browser_headers_and_may_act(site: Any, posture: dict[str, bool]) -> None:
    """S04, S06"""
    status, body, headers = site(**posture).ask("/api/act", "POST", GOOD)
    assert (status, body) == (200, "done")
    assert "Access-Control-Allow-Origin" not in headers


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1.evil.example", "localhost.evil.example", "", "[evil]"])
@pytest.mark.parametrize("path", ["/", "/api/things", "/nowhere"])
def test_a_foreign_host_name_is_refused_and_the_option_named(site: Any, host: str, path: str) -> None:
    """S05"""
    status, body, _ = site().ask(path, headers={"Host": host})
    assert status == 421
    assert "--allowed_hosts" in body


@pytest.mark.parametrize(
    "host",
    ["localhost", "LOCALHOST:5555", "127.0.0.1:80", "[::1]:5555", "10.1.2.3", "app.localhost", socket.gethostname()],
)
def test_own_names_and_addresses_are_served(site: Any, host: str) -> None:
    """S05"""
    assert site().ask("/", headers={"Host": host})[0] == 200


def test_allowed_hosts_are_served(site: Any) -> None:
    """S05"""
    named = site(hosts=["flower.example.com", "*.corp.example"])
    for host, status in [("flower.example.com", 200), ("a.corp.example", 200), ("corp.example", 421), ("x.com", 421)]:
        assert named.ask("/", headers={"Host": host})[0] == status


def test_probes_take_any_host_name_and_so_does_a_server_with_logins(site: Any) -> None:
    """S05"""
    assert site().ask("/probe", headers={"Host": "evil.example"})[0] == 200
    assert site(authenticated=True).ask("/", headers={"Host": "flower.example.com", **GOOD})[0] == 200


def test_a_proxy_set_up_as_documented_passes_but_may_only_look(site: Any) -> None:
    """S05: a page cannot set Connection, so such a request did not come from a browser directly."""
    proxied = {"Host": "flower.example.com", "Connection": "upgrade"}
    status, body, _ = site().ask("/", headers=proxied)
    assert status == 200
    assert "switched off" in body
    origin = {"Origin": "http://flower.example.com"}
    assert site().ask("/act", "POST", {**proxied, **origin})[0] == 403
    websocket = {**proxied, "Upgrade": "websocket", "Sec-WebSocket-Key": "x"}
    assert site().ask("/", headers=websocket)[0] == 421


def test_on_loopback_our_own_pages_may_act_and_nothing_else(site: Any) -> None:
    assert site().ask("/act", "POST", OURS)[:2] == (200, "done")
    assert site().ask("/act", "POST", {"Origin": "http://localhost:1", "Host": "localhost:1"})[0] == 200
    assert site().ask("/act", "POST")[0] == 403
    assert site().ask("/act", "POST", {"Sec-Fetch-Site": "cross-site"})[0] == 403
    assert site().ask("/", "GET")[1] == "nobody may write"


def test_on_a_public_address_without_login_one_may_look_and_not_touch(site: Any) -> None:
    """S02"""
    public = site(loopback_only=False)
    status, body, _ = public.ask("/")
    assert status == 200
    assert "--basic_auth" in body
    assert public.ask("/act", "POST", OURS)[0] == 403
    assert site(loopback_only=False, open_api=True).ask("/act", "POST", OURS)[0] == 200


@pytest.mark.parametrize("headers", [{}, {"X-Key": "outsider"}, {"X-Key": "crash"}])
@pytest.mark.parametrize(("method", "path"), [("GET", "/"), ("GET", "/api/things"), ("POST", "/act")])
def test_who_cannot_be_identified_is_challenged(site: Any, headers: dict[str, str], method: str, path: str) -> None:
    status, body, answer = site(authenticated=True).ask(path, method, {**headers, **OURS})
    assert (status, body) == (401, "Access denied")
    assert answer["WWW-Authenticate"] == 'Key realm="flower"'
    assert answer["Cache-Control"] == "no-store"


def test_whoever_is_admitted_sees_what_has_arrived_up_to_now(site: Any) -> None:
    refused, admitted = site(authenticated=True), site(authenticated=True)
    refused.ask("/")
    assert refused.freshened == []
    admitted.ask("/", headers={"X-Key": "good"})
    assert admitted.freshened == ["now"]


def test_who_is_identified_gets_in(site: Any) -> None:
    assert site(authenticated=True).ask("/", headers=GOOD)[1] == "ann may write"
    assert site(authenticated=True).ask("/api/end", "POST", GOOD)[1] == "done"
    assert site(authenticated=True).ask("/probe")[0] == 200


@pytest.mark.parametrize("path", ["/act", "/api/act", "/api/end"])
@pytest.mark.parametrize("posture", [{"open_api": True}, {"authenticated": True}])
def test_read_only_refuses_every_change(site: Any, posture: dict[str, bool], path: str) -> None:
    """S55"""
    asked = site(read_only=True, **posture).ask(path, "POST", {**GOOD, **OURS})
    assert asked[:2] == (403, READ_ONLY)


@pytest.mark.parametrize("path", ["/act", "/api/act", "/api/end"])
@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_nothing_changes_by_looking(site: Any, method: str, path: str) -> None:
    status, _, headers = site(authenticated=True).ask(path, method, GOOD)
    assert (status, headers["Allow"]) == (405, "POST")


def test_head_works_wherever_get_does(site: Any) -> None:
    """R51"""
    status, body, headers = site().ask("/probe", "HEAD")
    assert (status, body) == (200, "")
    assert int(headers["Content-Length"]) > 0


@pytest.mark.parametrize("path", ["/nowhere", "/api/nowhere", "/things", "/%00", "/%ff", "/things/%00x", "/../x"])
def test_unknown_paths_are_404_even_without_credentials(site: Any, path: str) -> None:
    """S59"""
    assert site(authenticated=True).ask(path)[0] == 404


@pytest.mark.parametrize(("prefix", "authenticated"), [("", False), ("", True), ("/a/b", False)])
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_an_unknown_route_of_the_api_is_named_in_text_and_json(
    site: Any, prefix: str, authenticated: bool, method: str
) -> None:
    asked, path = site(prefix=prefix, authenticated=authenticated), f"{prefix}/api/task/apply/add"
    sentence = "No such route: /api/task/apply/add. /api/docs lists them."
    assert asked.ask(path, method)[:2] == (404, sentence)
    status, body, _ = asked.ask(path, method, {"Accept": "application/json"})
    assert (status, json.loads(body)) == (404, {"error": sentence})


def test_a_prefix_moves_everything_below_it(site: Any) -> None:
    prefixed = site(prefix="/a/b")
    assert [prefixed.ask(path)[0] for path in ("/a/b/", "/a/b/probe", "/", "/probe", "/a/bprobe")] == [
        200,
        200,
        404,
        404,
        404,
    ]
    status, _, headers = prefixed.ask("/a/b")
    assert (status, headers["Location"]) == (308, "/a/b/")


@pytest.mark.parametrize("path", ["/", "/nowhere", "/api/things", "/act", "/probe", "/?crash=1"])
def test_every_answer_carries_the_security_headers_and_no_version(site: Any, path: str) -> None:
    """S09, S10, S11, S12"""
    _, _, headers = site().ask(path)
    assert headers["X-Frame-Options"] == "DENY"
    assert "frame-ancestors 'none'" in headers["Content-Security-Policy"]
    assert "unsafe" not in headers["Content-Security-Policy"]
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Referrer-Policy"] == "same-origin"
    assert headers["Server"] == "Flower"


def test_a_crash_is_a_500_that_tells_strangers_nothing(site: Any, caplog: pytest.LogCaptureFixture) -> None:
    """S36"""
    status, body, _ = site().ask("/?crash=1")
    assert status == 500
    assert "secret" not in body
    assert "Traceback" not in body
    assert "a secret detail" in caplog.text


def test_errors_are_pages_texts_or_json(site: Any) -> None:
    drawn = site(render=lambda template, context: f"<{template} {context['status']} {context['message']}>")
    assert drawn.ask("/nowhere")[1] == "<error.html 404 Error, page not found>"
    assert drawn.ask("/api/nowhere")[1] == "No such route: /api/nowhere. /api/docs lists them."
    asked = drawn.ask("/nowhere", headers={"Accept": "application/json"})
    assert json.loads(asked[1]) == {"error": "Error, page not found"}


def test_an_error_page_that_cannot_be_drawn_is_a_text(site: Any, caplog: pytest.LogCaptureFixture) -> None:
    def broken(template: str, context: Any) -> str:
        raise RuntimeError("no such template")

    status, body, _ = site(render=broken).ask("/nowhere")
    assert (status, body) == (404, "Error, page not found")
    assert "could not be drawn" in caplog.text


@pytest.mark.parametrize("path", ["/act", "/", "/nowhere"])
def test_a_large_body_is_refused_before_it_is_read(site: Any, path: str) -> None:
    """S46"""
    status, _, _ = site(authenticated=True).ask(path, "POST", GOOD, body="x" * (1024 * 1024 + 1))
    assert status == 413


@pytest.mark.parametrize("path", ["/", "/nowhere", "/api/things"])
def test_a_refusal_leaves_the_connection_open_for_the_next_request(site: Any, path: str) -> None:
    async def scenario(client: Any) -> list[bytes]:
        reader, writer = await asyncio.open_connection("127.0.0.1", client.port)
        lines = []
        for _ in range(2):
            writer.write(f"GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
            lines.append(await reader.readline())
            headers = await reader.readuntil(b"\r\n\r\n")
            await reader.readexactly(int(re.search(rb"Content-Length: (\d+)", headers)[1]))  # type: ignore[index]
        writer.close()
        await writer.wait_closed()
        return lines

    first, second = site(authenticated=True).visit(scenario)
    assert first == second
    assert first.startswith((b"HTTP/1.1 401", b"HTTP/1.1 404"))


def test_routes_of_a_plugin_whose_service_is_down_answer_503(site: Any) -> None:
    assert site(broken={"site": "The plugin site is not running"}).ask("/")[:2] == (
        503,
        "The plugin site is not running",
    )


def named(*handlers: str, access: Access = "read") -> list[Route]:
    return [Route(f"/{number}", handler, access, "page", f"n{number}") for number, handler in enumerate(handlers)]


@pytest.fixture
def late(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Return where modules can be put that handlers are to come from."""
    monkeypatch.syspath_prepend(tmp_path)
    yield tmp_path
    for name in [name for name in sys.modules if name.startswith("late_")]:
        del sys.modules[name]


def test_a_handler_that_is_named_is_imported_when_it_is_first_needed(site: Any, late: Path) -> None:
    source = "from flower_plugins.web import Handler\n\nclass Late(Handler):\n    def post(self): self.finish('late')\n"
    (late / "late_good.py").write_text(source)
    door = site(authenticated=True, routes=named("late_good:Late", access="write"))
    assert door.ask("/0", "POST")[0] == 401
    assert "late_good" not in sys.modules
    assert door.ask("/0", "POST", GOOD)[:2] == (200, "late")
    status, _, headers = door.ask("/0", "GET", GOOD)
    assert (status, headers["Allow"]) == (405, "POST")


@pytest.mark.parametrize(
    ("source", "reason"),
    [
        ("import late_missing", "No module named 'late_missing'"),
        ("raise SystemExit(3)", "SystemExit: 3"),
        ("", "has no attribute 'Late'"),
        ("Late = object", "is not a subclass of flower_plugins.web.Handler"),
    ],
)
@pytest.mark.parametrize("access", ["read", "write"])
def test_a_handler_that_cannot_be_loaded_is_a_503_and_its_plugin_has_failed(
    site: Any, late: Path, source: str, reason: str, access: Access
) -> None:
    (late / "late_bad.py").write_text(source)
    door = site(authenticated=True, routes=[*named("late_bad:Late", access=access), *site().routes])
    status, body, _ = door.ask("/0", "GET", GOOD)
    assert (status, body) == (503, "A part of the plugin site cannot be loaded; the plugins page says why")
    ((plugin, told),) = door.failed
    assert plugin == "site"
    assert reason in told
    assert "'late_bad:Late'" in told
    assert door.ask("/", "GET", GOOD)[0] == 200


def test_every_attempt_to_change_something_leaves_one_audit_line(site: Any, caplog: pytest.LogCaptureFixture) -> None:
    """S53"""
    caplog.set_level(logging.INFO, "flower.audit")
    door = site(authenticated=True)
    door.ask("/act", "POST", GOOD)
    door.ask("/act", "POST")
    door.ask("/", "GET", GOOD)
    lines = [json.loads(record.getMessage()) for record in caplog.records if record.name == "flower.audit"]
    assert [(line["identity"], line["action"], line["outcome"]) for line in lines] == [
        ("ann", "act", "ok"),
        ("", "act", "refused: Access denied"),
    ]
    assert {line["address"] for line in lines} == {"127.0.0.1"}


def audited(caplog: pytest.LogCaptureFixture) -> list[dict[str, Any]]:
    return [json.loads(record.getMessage()) for record in caplog.records if record.name == "flower.audit"]


@pytest.mark.parametrize(
    ("path", "method", "headers", "body", "outcome"),
    [
        ("/act", "POST", GOOD, None, "ok"),
        ("/act", "POST", {}, None, "refused: Access denied"),
        ("/act", "POST", {**GOOD, "Origin": "http://evil.example"}, None, "refused: Cross-origin request forbidden"),
        ("/act", "POST", GOOD, "x" * (1024 * 1024 + 1), "refused: The request body is larger than 1048576 bytes"),
        ("/act", "GET", GOOD, None, "refused: 405"),
        ("/api/end", "POST", {}, None, "refused: Access denied"),
        ("/act?x=1", "PUT", GOOD, "", "failed: 405"),
        ("/sneaky", "GET", GOOD, None, "ok"),
        ("/repeating", "POST", GOOD, None, "ok"),
        ("/act", "OPTIONS", GOOD, None, None),
        ("/", "GET", GOOD, None, None),
        ("/", "GET", {}, None, None),
    ],
)
def test_an_attempt_leaves_one_record_however_it_ends(
    site: Any,
    caplog: pytest.LogCaptureFixture,
    path: str,
    method: str,
    headers: dict[str, str],
    body: str | None,
    outcome: str | None,
) -> None:
    """S53"""
    caplog.set_level(logging.INFO, "flower.audit")
    site(authenticated=True).ask(path, method, headers, body)
    assert [line["outcome"] for line in audited(caplog)] == ([] if outcome is None else [outcome])


def test_read_only_mode_is_recorded(site: Any, caplog: pytest.LogCaptureFixture) -> None:
    """S53, S55"""
    caplog.set_level(logging.INFO, "flower.audit")
    site(authenticated=True, read_only=True).ask("/act", "POST", GOOD)
    assert [line["outcome"] for line in audited(caplog)] == ["refused: Read only mode is enabled"]


@pytest.mark.parametrize("path", ["/endless", "/detached"])
def test_a_plugin_that_never_answers_cannot_suppress_the_record(
    site: Any, caplog: pytest.LogCaptureFixture, path: str
) -> None:
    """S53"""
    caplog.set_level(logging.INFO, "flower.audit")
    routers = []

    class Kept(type(site())):  # type: ignore[misc]
        def router(self) -> Any:
            routers.append(super().router())
            return routers[-1]

    async def scenario(client: Any) -> None:
        _, writer = await asyncio.open_connection("127.0.0.1", client.port)
        writer.write(f"POST {path} HTTP/1.1\r\nHost: localhost\r\nX-Key: good\r\nContent-Length: 0\r\n\r\n".encode())
        await writer.drain()
        deadline = asyncio.get_running_loop().time() + 5
        while not routers[0].undecided:
            assert asyncio.get_running_loop().time() < deadline
            await asyncio.sleep(0.01)
        writer.close()
        await writer.wait_closed()
        await routers[0].drained(0.1)

    Kept(authenticated=True).visit(scenario)
    (line,) = audited(caplog)
    assert (line["identity"], line["outcome"]) == ("ann", "unknown: Flower ended before the answer")


def test_what_was_asked_for_is_told_apart_without_being_told(site: Any, caplog: pytest.LogCaptureFixture) -> None:
    """S53"""
    caplog.set_level(logging.INFO, "flower.audit")
    door = site(authenticated=True)
    for path, body in (("/act", None), ("/act?n=1", None), ("/act?n=2", None), ("/act", "n=1"), ("/act", "n=1")):
        door.ask(path, "POST", GOOD, body)
    digests = [line["parameters"] for line in audited(caplog)]
    assert digests[0] == ""
    assert len(set(digests)) == 4
    assert digests[3] == digests[4]


def test_event_streams_are_for_our_own_pages(site: Any) -> None:
    """S58"""
    stream = {"Accept": "text/event-stream"}
    assert site().ask("/", headers={**stream, "Sec-Fetch-Site": "cross-site"})[0] == 403
    assert site().ask("/", headers={**stream, **OURS})[0] == 200
    assert site().ask("/", headers=stream)[0] == 200


@pytest.mark.parametrize(
    ("proxies", "headers", "seen"),
    [
        (None, {"X-Forwarded-For": "203.0.113.9"}, "127.0.0.1 http"),
        (["10.0.0.0/8"], {"X-Forwarded-For": "203.0.113.9"}, "127.0.0.1 http"),
        ([], {"X-Forwarded-For": "203.0.113.9"}, "203.0.113.9 http"),
        ([], {"X-Real-Ip": "203.0.113.9", "X-Scheme": "https"}, "203.0.113.9 https"),
        ([], {"X-Forwarded-For": "203.0.113.9, 10.0.0.1"}, "10.0.0.1 http"),
        (["127.0.0.0/8", "10.0.0.0/8"], {"X-Forwarded-For": "203.0.113.9, 10.0.0.1"}, "203.0.113.9 http"),
        ([], {"X-Forwarded-For": "198.51.100.7, 203.0.113.9"}, "203.0.113.9 http"),
        ([], {"X-Forwarded-For": "203.0.113.9", "X-Real-Ip": "198.51.100.7"}, "203.0.113.9 http"),
        ([], {"X-Forwarded-For": "10.0.0.7, 127.0.0.1"}, "127.0.0.1 http"),
        ([], {"X-Real-Ip": "not an address"}, "127.0.0.1 http"),
        ([], {"X-Forwarded-Proto": "gopher"}, "127.0.0.1 http"),
    ],
)
def test_forwarding_headers_count_only_from_trusted_proxies(
    site: Any, proxies: list[str] | None, headers: dict[str, str], seen: str
) -> None:
    """S62"""
    assert site(proxies=proxies).ask("/address", headers=headers)[1] == seen


@pytest.mark.parametrize("proxies", [None, []])
@pytest.mark.parametrize(
    "header", ["X-Forwarded-For", "X-Forwarded-Host", "X-Forwarded-Proto", "X-Real-Ip", "Via", "Forwarded"]
)
@pytest.mark.parametrize("value", ["127.0.0.1", "203.0.113.9", "x"])
def test_what_a_proxy_passed_on_never_counts_as_local(
    site: Any, proxies: list[str] | None, header: str, value: str
) -> None:
    assert site(proxies=proxies).ask("/act", "POST", {**OURS, header: value})[0] == 403


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "http://flower.example.com"},
        {"Host": "192.0.2.7"},
        {"Host": "192.0.2.7:8080", "Origin": "http://192.0.2.7:8080"},
        {"Host": "[2001:db8::1]"},
    ],
)
def test_what_only_a_proxy_can_have_sent_is_not_local(site: Any, headers: dict[str, str]) -> None:
    """S03: a bare `proxy_pass` sends no forwarding header; the browser's Origin, or its Host, tells of it."""
    assert site().ask("/act", "POST", OURS)[0] == 200
    assert site().ask("/act", "POST", {**OURS, **headers})[0] == 403


def test_a_named_host_that_a_proxy_passes_on_is_not_local(site: Any) -> None:
    named = {"Host": "flower.example.com", "Origin": "http://flower.example.com"}
    assert site(hosts=["flower.example.com"]).ask("/", headers=named)[0] == 200
    assert site(hosts=["flower.example.com"]).ask("/act", "POST", {**OURS, **named})[0] == 403


@pytest.mark.parametrize(("version", "status"), [("1.0", b"403"), ("1.1", b"200")])
def test_the_version_that_proxies_speak_and_browsers_do_not_is_not_local(
    site: Any, version: str, status: bytes
) -> None:
    async def scenario(client: Any) -> bytes:
        reader, writer = await asyncio.open_connection("127.0.0.1", client.port)
        head = f"POST /act HTTP/{version}\r\nHost: localhost\r\nSec-Fetch-Site: same-origin\r\nContent-Length: 0\r\n"
        writer.write(f"{head}\r\n".encode())
        line = await reader.readline()
        writer.close()
        return bytes(line)

    assert site().visit(scenario).split()[1] == status


@pytest.mark.parametrize("length", ["\u00b2", "-1", "1e3", "9" * 5000, "0x10", "1 1"])
def test_a_length_that_is_none_is_refused_without_a_fuss(
    site: Any, length: str, caplog: pytest.LogCaptureFixture
) -> None:
    async def scenario(client: Any) -> bytes:
        reader, writer = await asyncio.open_connection("127.0.0.1", client.port)
        head = f"POST /act HTTP/1.1\r\nHost: localhost\r\nContent-Length: {length}\r\n\r\n"
        writer.write(head.encode("latin-1"))
        line = await reader.readline()
        writer.close()
        return bytes(line)

    assert site().visit(scenario).startswith((b"HTTP/1.1 400", b"HTTP/1.1 413"))
    assert "Traceback" not in caplog.text


def test_an_answer_under_way_is_finished_before_the_end(site: Any) -> None:
    async def run() -> tuple[int, bytes]:
        router = site().router()
        server = HTTPServer(router)
        sock, port = bind_unused_port(address="127.0.0.1")
        server.add_sockets([sock])
        client = Client(port)
        answer = asyncio.ensure_future(client.fetch("/slow"))
        while not router.busy:  # noqa: ASYNC110
            await asyncio.sleep(0.01)
        server.stop()
        await router.drained(5)
        await server.close_all_connections()
        response = await answer
        client.close()
        return response.code, response.body

    assert asyncio.run(run()) == (200, b"at last")


@pytest.mark.parametrize("path", ["/", "/api/things", "/act"])
def test_who_tries_too_often_is_told_when_to_come_again(site: Any, path: str) -> None:
    """S31"""
    method = "POST" if path == "/act" else "GET"
    status, body, headers = site(authenticated=True).ask(path, method, {"X-Key": "again"})
    assert (status, headers["Retry-After"]) == (429, "7")
    assert "Too many failed logins" in body
    assert "WWW-Authenticate" not in headers


@pytest.mark.parametrize(
    ("path", "method", "key", "counted", "recorded"),
    [
        ("/", "GET", "", 1, ["login"]),
        ("/", "GET", "outsider", 1, ["login"]),
        ("/", "GET", "crash", 1, ["login"]),
        ("/api/things", "GET", "again", 1, ["login"]),
        ("/act", "POST", "", 1, ["act"]),
        ("/", "GET", "good", 0, []),
        ("/open", "GET", "", 0, []),
        ("/nowhere", "GET", "", 0, []),
    ],
)
def test_credentials_that_are_not_accepted_count_and_leave_one_record(
    site: Any, caplog: pytest.LogCaptureFixture, path: str, method: str, key: str, counted: int, recorded: list[str]
) -> None:
    """S31"""
    caplog.set_level(logging.INFO, "flower.audit")
    door = site(authenticated=True)
    door.ask(path, method, {"Authorization": "Key x", **({"X-Key": key} if key else {})})
    assert door.failures.counts == ({"key": counted} if counted else {})
    lines = [json.loads(record.getMessage()) for record in caplog.records if record.name == "flower.audit"]
    assert [line["action"] for line in lines] == recorded


def test_who_sends_no_credentials_has_not_failed(site: Any, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "flower.audit")
    door = site(authenticated=True)
    assert door.ask("/")[0] == 401
    assert door.failures.counts == {}
    assert not caplog.records
