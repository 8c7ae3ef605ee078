"""Queue lengths: of which queues, from which server, and what is answered while there is none."""

from __future__ import annotations

import ssl
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx
import pytest
from tests.system.servers import RabbitServer, RedisServer, Server, answers, free_port
from tests.system.support import Launcher, Room, RunningFlower, until

pytestmark = pytest.mark.system

NAP = "tests.system.cluster.nap"


def send(room: Room, *seconds: float, use_ssl: object = None) -> None:
    """Publish naps."""
    app = room.app()
    app.conf.broker_use_ssl = use_ssl
    with app.connection_for_write() as connection:
        for length in seconds:
            app.send_task(NAP, (length,), ignore_result=True, connection=connection)
    app.close()


def names(flower: RunningFlower) -> list[str]:
    response = flower.get("/api/queues/length")
    return [queue["name"] for queue in response.json()["active_queues"]] if response.status_code == 200 else []


@pytest.mark.parametrize("kind", ["private_redis", "rabbit_room"])
def test_the_queues_are_those_of_the_workers_that_are_there(
    launch: Launcher, kind: str, request: pytest.FixtureRequest
) -> None:
    room: Room = request.getfixturevalue(kind)
    flower = launch.flower(room)
    launch.worker(room)
    until(lambda: names(flower) == ["celery"], "the queue of the first worker is listed")
    second = launch.worker(room, "w2", "-Q", "extra")
    until(lambda: names(flower) == ["celery", "extra"], "the queue of a worker that came later is listed", 10)
    app = room.app()
    app.control.add_consumer("later", destination=["w1@test"])
    app.close()
    until(lambda: names(flower) == ["celery", "extra", "later"], "a queue that a worker took on is listed", 20)
    second.stop()
    until(lambda: names(flower) == ["celery", "later"], "the queue of the worker that left is not listed", 15)


def test_lengths_of_redis_are_messages_that_nobody_has_taken(launch: Launcher, private_redis: Room) -> None:
    launch.worker(private_redis)
    flower = launch.flower(private_redis)
    send(private_redis, *[60] * 7)
    # Two run, and while they do two more are prefetched.
    expected = {"active_queues": [{"name": "celery", "messages": 3}]}
    until(lambda: flower.json("/api/queues/length") == expected, "what waits is counted")


@dataclass
class Node:
    """A broker of one's own and what Flower needs to be told of it."""

    server: Server
    room: Room
    options: list[str] = field(default_factory=list)
    api: str = ""
    use_ssl: object = None


@pytest.fixture(scope="module")
def rabbit(launch_once: Launcher, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Node]:
    """A RabbitMQ node with TLS for clients and for its management API, and a virtual host "team/a"."""
    if RabbitServer.missing():
        pytest.skip(RabbitServer.missing())
    folder = tmp_path_factory.mktemp("rabbit")
    certificate, key = folder / "cert.pem", folder / "key.pem"
    make = "openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=localhost -addext subjectAltName=DNS:localhost"
    subprocess.run([*make.split(), "-keyout", str(key), "-out", str(certificate)], check=True, capture_output=True)
    tls, api, secure = free_port(), free_port(), free_port()
    files = {"cacertfile": str(certificate), "certfile": str(certificate), "keyfile": str(key)}
    settings = {
        "listeners.ssl.local": f"127.0.0.1:{tls}",
        **{f"ssl_options.{name}": file for name, file in files.items()},
        "ssl_options.verify": "verify_none",
        "management.tcp.ip": "127.0.0.1",
        "management.tcp.port": str(api),
        "management.ssl.ip": "127.0.0.1",
        "management.ssl.port": str(secure),
        **{f"management.ssl.{name}": file for name, file in files.items()},
    }
    server = RabbitServer(launch_once, folder, "rabbitmq_management", settings)
    try:
        server.start()
        until(lambda: answers(secure) and answers(api), "the management API listens", 60)
        call(api, "vhosts/team%2Fa")
        call(api, "users/ann%40shop%2Fa", password="p@s/s:w", tags="monitoring")
        call(api, "permissions/team%2Fa/ann%40shop%2Fa", configure=".*", write=".*", read=".*")
        url = f"amqps://ann%40shop%2Fa:{quote('p@s/s:w', safe='')}@localhost:{tls}/team%2Fa"
        use_ssl = {"ca_certs": str(certificate), "cert_reqs": int(ssl.CERT_REQUIRED), "server_hostname": "localhost"}
        (folder / "flowerconfig.py").write_text(f"broker_use_ssl = {use_ssl!r}\n")
        options = [f"--broker-api=https://localhost:{secure}/api", f"--conf={folder / 'flowerconfig.py'}"]
        yield Node(server, Room(url, "cache+memory://"), options, f"http://localhost:{api}", use_ssl)
    finally:
        server.close()


