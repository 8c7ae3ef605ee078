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
from typing import Any

import kombu
import pytest
import redis

from flower_broker_redis.inspector import RedisInspector
from flower_plugins import Broker, OfferContext, QueueStats, Unavailable
from flower_plugins.testing import FakeSettings

# Kombu is annotated in part, which strict typing takes for more than it is.
_kombu: Any = kombu

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
        here = {"db": url.rpartition("/")[2], "cmd": "scan"}  # what it asked last
        names = [info["addr"] for info in client.client_list() if here.items() <= info.items()]
        await asked.close()
        return len(names)

    assert asyncio.run(scenario()) == 1


def test_the_next_server_of_the_list_is_tried(database: tuple[str, redis.Redis]) -> None:
    assert count(inspector(f"redis://127.0.0.1:1/0;{database[0]}"), ["flower-test-none"]) == [0]


@pytest.mark.parametrize("options", [{}, {"global_keyprefix": "pre[*]-"}])
def test_queues_that_nobody_names_are_found_among_many_keys(
    start_redis: StartRedis, options: dict[str, object]
) -> None:
    """Declared by kombu itself; a database with results is walked bit by bit."""
    port, _ = start_redis()
    client = redis.Redis(port=port)
    client.mset({f"celery-task-meta-{n}": "x" for n in range(20_000)})
    url = f"redis://127.0.0.1:{port}/0"
    with _kombu.Connection(url, transport_options=options) as connection:
        channel = connection.channel()
        _kombu.Queue("mail", _kombu.Exchange("mail"), routing_key="mail", channel=channel).declare()
        _kombu.Queue("w1.celery.pidbox", _kombu.Exchange("celery.pidbox", type="fanout"), channel=channel).declare()
    asked = inspector(url, **options)

    async def scenario() -> None:
        for _ in range(10):
            await asked.queues(["celery"])
        assert list(await asked.others()) == ["mail"]
        await asked.close()

    asyncio.run(scenario())
    client.close()


def test_a_user_who_may_not_walk_over_keys_still_counts_messages_and_is_refused_once(start_redis: StartRedis) -> None:
    port, _ = start_redis()
    client = redis.Redis(port=port)
    client.execute_command("ACL", "SETUSER", "small", "on", ">pw", "~*", "+@all", "-scan")
    client.lpush("mail", "x")
    asked = inspector(f"redis://small:pw@127.0.0.1:{port}/0")

    async def scenario() -> None:
        for _ in range(3):
            assert [row.messages for row in await asked.queues(["mail"])] == [1]
        assert list(await asked.others()) == []
        await asked.close()

    asyncio.run(scenario())
    log: Any = client.acl_log()
    assert [(refusal["object"], refusal["count"]) for refusal in log] == [("scan", 1)]
    client.close()


@pytest.mark.parametrize("options", [{}, {"global_keyprefix": "pre-"}])
def test_messages_that_workers_hold_are_counted_by_queue(start_redis: StartRedis, options: dict[str, object]) -> None:
    """Against what kombu itself leaves in Redis: two taken of three, by way of an exchange and without one."""
    port, _ = start_redis()
    url = f"redis://127.0.0.1:{port}/0"
    with _kombu.Connection(url, transport_options=options) as connection:
        channel = connection.channel()
        direct = _kombu.Exchange("shop", type="direct")
        named = _kombu.Queue("named", direct, routing_key="key", channel=channel)
        plain = _kombu.Queue("plain", channel=channel)
        named.declare()
        plain.declare()
        producer = connection.Producer(channel)
        assert [(row.messages, row.unacknowledged) for row in rows(inspector(url, **options), ["plain"])] == [(0, 0)]
        for body in ('x"}, "", "other"]', "plain", "third"):
            producer.publish({"text": body}, exchange=direct, routing_key="key")
            producer.publish({"text": body}, exchange="", routing_key="plain")
        assert named.get()
        assert plain.get()
        assert plain.get()
        found = rows(inspector(url, **options), ["named", "plain", "none"])
        counts = [(row.name, row.messages, row.ready, row.unacknowledged) for row in found]
        assert counts == [("named", 2, 2, 1), ("plain", 1, 1, 2), ("none", 0, 0, 0)]
        client = redis.Redis(port=port)
        client.hset(f"{options.get('global_keyprefix', '')}unacked", "big", "x" * 2_000_000)
        found = rows(inspector(url, **options), ["plain"])
        assert [(row.messages, row.unacknowledged) for row in found] == [(1, None)]
        client.close()


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


