"""S35: secrets are nowhere to be read, at any level of the log, whatever goes wrong."""

from __future__ import annotations

import base64
import re
import socket
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest
from docs import declared_options
from tests.system.servers import RedisServer, free_port
from tests.system.support import BIN, Launcher, Process, Room, until

pytestmark = pytest.mark.system

MARK = "canary"
SECRETS: Mapping[str, str] = {
    "basic_auth": "ann:canary-basic-17b1",
    "broker_api": "http://guest:canary-api-17b1@127.0.0.1:{closed}/api/",
    "cookie_secret": "canary-cookie-17b1-of-more-than-thirty-two-characters",
    "metrics_token": "canary-metrics-17b1",
}
"""A value for every secret option that can be set beside the others."""
ALONE = {"oauth2_secret"}
"""Those that stop the start by themselves."""
HASHED = "canary-hashed-17b1"
BROKER = "canary-broker-17b1"
WRONG = "canary-wrong-17b1"
LEVELS = ("--debug", "--logging=debug", "--logging=info", "--logging=warning", "--logging=error", "--logging=none")
CRASHING = """
from flower_plugins import Route
from flower_plugins.web import Handler

class Crash(Handler):
    def get(self):
        raise RuntimeError("on purpose")

def flower_routes(host):
    return [Route("/crash", Crash, "read", "page", "crash"), Route("/api/crash", Crash, "read", "api", "crash")]
"""


def test_every_secret_option_is_tried() -> None:
    """A new one has to be added here."""
    declared = {option.name for _, option in declared_options() if option.secret}
    assert declared == SECRETS.keys() | ALONE


ANN = ("ann", "canary-basic-17b1")
BOB = ("bob", HASHED)
CREDENTIALS = (ANN, BOB, ("ann", WRONG))


@dataclass
class Guarded:
    """A Flower full of secrets, and everything it was made to say."""

    process: Process
    client: httpx.Client
    users: Path
    heard: dict[str, str] = field(default_factory=dict)

    def __enter__(self) -> Guarded:
        return self

    def __exit__(self, *error: object) -> None:
        self.client.close()

    def get(self, path: str, *credentials: str, **headers: str) -> int:
        """Read as somebody or as nobody; keep the answer, headers included, and return its status."""
        return self.hear("GET", path, auth=credentials or None, headers=headers)

    def hear(self, method: str, path: str, **how: Any) -> int:
        response = self.client.request(method, path, **how)
        head = "\n".join(f"{name}: {value}" for name, value in response.headers.items())
        self.heard[f"{method} {path} {len(self.heard)}"] = f"{head}\n\n{response.text}"
        return response.status_code

    def leaks(self) -> list[str]:
        """Return where a secret can be read, plain, hashed, or as a browser would send it."""
        hashes = [line.rpartition("$")[2] for line in self.users.read_text().splitlines()]
        words = [MARK, *hashes, *(base64.b64encode(":".join(each).encode()).decode() for each in CREDENTIALS)]
        everything = {**self.heard, "the log": self.process.output()}
        return [
            f"{word} in {what}: {text[max(0, text.index(word) - 200) :][:400]}"
            for what, text in everything.items()
            for word in words
            if word in text
        ]


@dataclass
class Secrets:
    """How Flower is started with them."""

    folder: Path
    closed: int

    def environment(self, broker: str) -> dict[str, str]:
        values = {name: value.format(closed=self.closed) for name, value in SECRETS.items()}
        return {
            **{f"FLOWER_{name.upper()}": value for name, value in values.items()},
            "FLOWER_BASIC_AUTH_FILE": str(self.folder / "users"),
            "CELERY_BROKER_URL": broker,
            "CELERY_RESULT_BACKEND": f"redis://:{BROKER}@127.0.0.1:{self.closed}/0",
        }

    def words(self, *options: str) -> list[str]:
        crash = f"--conf={self.folder / 'crash.py'}"
        return [
            "-A",
            "tests.system.cluster",
            "flower",
            "--address=127.0.0.1",
            "--metrics_auth=token",
            crash,
            *options,
        ]

    def start(self, launch: Launcher, broker: str, *options: str) -> Guarded:
        port = free_port()
        words = [str(BIN / "celery"), *self.words(f"--port={port}", *options)]
        process = launch.start(words, self.environment(broker))
        client = httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=20)

        def answers() -> bool:
            assert process.popen.poll() is None, process.output()
            try:
                return client.get("/healthcheck").status_code == 200
            except httpx.TransportError:
                return False

        until(answers, "Flower answers")
        return Guarded(process, client, self.folder / "users")


