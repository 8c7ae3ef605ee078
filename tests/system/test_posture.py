"""What a stranger on the network, a typo and a half-finished configuration meet."""

from __future__ import annotations

import json
import re
import socket
import ssl
import subprocess
from pathlib import Path

import httpx
import pytest
from tests.system.support import BIN, Launcher, Room, RunningFlower, until

pytestmark = pytest.mark.system

NO_CONTAINER = "--address=127.0.0.1"


def test_without_login_only_this_machine_gets_in(launch: Launcher, redis_room: Room) -> None:
    """S01: in a container, where loopback would reach nobody, the start says what is open instead."""
    flower = launch.flower(redis_room, env={"FLOWER_UNAUTHENTICATED_API": "0"})
    output = flower.process.output()
    port = int(flower.url.rpartition(":")[2])
    bound = listening(port)
    announced = {found.group(1).strip("[]") for found in re.finditer(r"Visit me at http://(\S+):\d+", output)}
    assert announced == bound
    if bound <= {"127.0.0.1", "::1"}:
        assert "basic_auth" not in output
    else:
        warned(flower)


def test_an_open_address_is_warned_of_everywhere(launch: Launcher, redis_room: Room) -> None:
    """S02"""
    flower = launch.flower(redis_room, "--address=0.0.0.0", env={"FLOWER_UNAUTHENTICATED_API": "0"})
    warned(flower)
    assert flower.client.post("/worker/w1@test/shutdown", headers={"Sec-Fetch-Site": "same-origin"}).status_code == 403


def warned(flower: RunningFlower) -> None:
    assert "--basic_auth=user:password" in flower.process.output()
    assert "--basic_auth=user:password" in flower.get("/workers").text
    assert 'flower_insecure_config{reason="no_auth"} 1.0' in flower.get("/metrics").text
    assert flower.get("/api/tasks").status_code == 401


def listening(port: int) -> set[str]:
    """Return the addresses that something listens on at a port, as the kernel has them."""
    lines = subprocess.run(["ss", "-ltnH", f"sport = :{port}"], capture_output=True, text=True, check=True).stdout
    return {line.split()[3].rpartition(":")[0].strip("[]").replace("*", "::") for line in lines.splitlines()}


def test_basic_auth_closes_everything_but_the_probes(launch: Launcher, redis_room: Room) -> None:
    flower = launch.flower(redis_room, "--basic_auth=ann:pa:ss,bob:wört")
    for path in (
        "/",
        "/tasks",
        "/api/tasks",
        "/tasks/datatable",
        "/plugins",
        "/workers?json=1",
        "/stream?topics=tasks",
    ):
        refused = flower.get(path)
        assert refused.status_code == 401, path
        assert refused.headers["WWW-Authenticate"] == 'Basic realm="flower"'
    assert flower.get("/healthcheck").text == "OK"
    assert flower.get("/metrics").status_code == 200
    for user, password, status in [("ann", "pa:ss", 200), ("bob", "wört", 200), ("bob", "wort", 401), ("", "", 401)]:
        assert flower.get("/api/tasks", auth=(user, password.encode())).status_code == status
    assert "pa:ss" not in flower.process.output()


@pytest.mark.parametrize(
    ("options", "environment", "words"),
    [
        (["--basic_auht=a:b"], {}, ["basic_auht", "basic_auth"]),
        (["--basic_auth="], {}, ["basic_auth"]),
        (["--port=abc"], {}, ["port", "abc", "command line"]),
        ([], {"FLOWER_PORT": "abc"}, ["FLOWER_PORT", "abc"]),
        ([], {"FLOWER_BASIC_AUHT": "a:b"}, ["FLOWER_BASIC_AUHT", "FLOWER_BASIC_AUTH"]),
        ([], {"FLOWER_UNAUTHENTICATED_API": "maybe"}, ["FLOWER_UNAUTHENTICATED_API", "maybe"]),
        (["--auth=.*@example.com"], {}, ["Google"]),
        (["--auth_provider=flower.views.auth.GoogleAuth2LoginHandler"], {}, ["Google"]),
        (["--auth_provider=nobody"], {}, ["nobody"]),
        (["--event_source=pigeon"], {}, ["pigeon", "kombu"]),
        (["--disable-plugin=nope"], {}, ["nope"]),
        (["--certfile=x.pem"], {}, ["certfile", "keyfile"]),
        (["--address=203.0.113.77"], {}, ["203.0.113.77", "--address"]),
        (["--conf=/no/such/file.py"], {}, ["/no/such/file.py"]),
        (["stray"], {}, ["stray"]),
        (["--debug=perhaps"], {}, ["debug", "perhaps"]),
    ],
)
def test_what_cannot_be_honoured_stops_the_start_with_one_sentence(
    launch: Launcher, options: list[str], environment: dict[str, str], words: list[str]
) -> None:
    """S54"""
    code, output = launch.run("flower", *options, env=environment)
    assert code == 2, output
    assert "Traceback" not in output
    (line,) = output.strip().splitlines()
    assert line.startswith("flower: ")
    for word in words:
        assert word in line


