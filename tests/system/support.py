"""Real processes for system tests: workers, Flower itself, and rooms of their own in real brokers."""

# mypy: allow-untyped-calls
# kombu is annotated in part.

from __future__ import annotations

import contextlib
import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
from celery import Celery
from celery.events.event import get_exchange
from kombu.connection import Connection
from kombu.messaging import Producer

ROOT = Path(__file__).resolve().parents[2]
BIN = Path(sys.executable).parent
DEADLINE = 30.0


def until(condition: Callable[[], Any], what: str, seconds: float = DEADLINE) -> Any:
    """Return the condition's first true value; fail with `what` when there is none in time."""
    deadline = time.monotonic() + seconds
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {seconds} s: {what}")
        time.sleep(0.05)


@dataclass
class Process:
    """A child process whose output goes to a file."""

    popen: subprocess.Popen[bytes]
    log: Path

    def output(self) -> str:
        return self.log.read_text(errors="replace")

    def memory(self) -> int:
        """Return the resident memory in bytes."""
        lines = Path(f"/proc/{self.popen.pid}/status").read_text().splitlines()
        return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("VmRSS:"))

    def stop(self, number: int = signal.SIGTERM, seconds: float = 15.0) -> int:
        """Signal the process and return its exit code."""
        if self.popen.poll() is None:
            self.popen.send_signal(number)
        try:
            return self.popen.wait(seconds)
        except subprocess.TimeoutExpired:
            self.popen.kill()
            raise AssertionError(f"did not end within {seconds} s:\n{self.output()}") from None


@dataclass
class RunningFlower:
    """A Flower that listens."""

    process: Process
    url: str
    client: httpx.Client = field(repr=False)

    def get(self, path: str, **more: Any) -> httpx.Response:
        return self.client.get(path, **more)

    def json(self, path: str, **more: Any) -> Any:
        """Return the parsed answer of a GET that must be 200 and strict JSON."""
        response = self.client.get(path, **more)
        assert response.status_code == 200, (path, response.status_code, response.text[:500])
        return json.loads(response.content, parse_constant=_refuse)


@dataclass
class Room:
    """A broker of one's own: nothing of another test is in it."""

    url: str
    backend: str

    @property
    def environment(self) -> dict[str, str]:
        return {"CELERY_BROKER_URL": self.url, "CELERY_RESULT_BACKEND": self.backend}

    def app(self) -> Celery:
        """Return a Celery app that publishes to this broker."""
        app = Celery("tests.system.cluster", broker=self.url, backend=self.backend)
        app.conf.task_send_sent_event = True
        return app


class Publisher:
    """Sends event messages as anybody with access to the broker could, past Celery's own dispatcher."""

    def __init__(self, room: Room) -> None:
        self._connection: Any = Connection(room.url, connect_timeout=5)

    def __enter__(self) -> Publisher:
        self._channel = self._connection.channel()
        self._exchange = get_exchange(self._connection)
        self._producer: Any = Producer(self._channel, self._exchange)
        return self

    def __exit__(self, *error: object) -> None:
        self._connection.release()

    def send(self, payload: Any) -> None:
        """Send as JSON as Python writes it: NaN, huge numbers and lone surrogates included."""
        self.send_bytes(json.dumps(payload).encode(), "application/json", "utf-8")

    def send_bytes(self, body: bytes, content_type: str, charset: str) -> None:
        """Send any bytes."""
        self._producer.publish(
            body, routing_key="task.received", content_type=content_type, content_encoding=charset, retry=False
        )

    def send_envelopes(self) -> None:
        """Send what is not even a message, where the transport has an envelope of its own."""
        if self._connection.transport.driver_type != "redis":
            return
        channel = self._channel
        topic = channel._get_publish_topic(self._exchange.name, "task.received")
        for envelope in (b"\xff", b"not JSON", b"5", b"null", b"[]", b"{}", b'{"body": 5, "properties": 5}'):
            channel.client.publish(topic, envelope)


class Launcher:
    """Starts processes, and ends every one of them."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._processes: list[Process] = []
        self._clients: list[httpx.Client] = []

    def start(self, words: Sequence[str], environment: Mapping[str, str] | None = None, cwd: Path = ROOT) -> Process:
        """Start a program in a process group of its own."""
        log = self._folder / f"{len(self._processes)}.log"
        clean = {name: value for name, value in os.environ.items() if not name.startswith(("FLOWER_", "CELERY_"))}
        with log.open("wb") as sink:
            popen = subprocess.Popen(
                list(words),
                cwd=cwd,
                env={**clean, "PYTHONUNBUFFERED": "1", **(environment or {})},
                stdout=sink,
                stderr=subprocess.STDOUT,
                stdin=subprocess.DEVNULL,
                start_new_session=True,
            )
        process = Process(popen, log)
        self._processes.append(process)
        return process

    def worker(self, room: Room, name: str = "w1", *more: str) -> Process:
        """Start a worker of the cluster app and wait until it is ready."""
        words = [str(BIN / "celery"), "-A", "tests.system.cluster", "worker", "-E", "-n", f"{name}@test", "-c", "2"]
        process = self.start([*words, "-l", "INFO", *more], room.environment)
        until(lambda: "ready." in process.output(), "the worker is ready")
        return process

    def flower(
        self,
        room: Room | None,
        *options: str,
        celery: Sequence[str] = (),
        env: Mapping[str, str] | None = None,
        cwd: Path = ROOT,
        program: Path = BIN / "celery",
    ) -> RunningFlower:
        """Start Flower on a free port, with the API open, and wait until it listens."""
        words = [str(program), "-A", "tests.system.cluster", *celery, "flower", "--port=0", *options]
        environment = {"FLOWER_UNAUTHENTICATED_API": "1", **(room.environment if room else {}), **(env or {})}
        if cwd != ROOT:
            environment["PYTHONPATH"] = str(ROOT)
        process = self.start(words, environment, cwd)

        def visit() -> str | None:
            assert process.popen.poll() is None, process.output()
            found = re.search(r"Visit me at (https?://\S+)", process.output())
            return found.group(1) if found else None

        url = until(visit, "Flower listens").replace("0.0.0.0", "127.0.0.1").rstrip("/")
        client = httpx.Client(base_url=url, timeout=20, verify=False)
        self._clients.append(client)
        return RunningFlower(process, url, client)

    def run(self, *words: str, env: Mapping[str, str] | None = None, seconds: float = 20.0) -> tuple[int, str]:
        """Run `celery …` to its end and return (exit code, output)."""
        process = self.start([str(BIN / "celery"), *words], env)
        try:
            return process.popen.wait(seconds), process.output()
        except subprocess.TimeoutExpired:
            raise AssertionError(f"still running:\n{process.output()}") from None

    def close(self) -> None:
        """End everything that was started."""
        for client in self._clients:
            client.close()
        for process in reversed(self._processes):
            if process.popen.poll() is None:
                process.popen.terminate()
        for process in self._processes:
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.popen.wait(5)
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.popen.pid, signal.SIGKILL)
            process.popen.wait(5)


def rabbitmqctl(*words: str) -> None:
    """Run RabbitMQ's own tool."""
    subprocess.run(["rabbitmqctl", "-q", *words], check=True, capture_output=True, timeout=60)


def _refuse(name: str) -> None:
    raise AssertionError(f"{name} is not JSON")