@pytest.fixture(scope="module")
def secrets(tmp_path_factory: pytest.TempPathFactory) -> Secrets:
    folder = tmp_path_factory.mktemp("secrets")
    made = subprocess.run(
        [sys.executable, "-m", "flower_auth_basic", "bob"], input=HASHED, capture_output=True, text=True, check=True
    )
    (folder / "users").write_text(made.stdout)
    (folder / "crash.py").write_text(CRASHING)
    return Secrets(folder, free_port())


@pytest.fixture(scope="module")
def shop(launch_once: Launcher, tmp_path_factory: pytest.TempPathFactory) -> Room:
    """Return a broker behind a password, with a worker that knows it."""
    if RedisServer.missing():
        pytest.skip(RedisServer.missing())
    server = RedisServer(launch_once, tmp_path_factory.mktemp("redis"), password=BROKER)
    server.start()
    launch_once.worker(server.room)
    return server.room


def visit_everything(guarded: Guarded) -> None:
    """Read every page and every route of the API, of things that are there and of things that are not."""
    paths = guarded.client.get("/api/openapi.json", auth=ANN).json()["paths"]
    assert len(paths) > 30
    pages = ["/", "/workers", "/tasks", "/broker", "/plugins", "/worker/w1@test", "/worker/x", "/task/x", "/api/docs"]
    reads = [re.sub(r"\{[^}]+\}", name, path) for path in paths for name in ("w1@test", "x") if "get" in paths[path]]
    for path in [*pages, *reads, "/api/workers?refresh=1"]:
        if "stream" not in path:
            guarded.get(path, *ANN)


def force_errors(guarded: Guarded) -> set[int]:
    """Be answered every error there is, with credentials right, wrong and absent. Return the statuses."""
    statuses = set()
    for path in ("/crash", "/api/crash", "/nowhere", "/api/nowhere", "/static/../x", "/api/tasks?limit=x"):
        statuses |= {guarded.get(path, *ANN), guarded.get(path), guarded.get(path, *BOB)}
    encoded = base64.b64encode(WRONG.encode()).decode()
    for path in ("/api/workers", "/crash", "/workers", "/metrics"):
        for header in (f"Bearer {WRONG}", f"Basic {WRONG}", WRONG, f"Basic {encoded}"):
            statuses.add(guarded.get(path, Authorization=header))
    statuses.add(guarded.get("/metrics", Authorization=f"Bearer {SECRETS['metrics_token']}"))
    for path, body in [
        ("/api/task/apply/no.such", "{"),
        ("/api/task/async-apply/no.such", '{"args": []}'),
        ("/api/task/revoke/x", "x" * 2_000_000),
        ("/api/worker/shutdown/nobody@test", ""),
        ("/crash", ""),
    ]:
        for headers in ({}, {"Origin": "http://evil.example"}):
            statuses.add(guarded.hear("POST", path, content=body, headers=headers, auth=ANN))
    malformed(guarded.client, f"Authorization Basic {encoded}")
    malformed(guarded.client, f"Authorization: Basic {WRONG}\x00")
    return statuses | {guarded.get("/api/tasks", "ann", WRONG) for _ in range(11)}


def malformed(client: httpx.Client, line: str) -> None:
    """Send what is not HTTP."""
    with socket.create_connection((client.base_url.host, client.base_url.port), 5) as raw:
        raw.settimeout(5)
        raw.sendall(f"GET /workers HTTP/1.1\r\nHost: localhost\r\n{line}\r\nConnection: close\r\n\r\n".encode())
        while raw.recv(4096):
            pass


