"""What system tests ask for: a launcher of processes, and brokers with nothing of anybody else in them."""

from __future__ import annotations

import os
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser
from tests.system.browsing import chromium
from tests.system.servers import RedisServer
from tests.system.support import Launcher, Room, rabbitmqctl, until


@pytest.fixture
def launch(tmp_path: Path) -> Iterator[Launcher]:
    launcher = Launcher(tmp_path)
    try:
        yield launcher
    finally:
        launcher.close()


@pytest.fixture(scope="module")
def launch_once(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Launcher]:
    """Start what all tests of a module share."""
    launcher = Launcher(tmp_path_factory.mktemp("processes"))
    try:
        yield launcher
    finally:
        launcher.close()


@pytest.fixture(scope="module")
def redis_room(need_service: Callable[[str], str]) -> Iterator[Room]:
    """Return an empty Redis database."""
    import redis

    server = need_service("redis").rstrip("/")
    with redis.Redis.from_url(server) as directory, claimed_database(directory) as number:
        url = f"{server}/{number}"
        with redis.Redis.from_url(url) as client:
            client.flushdb()
            yield Room(url, url)
            client.flushdb()


@contextmanager
def claimed_database(directory: Any) -> Iterator[int]:
    """Take a database that no other run of these tests is using; a claim ends with the process that made it."""

    def claim() -> int | None:
        for number in range(1, 16):
            key = f"flower-tests:{number}"
            holder = directory.get(key)
            if holder is not None and not Path(f"/proc/{int(holder)}").exists():
                directory.delete(key)
            if directory.set(key, os.getpid(), nx=True):
                return number
        return None

    number = until(claim, "a Redis database is free", seconds=120)
    try:
        yield number
    finally:
        directory.delete(f"flower-tests:{number}")


@pytest.fixture(scope="module")
def browser(need_service: Callable[[str], str]) -> Iterator[Browser]:
    """Return Chromium. Not for longer than a module: as long as it runs nothing else can have an event loop."""
    with chromium(need_service("chromium")) as running:
        yield running


@pytest.fixture
def private_redis(launch: Launcher, tmp_path: Path) -> Room:
    """Start a Redis that nobody else knows of: for workers that must not be mistaken for others."""
    if RedisServer.missing():
        pytest.skip(RedisServer.missing())
    server = RedisServer(launch, tmp_path)
    server.start()
    return server.room


@pytest.fixture(scope="module")
def quiet_room(launch_once: Launcher, tmp_path_factory: pytest.TempPathFactory) -> Room:
    """Return a Redis of one's own, for tests that count or compare: nobody else can send anything there."""
    if RedisServer.missing():
        pytest.skip(RedisServer.missing())
    server = RedisServer(launch_once, tmp_path_factory.mktemp("redis"))
    server.start()
    return server.room


@pytest.fixture(scope="module")
def rabbit_room(need_service: Callable[[str], str]) -> Iterator[Room]:
    """Return an empty vhost of the running RabbitMQ."""
    base = need_service("rabbitmq").rstrip("/")
    vhost = f"flower-{uuid.uuid4().hex[:8]}"
    rabbitmqctl("add_vhost", vhost)
    try:
        rabbitmqctl("set_permissions", "-p", vhost, "guest", ".*", ".*", ".*")
        yield Room(f"{base}/{vhost}", "rpc://")
    finally:
        rabbitmqctl("delete_vhost", vhost)