def test_a_check_tells_what_the_start_would_and_starts_nothing(launch: Launcher, redis_room: Room) -> None:
    """Posture 3: gauge, log and `--check` agree."""
    words = ["flower", "--address=0.0.0.0", "--port=0", "--basic_auth=ann:canary"]
    code, text = launch.run(*words, "--check")
    assert code == 0
    assert "Visit me" not in text
    code, text = launch.run(*words, "--check=json")
    found = json.loads(text)
    reasons = [each["reason"] for each in found["insecure"]]
    assert (code, reasons, found["login"]) == (0, ["no_tls", "secret_on_command_line"], ["basic"])
    assert launch.run(*words, "--check=deploy")[0] == 1
    safe = ["flower", NO_CONTAINER, "--check=deploy"]
    assert launch.run(*safe, env={"FLOWER_BASIC_AUTH": "ann:canary"})[0] == 0
    flower = launch.flower(redis_room, *words[1:])
    line = f"Not safe: {', '.join(reasons)}."
    until(lambda: line in flower.process.output(), "the log says the same")
    metrics = flower.get("/metrics").text
    assert re.findall(r'flower_insecure_config\{reason="(\w+)"\} 1.0', metrics) == reasons
    assert "canary" not in text + flower.process.output() + metrics


def test_celery_options_after_flower_are_applied(launch: Launcher, redis_room: Room) -> None:
    words = ["flower", "-A", "tests.system.cluster", f"--broker={redis_room.url}", "--port=0", NO_CONTAINER]
    process = launch.start([str(BIN / "celery"), *words], {"FLOWER_UNAUTHENTICATED_API": "1"})
    until(lambda: "Event stream connected" in process.output(), "events flow")
    assert "tests.system.cluster.add" in process.output()
    assert process.stop() == 0


def test_the_console_script_equals_the_celery_command(launch: Launcher) -> None:
    process = launch.start([str(BIN / "flower"), "--help"])
    assert process.popen.wait(20) == 0
    for option in ("--port", "--basic_auth", "--max_tasks", "--tasks_columns", "--persistent", "--broker_api"):
        assert option in process.output()


def test_plugins_are_listed(launch: Launcher) -> None:
    code, text = launch.run("flower", "--plugins")
    assert code == 0
    assert "dashboard" in text
    code, text = launch.run("flower", "--plugins=json")
    assert {row["name"]: row["state"] for row in json.loads(text)}["api"] == "active"


def test_a_prefix_moves_every_route(launch: Launcher, redis_room: Room) -> None:
    flower = launch.flower(redis_room, "--url_prefix=/a/b/")
    assert flower.url.endswith("/a/b")
    root = flower.url.removesuffix("/a/b")
    for path in ("/a/b/", "/a/b/tasks", "/a/b/api/tasks", "/a/b/healthcheck", "/a/b/metrics"):
        assert httpx.get(root + path).status_code == 200, path
    assert httpx.get(root + "/tasks").status_code == 404
    assert httpx.get(root + "/a/b").headers["Location"] == "/a/b/"
    page = httpx.get(root + "/a/b/").text
    links = re.findall(r'(?:href|src|action)="(/[^"]*)"', page)
    assert links
    assert all(link.startswith("/a/b/") for link in links)
    asset = next(link for link in links if link.split("?")[0].endswith(".css"))
    assert httpx.get(root + asset).headers["Content-Type"].startswith("text/css")


def test_a_unix_socket_is_served_and_removed(launch: Launcher, redis_room: Room, tmp_path: Path) -> None:
    """S43"""
    path = tmp_path / "flower.sock"
    words = [str(BIN / "celery"), "flower", f"--unix_socket={path}"]
    process = launch.start(words, redis_room.environment)
    until(lambda: "Visit me via unix socket file" in process.output(), "the socket is announced")
    with httpx.Client(transport=httpx.HTTPTransport(uds=str(path)), base_url="http://localhost") as client:
        assert client.get("/healthcheck").text == "OK"
        assert client.get("/workers").status_code == 200
    assert process.stop() == 0
    assert not path.exists()


@pytest.fixture
def certificates(tmp_path: Path) -> Path:
    """Return a folder with an authority `ca.pem` and `server` and `client` certificates signed by it."""
    # What OpenSSL adds by itself is not enough for the strict reading of Python 3.13.
    (tmp_path / "extensions").write_text("authorityKeyIdentifier=keyid\nbasicConstraints=CA:FALSE\n")
    usage = "-addext keyUsage=critical,keyCertSign"
    make = [f"req -x509 -newkey rsa:2048 -nodes -keyout ca.key -out ca.pem -subj /CN=ca {usage}"]
    for name in ("server", "client"):
        make.append(f"req -newkey rsa:2048 -nodes -keyout {name}.key -out {name}.csr -subj /CN=localhost")
        signed = f"x509 -req -in {name}.csr -CA ca.pem -CAkey ca.key -CAcreateserial -extfile extensions"
        make.append(f"{signed} -out {name}.pem")
    for words in make:
        subprocess.run(["openssl", *words.split()], cwd=tmp_path, check=True, capture_output=True)
    return tmp_path


def test_tls_is_served_and_client_certificates_are_demanded(
    launch: Launcher, redis_room: Room, certificates: Path
) -> None:
    """S44, S45"""
    own = [f"--certfile={certificates}/server.pem", f"--keyfile={certificates}/server.key"]
    plain = launch.flower(redis_room, *own)
    assert plain.url.startswith("https://")
    assert plain.get("/healthcheck").text == "OK"
    strict = launch.flower(redis_room, *own, f"--ca_certs={certificates}/ca.pem")
    with pytest.raises(httpx.TransportError):
        strict.get("/healthcheck")
    context = ssl.create_default_context(cafile=str(certificates / "ca.pem"))
    context.check_hostname = False
    context.load_cert_chain(certificates / "client.pem", certificates / "client.key")
    assert httpx.get(f"{strict.url}/healthcheck", verify=context).text == "OK"


def test_the_port_can_be_anything_free(launch: Launcher, redis_room: Room) -> None:
    flower = launch.flower(redis_room, NO_CONTAINER)
    assert socket.create_connection(("127.0.0.1", int(flower.url.rpartition(":")[2])), 2).close() is None
    assert flower.process.stop() == 0
