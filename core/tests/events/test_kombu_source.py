"""KombuSource against the real thing: memory, Redis, RabbitMQ, and a Redis that is killed, hung and restarted."""

from __future__ import annotations

import asyncio
import base64
import json
import logging
import threading
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from typing import Any, Protocol
from uuid import uuid4

import pytest
from celery import Celery

from flower.events.event import Event
from flower.events.gateway import Gateway
from flower.events.kombu_source import KombuSource
from flower.events.pump import Pump
from flower.events.status import StreamStatus
from flower.events.supervisor import Supervisor
from flower_plugins import Broker, OfferContext


class Server(Protocol):
    url: str
    port: int

    def start(self) -> None: ...
    def kill(self) -> None: ...
    def hang(self) -> None: ...
    def wake(self) -> None: ...


class NoSettings:
    def __getitem__(self, name: str) -> Any:
        raise KeyError(name)

    def given(self, name: str) -> bool:
        return False

    def origin(self, name: str) -> str:
        return ""


class Cluster:
    """A Celery app that sends events, and the pipeline that receives them, on exchanges of their own."""

    def __init__(self, url: str, **transport_options: object) -> None:
        own = uuid4().hex[:12]
        self.names = {"event_exchange": f"ev-{own}", "event_queue_prefix": f"ev-{own}", "control_exchange": f"c-{own}"}
        self.app = Celery("test", broker=url, set_as_current=False)
        self.app.conf.update(self.names, broker_transport_options=transport_options)
        broker = Broker(url, url.split(":", 1)[0], url, transport_options, event_options=self.names)
        self.context = OfferContext(NoSettings(), broker, logging.getLogger("source-test"))
        self.gateway = Gateway()
        self.status = StreamStatus(rejected=self.gateway.rejected)
        self.events: list[Event] = []

    @asynccontextmanager
    async def watched(self) -> AsyncIterator[None]:
        pump = Pump(self.gateway.decode, self.events.extend, self.status)
        pump.attach(asyncio.get_running_loop())
        task = asyncio.create_task(Supervisor(lambda: KombuSource(self.context), pump, self.status).run())
        try:
            yield
        finally:
            task.cancel()
            started = time.monotonic()
            await asyncio.wait({task})
            pump.close()
            assert time.monotonic() - started < 2.0

    def send(self, number: int) -> None:
        with self.app.connection_for_write() as connection:
            dispatcher = self.app.events.Dispatcher(connection, hostname="celery@test")
            for n in range(number):
                dispatcher.send("task-received", uuid=f"u-{n}")

    async def until(self, condition: Callable[[], bool], seconds: float = 15.0) -> float:
        """Wait for the condition and return how many seconds that took."""
        started = time.monotonic()
        while not condition():
            assert time.monotonic() - started < seconds, (self.status.reason, len(self.events))
            await asyncio.sleep(0.01)
        return time.monotonic() - started

    @property
    def uuids(self) -> list[str]:
        return [event.uuid for event in self.events if event.type == "task-received"]


def _readers() -> int:
    return sum(thread.name == "flower-events" for thread in threading.enumerate())


def _flow(cluster: Cluster) -> None:
    async def main() -> None:
        async with cluster.watched():
            await cluster.until(lambda: cluster.status.up)
            await asyncio.to_thread(cluster.send, 200)
            await cluster.until(lambda: len(cluster.uuids) >= 200)
        assert _readers() == 0

    asyncio.run(main())
    assert cluster.uuids == [f"u-{n}" for n in range(200)]
    assert dict(cluster.gateway.rejected) == {}


def test_events_flow_over_a_virtual_transport_in_this_process() -> None:
    _flow(Cluster("memory://", polling_interval=0.01))


@pytest.mark.system
def test_events_flow_over_redis(redis_url: str) -> None:
    _flow(Cluster(redis_url))


@pytest.mark.system
def test_events_flow_over_rabbitmq(rabbitmq_url: str) -> None:
    _flow(Cluster(rabbitmq_url))


@pytest.mark.system
def test_workers_are_asked_for_heartbeats_on_connect(redis_url: str) -> None:
    """The command that a worker's mailbox receives, read by kombu's own mailbox."""
    cluster = Cluster(redis_url)
    commands: list[str] = []

    async def main() -> None:
        with cluster.app.connection_for_read() as connection:
            node = cluster.app.control.mailbox(connection).Node("celery@test", channel=connection.default_channel)
            node.handlers["heartbeat"] = lambda state: commands.append("heartbeat")
            with node.listen():

                def drain() -> None:
                    with suppress(TimeoutError):
                        connection.drain_events(timeout=0.1)

                await asyncio.to_thread(drain)
                async with cluster.watched():
                    deadline = time.monotonic() + 10
                    while not commands and time.monotonic() < deadline:
                        await asyncio.to_thread(drain)

    asyncio.run(main())
    assert commands == ["heartbeat"]


