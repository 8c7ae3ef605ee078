"""What system tests ask for: a launcher of processes, and brokers with nothing of anybody else in them."""

from __future__ import annotations

import itertools
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from tests.system.servers import RedisServer
from tests.system.support import Launcher, Room, rabbitmqctl

_redis_databases = itertools.cycle(range(1, 8))


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

    url = f"{need_service('redis').rstrip('/')}/{next(_redis_databases)}"
    with redis.Redis.from_url(url) as client:
        client.flushdb()
        yield Room(url, url)
        client.flushdb()


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