@pytest.mark.parametrize("option", ["ssl_ca_certs=/nowhere.pem", "ssl_certfile=/nowhere.pem", "ssl_ciphers=none"])
def test_options_of_encryption_that_cannot_work_are_named_as_the_cause(option: str) -> None:
    with pytest.raises(Unavailable, match=r"^TLS for Redis at localhost:1 cannot be set up: \w"):
        count(inspector(f"rediss://:canary@localhost:1/0?ssl_cert_reqs=required&{option}"), ["q"])


@pytest.mark.system
def test_encryption_and_access_list_together(
    start_redis: StartRedis, unused_port: Callable[[], int], certificate: tuple[Path, Path], tmp_path: Path
) -> None:
    """A user with an @ and a / in name and password, who may do no more than an inspector has to."""
    public, key = certificate
    access = tmp_path / "users.acl"
    access.write_text("user default off\nuser a@b/c on >p@s/s:w ~* -@all +llen +hello +auth\n")
    with_tls = ["--tls-cert-file", str(public), "--tls-key-file", str(key), "--tls-ca-cert-file", str(public)]
    tls_port = unused_port()
    start_redis("--tls-port", str(tls_port), *with_tls, "--tls-auth-clients", "optional", "--aclfile", str(access))
    url = f"rediss://a%40b%2Fc:p%40s%2Fs%3Aw@localhost:{tls_port}/0?ssl_cert_reqs=required&ssl_ca_certs={public}"
    (row,) = rows(inspector(url), ["q"])
    assert (row.messages, row.unacknowledged) == (0, None)
    with pytest.raises(Unavailable, match="refused the credentials") as caught:
        count(inspector(url.replace("p%40s", "canary")), ["q"])
    assert "canary" not in caught.value.message


@pytest.mark.system
def test_after_a_failover_the_new_master_is_asked(start_redis: StartRedis, tmp_path: Path) -> None:
    port, old = start_redis()
    replica, _ = start_redis("--replicaof", "127.0.0.1", str(port))
    guards = []
    for number in range(3):
        config = tmp_path / f"sentinel-{number}.conf"
        config.write_text(
            f"sentinel monitor main 127.0.0.1 {port} 2\nsentinel down-after-milliseconds main 1000\n"
            "sentinel failover-timeout main 3000\n"
        )
        guards.append(start_redis(str(config), "--sentinel")[0])
    client = redis.Redis(port=port)
    client.rpush("q", "x", "y")
    assert client.wait(1, 5000) == 1
    asked = inspector(";".join(f"sentinel://127.0.0.1:{guard}/0" for guard in guards), master_name="main")
    new = redis.Redis(port=replica)

    async def scenario() -> None:
        assert [row.messages for row in await asked.queues(["q"])] == [2]
        wait_for(lambda: redis.Redis(port=guards[0]).sentinel_master("main")["num-slaves"] == 1)
        wait_for(lambda: redis.Redis(port=guards[0]).sentinel_master("main")["num-other-sentinels"] == 2)
        old.kill()
        deadline = time.monotonic() + 20
        lengths: list[int | None] = []
        while lengths != [3]:
            assert time.monotonic() < deadline
            begun = time.monotonic()
            try:
                lengths = [row.messages for row in await asked.queues(["q"])]
            except Unavailable:
                await asyncio.sleep(0.1)
            assert time.monotonic() - begun < 5
            if new.info("replication")["role"] == "master" and not new.exists("told"):
                new.set("told", 1)
                new.rpush("q", "z")
        await asked.close()

    asyncio.run(scenario())
    new.close()
    client.close()


def test_a_host_may_be_an_ipv6_address(start_redis: StartRedis) -> None:
    port, _ = start_redis("--bind", "127.0.0.1", "::1")
    client = redis.Redis(port=port)
    client.rpush("q", "x")
    assert count(inspector(f"redis://[::1]:{port}/0"), ["q"]) == [1]
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


def wait_for(condition: Callable[[], bool], seconds: float = 10) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "did not happen in time"
        time.sleep(0.05)
