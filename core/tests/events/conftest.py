"""Brokers for the event tests: those that run on this machine, and private ones that a test may kill."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest


def _missing(what: str) -> None:
    if os.environ.get("FLOWER_REQUIRE_SERVICES") == "1":
        pytest.fail(what)
    pytest.skip(what)


def _listens(port: int) -> bool:
    with suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1.0):
        return True
    return False


def _wait(condition: Callable[[], bool], seconds: float = 10.0) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.02)


@pytest.fixture(scope="session")
def redis_url() -> str:
    if not _listens(6379):
        _missing("no Redis at 127.0.0.1:6379: apt-get install redis-server && redis-server --daemonize yes")
    return "redis://127.0.0.1:6379/9"


@pytest.fixture(scope="session")
def rabbitmq_url() -> str:
    if not _listens(5672):
        _missing("no RabbitMQ at 127.0.0.1:5672: apt-get install rabbitmq-server && rabbitmq-server -detached")
    return "amqp://guest:guest@127.0.0.1:5672//"


class PrivateRedis:
    """A Redis of the test's own, to stop, kill and start again."""

    def __init__(self, binary: str, folder: Path) -> None:
        self._binary = binary
        self._folder = folder
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port: int = free.getsockname()[1]
        self.url = f"redis://127.0.0.1:{self.port}/0"
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        command = [self._binary, "--port", str(self.port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"]
        self._process = subprocess.Popen(command, cwd=self._folder, stdout=subprocess.DEVNULL)
        _wait(lambda: _listens(self.port))

    def kill(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def hang(self) -> None:
        assert self._process is not None
        self._process.send_signal(signal.SIGSTOP)

    def wake(self) -> None:
        assert self._process is not None
        self._process.send_signal(signal.SIGCONT)


@pytest.fixture
def private_redis(tmp_path: Path) -> Iterator[PrivateRedis]:
    binary = shutil.which("redis-server") or shutil.which("valkey-server")
    if binary is None:
        _missing("no redis-server in PATH: apt-get install redis-server")
    assert binary is not None
    server = PrivateRedis(binary, tmp_path)
    server.start()
    yield server
    server.kill()
