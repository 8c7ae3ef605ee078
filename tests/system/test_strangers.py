"""What somebody without a password can make a real Flower say, serve, believe or write down."""

from __future__ import annotations

import json
import platform
import re
import socket
import ssl
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

import celery
import httpx
import pytest
import tornado
from tests.system.support import Launcher, Room, RunningFlower, until

pytestmark = pytest.mark.system

FORGED = "x\n[I 261126 00:00:00 audit:66] forged\r\x1b[2J\u2028y"
LINE = re.compile(r"\[[DIWEC] \d{6} \d\d:\d\d:\d\d \S+:\d+\] |    |$")
MAY = ("ann", "secret")


@dataclass
class Doors:
    """One Flower that trusts a proxy which is not us, and one that trusts us."""

    far: RunningFlower
    near: RunningFlower

    def audit(self) -> list[dict[str, object]]:
        return [entry for flower in (self.far, self.near) for entry in audit_of(flower)]


@pytest.fixture(scope="module")
def doors(launch_once: Launcher, redis_room: Room) -> Doors:
    common = ["--xheaders", "--hsts=600", "--basic_auth=ann:secret", "--debug"]
    return Doors(
        launch_once.flower(redis_room, *common, "--trusted_proxies=10.9.9.9", env={"FLOWER_UNAUTHENTICATED_API": "0"}),
        launch_once.flower(redis_room, *common, env={"FLOWER_UNAUTHENTICATED_API": "0"}),
    )


def audit_of(flower: RunningFlower) -> list[dict[str, object]]:
    lines = re.findall(r" audit:\d+\] (\{.*\})$", flower.process.output(), re.MULTILINE)
    return [json.loads(line) for line in lines]


def raw(flower: RunningFlower, request: bytes) -> bytes:
    """Send bytes that no client library would send, and return what comes back."""
    url = httpx.URL(flower.url)
    with socket.create_connection((url.host, url.port or 0), 10) as sock:
        sock.sendall(request)
        answer = b""
        while piece := sock.recv(65536):
            answer += piece
    return answer


@pytest.mark.parametrize(
    "headers",
    [
        {"X-Forwarded-For": "203.0.113.7"},
        {"X-Real-Ip": "203.0.113.7"},
        {"X-Forwarded-For": "203.0.113.7, 127.0.0.1", "X-Forwarded-Proto": "https"},
        {"X-Forwarded-For": "203.0.113.7", "X-Scheme": "https", "X-Forwarded-Host": "evil.example"},
        {"Forwarded": "for=203.0.113.7;proto=https"},
    ],
)
def test_headers_of_an_untrusted_peer_change_nothing(doors: Doors, headers: dict[str, str]) -> None:
    """S62, S13: neither the address in the audit, nor what counts as https."""
    before = len(audit_of(doors.far))
    answer = doors.far.client.post("/api/task/revoke/s62", headers=headers)
    assert answer.status_code == 401
    assert "Strict-Transport-Security" not in answer.headers
    until(lambda: len(audit_of(doors.far)) == before + 1, "the attempt is recorded")
    assert audit_of(doors.far)[-1]["address"] in ("127.0.0.1", "::1")


@pytest.mark.parametrize(
    ("headers", "address", "secure"),
    [
        ({"X-Forwarded-For": "203.0.113.7"}, "203.0.113.7", False),
        ({"X-Forwarded-For": "198.51.100.1, 203.0.113.7, 10.0.0.1"}, "10.0.0.1", False),
        ({"X-Real-Ip": "203.0.113.7", "X-Forwarded-Proto": "https"}, "203.0.113.7", True),
        ({"X-Forwarded-For": "2001:db8::7", "X-Forwarded-Proto": "http, https"}, "2001:db8::7", True),
        ({"X-Forwarded-For": "nonsense", "X-Forwarded-Proto": "gopher"}, "127.0.0.1", False),
        ({"X-Forwarded-For": "fe80::1%[I 261126 forged"}, "127.0.0.1", False),
        ({"X-Forwarded-For": "2001:db8::1%\\x1b"}, "127.0.0.1", False),
        ({"X-Forwarded-For": "::1"}, "127.0.0.1", False),
    ],
)
def test_headers_of_a_trusted_peer_count_where_they_make_sense(
    doors: Doors, headers: dict[str, str], address: str, secure: bool
) -> None:
    """S62, S13, S52"""
    before = len(audit_of(doors.near))
    answer = doors.near.client.post("/api/task/revoke/s62", headers=headers)
    assert answer.headers.get("Strict-Transport-Security") == ("max-age=600" if secure else None)
    until(lambda: len(audit_of(doors.near)) == before + 1, "the attempt is recorded")
    assert audit_of(doors.near)[-1]["address"] == address


def test_a_forwarded_host_is_not_a_host(launch: Launcher, redis_room: Room) -> None:
    """S62, S05: believing it would open the check of host names to any page."""
    flower = launch.flower(redis_room, "--address=127.0.0.1", "--xheaders")
    for name in ("X-Forwarded-Host", "X-Host", "X-Original-Host"):
        assert flower.get("/tasks", headers={"Host": "evil.example", name: "localhost"}).status_code == 421


def test_without_xheaders_nobody_is_trusted(launch: Launcher, redis_room: Room) -> None:
    """S62"""
    flower = launch.flower(redis_room, "--basic_auth=ann:secret", "--hsts=600")
    headers = {"X-Forwarded-For": "203.0.113.7", "X-Forwarded-Proto": "https"}
    answer = flower.client.post("/api/task/revoke/s62", headers=headers)
    assert "Strict-Transport-Security" not in answer.headers
    until(lambda: audit_of(flower), "the attempt is recorded")
    assert audit_of(flower)[-1]["address"] == "127.0.0.1"