@pytest.mark.system
def test_bodies_that_no_one_can_read_do_not_break_the_connection_r01_r05(private_redis: Server) -> None:
    """Also malformed envelopes, which kombu itself trips over."""
    cluster = Cluster(private_redis.url)
    topic = f"/0.{cluster.names['event_exchange']}/worker.heartbeat"

    def envelope(raw: bytes, **changes: Any) -> bytes:
        properties = {"body_encoding": "base64", "delivery_tag": "t", "delivery_info": {}}
        message = {"body": base64.b64encode(raw).decode(), "content-type": "application/json"}
        return json.dumps({**message, "content-encoding": "utf-8", "properties": properties, **changes}).encode()

    hostile = [
        envelope(b"5"),
        envelope(b'{"hostname": "h"}'),
        envelope(b"[" * 100_000),
        envelope(b"x", headers={"compression": "gzip"}),
        envelope(b"x", **{"content-type": "application/x-python-serialize"}),
        envelope(b"x", **{"content-type": ["a"]}),
        envelope(b"x", headers=5),
        envelope(b"x", body="!not base64!"),
        envelope(b"x", properties=5),
        b"5",
        b"[]",
        b"[" * 100_000,
    ]

    def publish() -> None:
        with cluster.app.connection_for_write() as connection:
            client = connection.default_channel.client
            for raw in hostile:
                assert client.publish(topic, raw) == 1

    async def main() -> None:
        async with cluster.watched():
            await cluster.until(lambda: cluster.status.up)
            await asyncio.to_thread(publish)
            await asyncio.to_thread(cluster.send, 100)
            await cluster.until(lambda: len(cluster.uuids) >= 100)

    asyncio.run(main())
    assert cluster.uuids == [f"u-{n}" for n in range(100)]
    assert cluster.status.gaps() == ()
    assert sum(cluster.gateway.rejected.values()) == len(hostile)


@pytest.mark.system
def test_events_flow_again_within_five_seconds_of_a_killed_broker_s_return_r20_r21_r24(private_redis: Server) -> None:
    cluster = Cluster(private_redis.url)

    async def main() -> None:
        async with cluster.watched():
            await cluster.until(lambda: cluster.status.up)
            private_redis.kill()
            await cluster.until(lambda: not cluster.status.up, 5)
            # Long enough for the delay to reach its cap.
            lost = time.monotonic()
            await cluster.until(lambda: time.monotonic() - lost > 4)
            assert not cluster.status.up
            await asyncio.to_thread(private_redis.start)
            returned = time.monotonic()
            await cluster.until(lambda: cluster.status.up, 6)
            await asyncio.to_thread(cluster.send, 1)
            await cluster.until(lambda: len(cluster.uuids) == 1, 5)
            assert time.monotonic() - returned <= 5.0
            (gap,) = cluster.status.gaps()
            assert gap.end is not None
            assert gap.end - gap.start >= 4

    asyncio.run(main())


@pytest.mark.system
def test_a_broker_that_hangs_is_noticed_within_ten_seconds_r23(private_redis: Server) -> None:
    cluster = Cluster(private_redis.url)

    async def main() -> None:
        async with cluster.watched():
            await cluster.until(lambda: cluster.status.up)
            private_redis.hang()
            try:
                assert await cluster.until(lambda: not cluster.status.up) <= 10.0
            finally:
                private_redis.wake()
            assert await cluster.until(lambda: cluster.status.up) <= 10.0

    asyncio.run(main())


@pytest.mark.system
def test_a_subscription_killed_by_an_administrator_is_a_gap_and_not_silence_r27(private_redis: Server) -> None:
    cluster = Cluster(private_redis.url)

    def kill() -> None:
        with cluster.app.connection_for_write() as connection:
            assert connection.default_channel.client.execute_command("CLIENT", "KILL", "TYPE", "pubsub") == 1

    async def main() -> None:
        async with cluster.watched():
            await cluster.until(lambda: cluster.status.up)
            await asyncio.to_thread(kill)
            await cluster.until(lambda: len(cluster.status.gaps()) == 1 and cluster.status.up)
            await asyncio.to_thread(cluster.send, 5)
            await cluster.until(lambda: len(cluster.uuids) == 5)

    asyncio.run(main())


@pytest.mark.parametrize(
    "url",
    [
        pytest.param("amqp://guest:{secret}@127.0.0.1:1//", id="amqp"),
        pytest.param("redis://:{secret}@127.0.0.1:1/0", id="redis"),
        pytest.param("amqp://a:{secret}@127.0.0.1:1//;amqp://b:{secret}@127.0.0.1:2//", id="failover list"),
        pytest.param("nosuch://a:{secret}@127.0.0.1:1/", id="unknown transport"),
    ],
)
def test_a_broker_that_is_not_there_is_a_reason_without_a_password_r25(
    url: str, caplog: pytest.LogCaptureFixture
) -> None:
    cluster = Cluster(url.format(secret="s3cret-pw"))

    async def main() -> None:
        async with cluster.watched():
            await cluster.until(lambda: cluster.status.reason != "not connected yet", 10)

    asyncio.run(main())
    assert not cluster.status.up
    assert cluster.status.gaps() == ()
    assert any("lost" in line for line in caplog.messages)
    assert "s3cret-pw" not in caplog.text + cluster.status.reason


@pytest.mark.system
def test_a_wrong_password_is_a_reason_r25(rabbitmq_url: str, caplog: pytest.LogCaptureFixture) -> None:
    cluster = Cluster(rabbitmq_url.replace("guest:guest", "guest:s3cret-pw"))

    async def main() -> None:
        async with cluster.watched():
            await cluster.until(lambda: cluster.status.reason != "not connected yet", 10)

    asyncio.run(main())
    assert "ACCESS_REFUSED" in cluster.status.reason
    assert "s3cret-pw" not in caplog.text + cluster.status.reason