def call(port: int, path: str, **values: str) -> None:
    answer = httpx.put(f"http://127.0.0.1:{port}/api/{path}", json=values, auth=("guest", "guest"), timeout=10)
    assert answer.status_code in (201, 204), answer.text


def test_everything_of_an_encrypted_broker_is_encrypted(launch: Launcher, rabbit: Node) -> None:
    """S39: user, password and virtual host with odd characters; the certificates are checked on both ways."""
    send(rabbit.room, 0, use_ssl=rabbit.use_ssl)

    def counted(flower: RunningFlower) -> Any:
        response = flower.get("/api/queues/length")
        rows = response.json()["active_queues"] if response.status_code == 200 else []
        return rows and rows[0].get("messages") == 1 and rows

    flower = launch.flower(rabbit.room, *rabbit.options)
    (row,) = until(lambda: counted(flower), "the message is counted", 20)
    assert (row["name"], row["vhost"]) == ("celery", "team/a")
    assert "p@s" not in flower.process.output()
    assert flower.process.stop() == 0

    untrusting = launch.flower(rabbit.room, *rabbit.options[:1])
    assert untrusting.get("/api/queues/length").status_code == 503
    assert untrusting.process.stop() == 0


@pytest.fixture(params=["redis", "rabbit"])
def node(request: pytest.FixtureRequest, launch: Launcher, tmp_path: Path) -> Iterator[Node]:
    if request.param == "rabbit":
        yield request.getfixturevalue("rabbit")
        return
    if RedisServer.missing():
        pytest.skip(RedisServer.missing())
    server = RedisServer(launch, tmp_path)
    server.start()
    yield Node(server, server.room)


def ask(flower: RunningFlower) -> httpx.Response:
    asked = time.monotonic()
    response = flower.get("/api/queues/length")
    assert time.monotonic() - asked <= 5
    if response.status_code == 200 and "stale" in response.json():
        assert response.json()["age"] > 0
        assert response.json()["error"]
    return response


def is_fresh(response: httpx.Response) -> bool:
    return response.status_code == 200 and "stale" not in response.json()


def test_in_every_outage_there_is_an_answer_soon_that_says_how_old_it_is(launch: Launcher, node: Node) -> None:
    """R19, R20"""
    send(node.room, 0, use_ssl=node.use_ssl)
    flower = launch.flower(node.room, *node.options)
    until(lambda: names(flower) == ["celery"] and is_fresh(ask(flower)), "the queue is listed", 20)
    node.server.hang()
    try:
        end = time.monotonic() + 8
        seen = []
        while time.monotonic() < end:
            seen.append(ask(flower))
        assert seen[-1].json()["stale"] is True
        assert seen[-1].json()["active_queues"][0]["name"] == "celery"
    finally:
        node.server.resume()
    until(lambda: is_fresh(ask(flower)), "it is fresh again", 2)

    node.server.kill()
    until(lambda: not is_fresh(ask(flower)), "it is said to be old", 3)
    assert ask(flower).json()["stale"] is True
    node.server.start()
    if node.api:
        until(lambda: answers(int(node.api.rpartition(":")[2])), "the management API listens", 60)
    until(lambda: is_fresh(ask(flower)), "it is fresh again", 10 if node.api else 2)
    assert flower.process.stop() == 0


def test_a_broker_that_never_was_there_is_a_503(launch: Launcher) -> None:
    for scheme in ("redis", "amqp"):
        flower = launch.flower(Room(f"{scheme}://127.0.0.1:{free_port()}/", "cache+memory://"), *_elsewhere(scheme))
        assert ask(flower).status_code == 503
        assert flower.process.stop() == 0


def _elsewhere(scheme: str) -> list[str]:
    return [f"--broker-api=http://127.0.0.1:{free_port()}/api/"] if scheme == "amqp" else []


def test_a_database_that_is_no_number_stops_the_start_in_words(launch: Launcher) -> None:
    code, output = launch.run("-b", "redis://:canary@127.0.0.1:6379/abc", "flower", "--port=0")
    assert code == 2
    assert "database" in output
    assert "number" in output
    assert "Traceback" not in output
    assert "canary" not in output