def test_nothing_that_people_send_begins_a_line_of_the_log(doors: Doors) -> None:
    """S52: neither in the audit nor in the lines of --debug, and the record of each attempt can be read back."""
    name = quote(FORGED, safe="")
    attempts = [
        f"/api/task/revoke/{name}",
        f"/api/task/send-task/{name}",
        f"/api/worker/shutdown/{name}",
        f"/api/worker/queue/add-consumer/{name}?queue={name}",
        f"/worker/{name}/shutdown",
    ]
    before = len(audit_of(doors.near))
    for path in attempts:
        for who in (None, MAY):
            answer = doors.near.client.post(path, auth=who, headers={"X-Forwarded-For": "203.0.113.7%\\r\\n"})
            assert answer.status_code < 500, (path, answer.text)
    for path in (f"/task/{name}", f"/tasks?search={name}", f"/{name}", f"/static/{name}"):
        assert doors.near.client.get(path, auth=MAY).status_code < 500
    raw(doors.near, b"GET /\x1b[2J HTTP/1.1\r\nHost: a\x1b[2J\r\nX-Forwarded-For: \x1b[2J\r\n\r\n")
    until(lambda: len(audit_of(doors.near)) >= before + 2 * len(attempts), "the attempts are recorded")
    output = doors.near.process.output()
    assert [line for line in output.split("\n") if not LINE.match(line)] == []
    assert set(re.findall(r"[^\x20-\x7e\n]", output)) == set()
    targets = {entry["target"] for entry in audit_of(doors.near)}
    assert f"/worker/{name}/shutdown" in targets


HOSTILE_PATHS = [
    "/static/%00",
    "/static/dashboard/%00",
    "/static/dashboard/../../../../etc/passwd",
    "/static/dashboard/%2e%2e%2f%2e%2e%2f%2e%2e%2fetc%2fpasswd",
    "/static/dashboard/%252e%252e%252fetc%252fpasswd",
    "/static/dashboard/..%5c..%5cplugin.py",
    "/static/dashboard/%c0%ae%c0%ae%c0%afplugin.py",
    "/static/dashboard/../plugin.py",
    "/static/dashboard//etc/passwd",
    "/static/dashboard/.",
    "/static/dashboard/",
    "/static/../tasks",
    "/static//dashboard/theme.css",
    "/static/" + "a" * 5000,
    "/static/dashboard/" + "a/" * 2000,
    "/%00",
    "/%ff",
    "/%",
    "/%zz",
    "/..%2f..%2fetc%2fpasswd",
    "//etc/passwd",
    "/healthcheck/../tasks",
    "/healthcheck%2f..%2ftasks",
    "/healthcheck/%2e%2e/api/tasks",
    "/static/dashboard/../../api/tasks",
    "/metrics;/../api/tasks",
]


@pytest.mark.parametrize("path", HOSTILE_PATHS)
@pytest.mark.parametrize("method", [b"GET", b"POST", b"HEAD"])
def test_paths_lead_nowhere_but_where_they_say(doors: Doors, path: str, method: bytes) -> None:
    """S59: no file, no page without a password, and no fault of ours."""
    ask = b"%s %s HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n" % (method, path.encode())
    answer = raw(doors.far, ask)
    status = int(answer.split(b" ", 2)[1])
    assert status in (400, 401, 403, 404, 405), answer[:200]
    assert b"root:" not in answer


def test_files_are_where_they_are(doors: Doors) -> None:
    """S59: the same folder, asked for properly"""
    page = doors.far.get("/", auth=MAY).text
    asset = next(link for link in re.findall(r'href="(/static/[^"?]+\.css)', page))
    assert doors.far.get(asset).status_code == 200
    assert doors.far.get(asset.replace("/", "/x/../", 1)).status_code in (200, 404)


def test_strangers_learn_no_version_no_path_and_no_traceback(doors: Doors) -> None:
    """S12, S36: in debug mode as well; /metrics, which tells scrapers about the process, apart."""
    versions = [tornado.version, celery.__version__, platform.python_version(), ssl.OPENSSL_VERSION, "3.0.0"]
    secrets = [*versions, "Traceback", str(Path(__file__).parents[2]), "site-packages", 'File "']
    requests = [(method, path) for method in ("GET", "POST", "OPTIONS", "BREW") for path in HOSTILE_PATHS[:12]]
    requests += [
        (method, path)
        for method in ("GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS")
        for path in ("/", "/tasks", "/api/tasks", "/api/docs", "/api/openapi.json", "/plugins", "/readyz", "/stream")
    ]
    requests += [("GET", "/healthcheck"), ("GET", "/nowhere"), ("POST", "/healthcheck")]
    for method, path in requests:
        for accept in ("*/*", "application/json"):
            answer = doors.far.client.request(method, path, headers={"Accept": accept})
            said = f"{answer.headers}\n{answer.text}"
            assert [secret for secret in secrets if secret in said] == [], (method, path)
            assert answer.headers["Server"] == "Flower"
    for junk in (b"junk\r\n\r\n", b"GET / HTTP/9.9\r\n\r\n", b"GET / HTTP/1.1\r\n\r\n", b"GET / HTTP/1.1\nHost: a\n\n"):
        said = raw(doors.far, junk).decode()
        assert said.startswith("HTTP/1.1 400")
        assert [secret for secret in secrets if secret in said] == []
