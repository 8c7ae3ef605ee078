"""Redis servers: the one that runs, and private ones to stop and to break."""

# mypy: allow-untyped-calls
# celery is annotated in part.

from __future__ import annotations

import asyncio
import logging
import random
import shutil
import socket
import subprocess
import time
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
import redis
from celery import Celery

from flower_broker_redis.events import RedisEventSource
from flower_plugins import Broker, Messages, OfferContext
from flower_plugins.testing import FakeSettings


@pytest.fixture
def database() -> Iterator[tuple[str, redis.Redis]]:
    """URL of a database of the running Redis and a client for it; the keys a test makes are removed."""
    number = random.randint(12, 15)
    client = redis.Redis(db=number, socket_connect_timeout=1)
    try:
        client.ping()
    except redis.exceptions.RedisError:
        pytest.skip("Redis is not running: install redis-server and start it on 127.0.0.1:6379")
    before = set(client.scan_iter())
    yield f"redis://127.0.0.1:6379/{number}", client
    made = [key for key in client.scan_iter() if key not in before and b"flower-test" in key]
    if made:
        client.delete(*made)
    client.close()


@pytest.fixture
def start_redis(tmp_path: Path) -> Iterator[Callable[..., tuple[int, subprocess.Popen[bytes]]]]:
    """Start a private redis-server with more arguments; returns its port and process."""
    binary = shutil.which("redis-server")
    if binary is None:
        pytest.skip("redis-server is not there: install redis-server")
    running: list[subprocess.Popen[bytes]] = []

    def start(*arguments: str, port: int = 0) -> tuple[int, subprocess.Popen[bytes]]:
        port = port or free_port()
        command = [binary, *arguments, "--port", str(port), "--dir", str(tmp_path)]
        if "--bind" not in arguments:
            command += ["--bind", "127.0.0.1"]
        if "--sentinel" not in arguments:
            command += ["--save", "", "--appendonly", "no"]
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        running.append(process)
        wait_for(lambda: can_connect(port))
        return port, process

    yield start
    for process in running:
        process.kill()
        process.wait()


@pytest.fixture
def unused_port() -> Callable[[], int]:
    """Return free ports of the loopback."""
    return free_port


def free_port() -> int:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return int(sock.getsockname()[1])


def can_connect(port: int) -> bool:
    with socket.socket() as sock:
        sock.settimeout(0.2)
        return sock.connect_ex(("127.0.0.1", port)) == 0


def wait_for(condition: Callable[[], bool], seconds: float = 10) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "did not happen in time"
        time.sleep(0.02)


class Watcher:
    """A pump that notes what it is given."""

    def __init__(self) -> None:
        self.batches: list[Messages] = []
        self.connections = 0
        self.detail: Mapping[str, str] = {}

    @property
    def bodies(self) -> list[Any]:
        return [body for batch in self.batches for body in batch.bodies]

    def offer(self, batch: Messages) -> None:
        self.batches.extend(batch.unwrapped())

    def connected(self, detail: Mapping[str, str] | None = None) -> None:
        self.connections += 1
        self.detail = detail or {}

    def lost(self, reason: str) -> None:
        raise AssertionError(f"it is the supervisor who says that events are lost: {reason}")


class Exchange:
    """Event and control exchanges that only this test uses, and everything that sends to or reads from them."""

    def __init__(self, url: str, use_ssl: object = None, **transport_options: object) -> None:
        own = uuid.uuid4().hex[:12]
        self.event_options = {"event_exchange": f"flower-test-{own}", "control_exchange": f"flower-test-c-{own}"}
        self.app = Celery("test", broker=url, set_as_current=False)
        self.app.conf.update(
            self.event_options,
            broker_transport_options=transport_options,
            broker_use_ssl=use_ssl,
            event_queue_prefix=f"flower-test-{own}",
        )
        self.broker = Broker(url, url.partition("://")[0], "", dict(transport_options), use_ssl, self.event_options)

    def source(self) -> RedisEventSource:
        return RedisEventSource(OfferContext(FakeSettings(), self.broker, logging.getLogger("flower.test")))

    def send(self, number: int, **fields: object) -> None:
        """Send events the way a worker does; their clocks count from 1."""
        with self.app.connection_for_write() as connection:
            dispatcher = self.app.events.Dispatcher(connection, hostname="celery@test")
            for n in range(number):
                dispatcher.send("task-received", uuid=f"u-{n}", **fields)

    @asynccontextmanager
    async def watched(self) -> AsyncIterator[tuple[Watcher, asyncio.Task[None]]]:
        """Run a source until the block ends; give its pump once it is connected."""
        watcher = Watcher()
        run = asyncio.ensure_future(self.source().run(watcher))
        try:
            await until(lambda: watcher.connections == 1 or run.done())
            if run.done():
                run.result()
            yield watcher, run
        finally:
            run.cancel()
            begun = time.monotonic()
            await asyncio.wait({run})
            assert time.monotonic() - begun < 1.0
            # Left over tasks and sockets would show up as warnings, which are errors.
            assert asyncio.all_tasks() == {asyncio.current_task()}


async def until(condition: Callable[[], bool], seconds: float = 15.0) -> float:
    """Wait for the condition; return how many seconds that took."""
    begun = time.monotonic()
    while not condition():
        assert time.monotonic() - begun < seconds, "did not happen in time"
        await asyncio.sleep(0.005)
    return time.monotonic() - begun


@pytest.fixture
def make_exchange() -> type[Exchange]:
    """Return the class of exchanges."""
    return Exchange


@pytest.fixture
def wait_until() -> Callable[..., Awaitable[float]]:
    """Return the function that polls on the loop."""
    return until


@pytest.fixture
def certificate(tmp_path: Path) -> tuple[Path, Path]:
    """Files of a certificate for localhost, signed by itself, and of its key."""
    certificate, key = tmp_path / "cert.pem", tmp_path / "key.pem"
    make = "openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=localhost -addext subjectAltName=DNS:localhost"
    subprocess.run([*make.split(), "-keyout", str(key), "-out", str(certificate)], check=True, capture_output=True)
    return certificate, key
