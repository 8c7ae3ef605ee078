"""Redis servers: the one that runs, and private ones to stop and to break."""

from __future__ import annotations

import random
import shutil
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import redis


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

    def start(*arguments: str) -> tuple[int, subprocess.Popen[bytes]]:
        port = free_port()
        command = [binary, *arguments, "--port", str(port), "--bind", "127.0.0.1", "--dir", str(tmp_path)]
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