@pytest.mark.parametrize("level", LEVELS)
def test_no_secret_gets_out_at_any_level_of_the_log(launch: Launcher, shop: Room, secrets: Secrets, level: str) -> None:
    with secrets.start(launch, shop.url, level) as guarded:
        workers = "/api/workers?refresh=1"
        until(lambda: "w1@test" in guarded.client.get(workers, auth=ANN).text, "the worker is known")
        if level in ("--debug", "--logging=info"):  # what the others log is part of what these do
            visit_everything(guarded)
        assert force_errors(guarded) >= {200, 400, 401, 403, 404, 405, 413, 429, 500}
        guarded.process.stop()
        assert guarded.leaks() == []
        if level == "--debug":
            assert "on purpose" in guarded.process.output(), "the errors are in the log"


@pytest.fixture(params=["dead", "refusing"])
def bad_broker(request: pytest.FixtureRequest, need_service: Callable[[str], str], secrets: Secrets) -> str:
    """Return the URL of a RabbitMQ that is not there, or that does not know this password."""
    port = httpx.URL(need_service("rabbitmq")).port or 5672 if request.param == "refusing" else secrets.closed
    return f"amqp://guest:{BROKER}@127.0.0.1:{port}//"


def test_no_secret_gets_out_when_the_broker_is_broken(launch: Launcher, secrets: Secrets, bad_broker: str) -> None:
    with secrets.start(launch, bad_broker, "--debug") as guarded:
        until(lambda: "No events arrive" in guarded.client.get("/workers", auth=ANN).text, "the loss is noticed")
        visit_everything(guarded)
        assert force_errors(guarded) >= {200, 400, 401, 403, 404, 405, 413, 429, 500}
        guarded.process.stop()
        assert guarded.leaks() == []
        assert "guest:**@127.0.0.1" in guarded.process.output()


@pytest.mark.parametrize(
    "command", ["--check", "--check=json", "--check=deploy", "--plugins", "--plugins=json", "--help", "--version"]
)
def test_no_secret_gets_out_of_a_command(launch: Launcher, secrets: Secrets, command: str) -> None:
    broker = f"redis://:{BROKER}@127.0.0.1:{secrets.closed}/0"
    code, output = launch.run(*secrets.words(command), env=secrets.environment(broker))
    assert code == (1 if command == "--check=deploy" else 0), output
    assert MARK not in output
    assert output.strip()


@pytest.mark.parametrize(
    ("options", "environment"),
    [
        ([], {"FLOWER_OAUTH2_SECRET": "canary"}),
        ([], {"FLOWER_COOKIE_SECRET": "canary", "FLOWER_COOKIE_SECRET_FILE": "/none"}),
        ([], {"FLOWER_BASIC_AUTH": "canary"}),
        ([], {"FLOWER_BASIC_AUTH": ":canary"}),
        ([], {"FLOWER_BROKER_API": "ftp://guest:canary@127.0.0.1"}),
        ([], {"FLOWER_METRICS_TOKEN": "canary"}),
        ([], {"FLOWER_METRICS_TOKEN": "canary-of-enough-characters"}),
        (["--basic_auht=ann:canary"], {}),
        (["--basic_auth=canary"], {}),
        (["--metrics-token=canary"], {}),
        (["--port=x", "--cookie_secret=canary"], {}),
        (["ann:canary"], {}),
        (["--broker=redis://:canary@127.0.0.1:x/0"], {}),
    ],
)
def test_a_refused_start_does_not_quote_the_secret(
    launch: Launcher, options: Sequence[str], environment: Mapping[str, str]
) -> None:
    code, output = launch.run("flower", *options, env=environment)
    assert code == 2 or "--broker=" in options[0], output
    assert MARK not in output
    assert "Traceback" not in output


def test_settings_in_the_debug_log_are_masked(launch: Launcher, secrets: Secrets) -> None:
    """What is there to be read says that a secret is set, and not which."""
    with secrets.start(launch, f"redis://:{BROKER}@127.0.0.1:{secrets.closed}/0", "--debug") as guarded:
        until(lambda: "Settings: {" in guarded.process.output(), "the settings are logged")
        line = next(each for each in guarded.process.output().splitlines() if "Settings: {" in each)
        for name in SECRETS:
            assert f"'{name}': '***'" in line
        assert guarded.leaks() == []
