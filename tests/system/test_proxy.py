"""Behind nginx, with the configuration the documentation prints."""

from __future__ import annotations

import html
import re
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass

import httpx
import pytest
from tests.system.nginx import DOCUMENTED, PREFIXED, listening, start_nginx
from tests.system.servers import free_port
from tests.system.support import Launcher, Publisher, Room, RunningFlower, until

pytestmark = pytest.mark.system

HOST = {"Host": "flower.example.com"}
LOGIN = ("ann", "secret")
LOGIN_LINES = """
        auth_basic "Restricted";
        auth_basic_user_file htpasswd;
"""
BARE = """
server {
    listen 80;

    location / {
        proxy_pass http://localhost:5555;
    }
}
"""


@dataclass
class Fronts:
    """Clients of nginx: before a Flower without login, open and with `auth_basic`, and before one with a prefix.

    `bare` is open, and told nothing but where to pass requests to.
    """

    flower: RunningFlower
    room: Room
    open: httpx.Client
    closed: httpx.Client
    prefixed: httpx.Client
    bare: httpx.Client


@pytest.fixture(scope="module")
def fronts(
    launch_once: Launcher,
    redis_room: Room,
    need_service: Callable[[str], str],
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Fronts]:
    program, folder = need_service("nginx"), tmp_path_factory.mktemp("nginx")
    closed = {"FLOWER_UNAUTHENTICATED_API": "0"}
    flower = launch_once.flower(redis_room, "--address=localhost", env=closed)
    below = launch_once.flower(redis_room, "--address=localhost", "--url_prefix=flower", env=closed)
    until(lambda: flower.get("/readyz").status_code == 200, "events flow")
    ports = [free_port() for _ in range(4)]
    servers = [
        listening(DOCUMENTED, ports[0], flower),
        listening(DOCUMENTED.replace("location / {", "location / {" + LOGIN_LINES), ports[1], flower),
        listening(PREFIXED, ports[2], below),
        listening(BARE, ports[3], flower),
    ]
    words = ["openssl", "passwd", "-apr1", LOGIN[1]]
    password = subprocess.run(words, capture_output=True, text=True, check=True).stdout
    (folder / "htpasswd").write_text(f"{LOGIN[0]}:{password}")
    nginx = start_nginx(launch_once, program, folder, dict(zip(ports, servers, strict=True)))
    with ExitStack() as stack:
        clients = [
            stack.enter_context(httpx.Client(base_url=f"http://127.0.0.1:{port}", headers=HOST, timeout=10))
            for port in ports
        ]
        yield Fronts(flower, redis_room, *clients)
    assert nginx.stop() == 0


@pytest.mark.parametrize("path", ["/", "/workers", "/tasks", "/plugins", "/workers?json=1", "/healthcheck", "/metrics"])
def test_the_documented_block_shows_pages(fronts: Fronts, path: str) -> None:
    """S05"""
    assert fronts.open.get(path).status_code == 200
    assert fronts.closed.get(path).status_code == 401
    assert fronts.closed.get(path, auth=LOGIN).status_code == 200


def test_styles_and_scripts_come_through(fronts: Fronts) -> None:
    assets = re.findall(r'(?:href|src)="(/static/[^"]+)"', fronts.open.get("/").text)
    assert len(assets) > 3
    for asset in assets:
        assert fronts.open.get(asset).status_code == 200, asset


@pytest.mark.parametrize(
    "action", ["/worker/w1@front/shutdown", "/worker/w1@front/pool/restart", "/task/front-1/revoke"]
)
@pytest.mark.parametrize(
    "headers",
    [
        {"Sec-Fetch-Site": "same-origin", "Origin": "http://flower.example.com"},
        {"Origin": "http://flower.example.com"},
        {},
    ],
)
def test_nobody_acts_through_a_proxy_that_flower_knows_nothing_of(
    fronts: Fronts, action: str, headers: dict[str, str]
) -> None:
    """S03, S05: who got past nginx's password cannot be told from who came from this machine."""
    for refused in (
        fronts.open.post(action, headers=headers),
        fronts.bare.post(action, headers={"Sec-Fetch-Site": "same-origin", **headers}),
        fronts.closed.post(action, headers=headers, auth=LOGIN),
    ):
        assert refused.status_code == 403
        assert "--basic_auth" in html.unescape(refused.text)


def test_the_api_stays_closed(fronts: Fronts) -> None:
    assert fronts.open.get("/api/tasks").status_code == 401
    assert "FLOWER_UNAUTHENTICATED_API" in fronts.open.get("/api/tasks").text


def test_without_the_proxy_a_foreign_host_name_is_refused_and_the_option_named(fronts: Fronts) -> None:
    """S05"""
    refused = fronts.flower.get("/tasks", headers=HOST)
    assert refused.status_code == 421
    assert "--allowed_hosts" in html.unescape(refused.text)


def test_events_reach_the_browser_while_they_happen(fronts: Fronts) -> None:
    """nginx buffers answers unless it is told not to; the documented block does not tell it."""
    live(fronts, fronts.open, "/stream?topics=tasks")


def test_a_prefix_is_passed_on(fronts: Fronts) -> None:
    client = fronts.prefixed
    assert client.get("/flower").headers["Location"] == "/flower/"
    page = client.get("/flower/")
    assert page.status_code == 200
    links = re.findall(r'(?:href|src|action|data-\w+)="(/[^"]*)"', page.text)
    assert len(links) > 5
    assert [link for link in links if not link.startswith("/flower/")] == []
    for link in links:
        assert link.startswith("/flower/stream") or client.get(html.unescape(link)).status_code == 200, link
    assert client.get("/flower/healthcheck").text == "OK"
    assert client.get("/tasks").status_code == 404
    live(fronts, client, "/flower/stream?topics=tasks")


def live(fronts: Fronts, client: httpx.Client, path: str) -> None:
    """Check that what happens is told at once, on a stream that stays open."""
    with client.stream("GET", path) as stream:
        assert stream.status_code == 200
        assert stream.headers["Content-Type"].startswith("text/event-stream")
        lines = (line for line in stream.iter_lines() if line.startswith("data:"))
        assert "tasks" in next(lines)
        with Publisher(fronts.room) as publisher:
            sent = time.monotonic()
            head = {"type": "task-received", "hostname": "w1@front", "timestamp": time.time(), "clock": 1}
            publisher.send({**head, "uuid": f"front-{sent}", "name": "shop.pay"})
        assert "tasks" in next(lines)
        assert time.monotonic() - sent < 3
