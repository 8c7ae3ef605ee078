"""Counting messages in real Redis servers, and what is said when they are ill."""

# mypy: allow-untyped-calls
# redis is annotated in part.

from __future__ import annotations

import asyncio
import logging
import signal
import subprocess
import time
import uuid
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
import redis

from flower_broker_redis.inspector import RedisInspector
from flower_plugins import Broker, OfferContext, QueueStats, Unavailable
from flower_plugins.testing import FakeSettings

StartRedis = Callable[..., tuple[int, subprocess.Popen[bytes]]]


def inspector(url: str, use_ssl: object = None, **options: object) -> RedisInspector:
    broker = Broker(url, url.partition("://")[0], "", dict(options), use_ssl)
    return RedisInspector(OfferContext(FakeSettings(), broker, logging.getLogger("flower.test")))


def count(asked: RedisInspector, names: Sequence[str]) -> list[int | None]:
    return [row.messages for row in rows(asked, names)]


def rows(asked: RedisInspector, names: Sequence[str]) -> Sequence[QueueStats]:
    async def scenario() -> Sequence[QueueStats]:
        try:
            return await asked.queues(names)
        finally:
            await asked.close()

    return asyncio.run(scenario())


def test_an_empty_queue_has_no_messages(database: tuple[str, redis.Redis]) -> None:
    assert count(inspector(database[0]), [f"flower-test-{uuid.uuid4()}"]) == [0]


def test_prefix_separator_and_steps_are_those_of_the_transport_options(database: tuple[str, redis.Redis]) -> None:
    url, client = database
    name = f"flower-test-{uuid.uuid4()}"
    for key in (f"pre-{name}", f"pre-{name}:5", f"pre-{name}:9", name):
        client.rpush(key, "x")
    assert count(inspector(url, global_keyprefix="pre-", sep=":", priority_steps=[0, 5]), [name]) == [2]


def test_a_key_that_is_no_list_costs_only_its_own_number(database: tuple[str, redis.Redis]) -> None:
    url, client = database
    odd, good = f"flower-test-{uuid.uuid4()}", f"flower-test-{uuid.uuid4()}"
    client.set(odd, "text")
    client.rpush(good, "x")
    assert count(inspector(url), [odd, good]) == [None, 1]


def test_one_client_serves_many_questions(database: tuple[str, redis.Redis]) -> None:
    url, client = database
    asked = inspector(url)

    async def scenario() -> int:
        for _ in range(20):
            await asked.queues(["flower-test-none"])
        names = [info["addr"] for info in client.client_list() if info["cmd"] == "llen"]
        await asked.close()
        return len(names)

    assert asyncio.run(scenario()) == 1


def test_the_next_server_of_the_list_is_tried(database: tuple[str, redis.Redis]) -> None:
    assert count(inspector(f"redis://127.0.0.1:1/0;{database[0]}"), ["flower-test-none"]) == [0]


@pytest.mark.system
def test_user_socket_and_database_are_honoured(start_redis: StartRedis, tmp_path: Path) -> None:
    path = tmp_path / "r.sock"
    port, _ = start_redis("--unixsocket", str(path))
    client = redis.Redis(port=port, db=3)
    client.execute_command("ACL", "SETUSER", "ann", "on", ">p@ss", "~*", "+@all")
    client.rpush("q", "x", "y")
    assert count(inspector(f"redis://ann:p%40ss@127.0.0.1:{port}/3"), ["q"]) == [2]
    assert count(inspector(f"redis+socket://ann:p%40ss@{path}?virtual_host=3"), ["q"]) == [2]
    assert count(inspector(f"redis+socket://ann:p%40ss@{path}"), ["q"]) == [0]
    with pytest.raises(Unavailable, match="refused the credentials") as caught:
        count(inspector(f"redis://ann:canary@127.0.0.1:{port}/3"), ["q"])
    assert "canary" not in caught.value.message
    client.close()


@pytest.mark.system
def test_the_options_of_an_encrypted_url_are_honoured(
    start_redis: StartRedis, unused_port: Callable[[], int], certificate: tuple[Path, Path]
) -> None:
    public, key = certificate
    with_tls = ["--tls-cert-file", str(public), "--tls-key-file", str(key), "--tls-auth-clients", "no"]
    tls_port = unused_port()
    port, _ = start_redis("--tls-port", str(tls_port), *with_tls)
    client = redis.Redis(port=port)
    client.rpush("q", "x")
    url = f"rediss://localhost:{tls_port}/0"
    assert count(inspector(f"{url}?ssl_cert_reqs=required&ssl_ca_certs={public}"), ["q"]) == [1]
    assert count(inspector(url), ["q"]) == [1]
    assert count(inspector(url.replace("rediss", "redis"), {"ssl_ca_certs": str(public)}), ["q"]) == [1]
    with pytest.raises(Unavailable):
        count(inspector(f"{url}?ssl_cert_reqs=required"), ["q"])
    client.close()


@pytest.mark.system
def test_the_master_is_found_by_the_second_sentinel_too(start_redis: StartRedis, tmp_path: Path) -> None:
    port, _ = start_redis()
    client = redis.Redis(port=port, db=2)
    client.rpush("q", "x", "y", "z")
    config = tmp_path / "sentinel.conf"
    config.write_text(f"sentinel monitor main 127.0.0.1 {port} 1\n")
    guard, _ = start_redis(str(config), "--sentinel")
    url = f"sentinel://127.0.0.1:1/2;sentinel://127.0.0.1:{guard}"
    assert count(inspector(url, master_name="main"), ["q"]) == [3]
    with pytest.raises(Unavailable, match="other of the sentinels"):
        count(inspector(url, master_name="other"), ["q"])
    client.close()


@pytest.mark.system
def test_a_hanging_server_is_unavailable_soon_and_works_when_it_goes_on(start_redis: StartRedis) -> None:
    """R19."""
    port, process = start_redis()
    asked = inspector(f"redis://127.0.0.1:{port}/0")

    async def scenario() -> None:
        assert [row.messages for row in await asked.queues(["q"])] == [0]
        process.send_signal(signal.SIGSTOP)
        begun = time.monotonic()
        with pytest.raises(Unavailable, match="did not answer in time"):
            await asked.queues(["q"])
        assert time.monotonic() - begun < 5
        process.send_signal(signal.SIGCONT)
        assert [row.messages for row in await asked.queues(["q"])] == [0]
        await asked.close()

    asyncio.run(scenario())
