"""What the source receives from real Redis servers, held against a plain kombu consumer of the same exchange."""

# mypy: allow-untyped-calls
# celery, kombu and redis are annotated in part.

from __future__ import annotations

import asyncio
import logging
import subprocess
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any
from uuid import uuid4

import kombu
import pytest
import redis
from celery.events.event import get_exchange
from kombu.compression import decompress
from kombu.serialization import loads

from flower_plugins import Messages

StartRedis = Callable[..., tuple[int, subprocess.Popen[bytes]]]

_kombu: Any = kombu
_SERIALIZERS = ("json", "msgpack", "yaml")
_ACCEPTED = {"application/json", "application/x-msgpack", "application/x-yaml"}


def read(batches: list[Messages]) -> list[Any]:
    """Return what the messages stand for, each as kombu would decode it."""
    return [
        loads(
            decompress(body, batch.compression) if batch.compression else body,
            batch.content_type,
            batch.content_encoding,
            accept=_ACCEPTED,
        )
        for batch in batches
        for body in batch.bodies
    ]


def exchange_events(app: Any) -> list[Any]:
    """Publish in every way that a worker may, and return what a plain kombu consumer received."""
    received: list[Any] = []
    with app.connection_for_write() as connection:
        exchange = get_exchange(connection, name=app.conf.event_exchange)
        channel = connection.channel()
        queue = _kombu.Queue(f"flower-test-{uuid4()}", exchange, routing_key="#", auto_delete=True)

        def take(payload: Any, message: Any) -> None:
            received.append(payload)

        with _kombu.Consumer(channel, [queue], no_ack=True, accept=_ACCEPTED, callbacks=[take]):
            with suppress(TimeoutError):
                connection.drain_events(timeout=0.1)
            sent = 0
            for serializer in _SERIALIZERS:
                dispatcher = app.events.Dispatcher(connection, hostname="celery@é", serializer=serializer)
                dispatcher.send("task-received", uuid=f"u-{serializer}", args="('ü' * 3,)")
                dispatcher.send("worker-heartbeat", freq=2.0)
                producer = _kombu.Producer(connection, exchange, serializer=serializer)
                for compression in ("zlib", "bzip2"):
                    event = {"type": "task-sent", "uuid": compression, "hostname": "h", "pad": "x" * 500}
                    producer.publish(event, routing_key="task.sent", compression=compression)
                producer.publish([{"type": "task-started", "uuid": "a"}, {"type": "x"}], routing_key="task.multi")
                sent += 5
            while len(received) < sent:
                connection.drain_events(timeout=10)
    return received


def assert_same_as_kombu(exchange: Any, wait_until: Any) -> None:
    async def scenario() -> tuple[list[Any], list[Messages]]:
        async with exchange.watched() as (watcher, _):
            expected = await asyncio.to_thread(exchange_events, exchange.app)
            await wait_until(lambda: len(watcher.bodies) >= len(expected))
            return expected, watcher.batches

    expected, batches = asyncio.run(scenario())
    assert len(expected) == 15
    assert read(batches) == expected


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"global_keyprefix": "flower-test:"},
        {"fanout_prefix": False},
        {"fanout_prefix": "/flower-test-{db}."},
        {"fanout_prefix": "/flower-test."},
        {"fanout_patterns": False},
        {"global_keyprefix": "flower-test:", "fanout_prefix": False, "fanout_patterns": False},
        {"body_encoding": None},
        {"client_name": "flower-test"},
    ],
    ids=str,
)
def test_a_source_receives_what_kombu_receives(
    database: tuple[str, redis.Redis], make_exchange: Any, wait_until: Any, options: dict[str, Any]
) -> None:
    assert_same_as_kombu(make_exchange(database[0], **options), wait_until)


def test_another_database_is_another_cluster(
    database: tuple[str, redis.Redis], make_exchange: Any, wait_until: Any
) -> None:
    url, client = database
    exchange = make_exchange(url)
    number = int(url.rpartition("/")[2])

    async def scenario() -> list[Any]:
        async with exchange.watched() as (watcher, _):
            channels = [f"/{other}.{exchange.app.conf.event_exchange}/task.sent" for other in (number - 1, number)]
            assert [client.publish(channel, b"{}") for channel in channels] == [0, 1]
            await asyncio.to_thread(exchange.send, 1)
            await wait_until(lambda: len(watcher.bodies) == 2)
            return [body is None for body in watcher.bodies]

    assert asyncio.run(scenario()) == [True, False]


def test_workers_are_asked_for_heartbeats_on_connect(
    database: tuple[str, redis.Redis], make_exchange: Any, wait_until: Any
) -> None:
    """The command that a worker's mailbox receives, read by kombu's own mailbox."""
    exchange = make_exchange(database[0])
    commands: list[str] = []

    async def scenario() -> None:
        with exchange.app.connection_for_read() as connection:
            node = exchange.app.control.mailbox(connection).Node("celery@test", channel=connection.default_channel)
            node.handlers["heartbeat"] = lambda state: commands.append("heartbeat")
            with node.listen():

                def drain() -> None:
                    with suppress(TimeoutError):
                        connection.drain_events(timeout=0.2)

                await asyncio.to_thread(drain)
                async with exchange.watched():
                    await asyncio.to_thread(drain)

    asyncio.run(scenario())
    assert commands == ["heartbeat"]


def test_the_connection_says_who_it_is_where_a_name_is_set(
    database: tuple[str, redis.Redis], make_exchange: Any
) -> None:
    exchange = make_exchange(database[0], client_name="flower-test-name")

    async def scenario() -> list[str]:
        async with exchange.watched() as (watcher, _):
            assert watcher.detail["subscription"].endswith(f".{exchange.app.conf.event_exchange}/*")
            return [client["name"] for client in await asyncio.to_thread(database[1].client_list, "pubsub")]

    assert "flower-test-name" in asyncio.run(scenario())


@pytest.mark.system
@pytest.mark.parametrize("way", ["tcp", "tls", "socket"])
def test_a_burst_of_small_and_large_messages_arrives_whole_and_in_order(
    start_redis: StartRedis,
    unused_port: Callable[[], int],
    certificate: tuple[Path, Path],
    tmp_path: Path,
    make_exchange: Any,
    wait_until: Any,
    way: str,
) -> None:
    """With a user of the access list, over each way to a server."""
    public, key = certificate
    tls_port, path = unused_port(), tmp_path / "r.sock"
    with_tls = ["--tls-port", str(tls_port), "--tls-cert-file", str(public), "--tls-key-file", str(key)]
    port, _ = start_redis("--unixsocket", str(path), *with_tls, "--tls-auth-clients", "no")
    client = redis.Redis(port=port)
    client.execute_command("ACL", "SETUSER", "ann", "on", ">p@ss", "~*", "&*", "+@all")
    url = {
        "tcp": f"redis://ann:p%40ss@127.0.0.1:{port}/2",
        "tls": f"rediss://ann:p%40ss@localhost:{tls_port}/2?ssl_cert_reqs=required&ssl_ca_certs={public}",
        "socket": f"redis+socket://ann:p%40ss@{path}?virtual_host=2",
    }[way]
    exchange = make_exchange(url)
    bodies = [str(n).encode() * (4000 if n % 50 == 0 else 30) for n in range(4000)] + [b"x" * 3_000_000, b"end"]
    channel = f"/2.{exchange.app.conf.event_exchange}/task.sent"
    payloads = [b'{"body":"%b"}' % body for body in bodies]

    def publish() -> None:
        for start in range(0, len(payloads), 500):
            with client.pipeline(transaction=False) as pipe:
                for payload in payloads[start : start + 500]:
                    pipe.publish(channel, payload)
                assert set(pipe.execute()) == {1}

    async def scenario() -> list[Any]:
        async with exchange.watched() as (watcher, _):
            await asyncio.to_thread(publish)
            await wait_until(lambda: watcher.bodies[-1:] == ["end"])
            return list(watcher.bodies)

    assert asyncio.run(scenario()) == [body.decode() for body in bodies]
    client.close()


@pytest.mark.system
def test_celery_and_the_source_agree_on_tls_and_sockets(
    start_redis: StartRedis,
    unused_port: Callable[[], int],
    certificate: tuple[Path, Path],
    tmp_path: Path,
    make_exchange: Any,
    wait_until: Any,
) -> None:
    public, key = certificate
    tls_port, path = unused_port(), tmp_path / "r.sock"
    with_tls = ["--tls-port", str(tls_port), "--tls-cert-file", str(public), "--tls-key-file", str(key)]
    start_redis("--unixsocket", str(path), *with_tls, "--tls-auth-clients", "no", "--requirepass", "p@ss")
    options = {"ssl_cert_reqs": "required", "ssl_ca_certs": str(public)}
    for url, use_ssl in (
        (f"redis://:p%40ss@localhost:{tls_port}/1", options),
        (f"rediss://:p%40ss@localhost:{tls_port}/1?ssl_cert_reqs=none", None),
        (f"redis+socket://:p%40ss@{path}?virtual_host=1", None),
    ):
        assert_same_as_kombu(make_exchange(url, use_ssl), wait_until)


@pytest.mark.system
def test_a_user_who_may_only_listen_does(
    start_redis: StartRedis, make_exchange: Any, wait_until: Any, caplog: pytest.LogCaptureFixture
) -> None:
    port, _ = start_redis()
    client = redis.Redis(port=port)
    exchange = make_exchange(f"redis://eve:pw@127.0.0.1:{port}/0")
    channels = f"&/0.{exchange.app.conf.event_exchange}/*"
    client.execute_command("ACL", "SETUSER", "eve", "on", ">pw", "resetchannels", channels, "+psubscribe", "+ping")

    async def scenario() -> None:
        async with exchange.watched() as (watcher, _):
            client.publish(f"/0.{exchange.app.conf.event_exchange}/a", b"junk")
            await wait_until(lambda: watcher.bodies == [None])

    with caplog.at_level(logging.WARNING):
        asyncio.run(scenario())
    assert [line for line in caplog.messages if "heartbeat" in line and "NOPERM" in line]
    client.close()
