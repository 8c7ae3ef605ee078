"""The event source against the running RabbitMQ, directly and through a proxy that hangs, speaks up or encrypts."""

from __future__ import annotations

import asyncio
import ssl
import struct
import subprocess
import threading
import time
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any
from urllib.parse import quote
from uuid import uuid4

import kombu
import kombu.compression
import kombu.pidbox
import kombu.serialization
import pytest
from msgspec.structs import replace

from flower_broker_rabbitmq.events import RabbitMQEventSource
from flower_broker_rabbitmq.frames import HEARTBEAT, MESSAGE_LIMIT, ProtocolError, method_frame
from flower_plugins import ConfigurationError, Messages, OfferContext, Unavailable
from flower_plugins.testing import offer_context

_kombu: Any = kombu
PORT = 5672


class Stream:
    """A source that runs, and what it delivered; exchanges and queues have names of their own."""

    def __init__(self, url: str, use_ssl: object = None, **options: object) -> None:
        own = uuid4().hex[:12]
        self.url = url
        self.options: Mapping[str, object] = {
            "event_exchange": f"ev-{own}",
            "event_queue_prefix": f"ev-{own}",
            "control_exchange": f"c-{own}",
            **options,
        }
        self.use_ssl = use_ssl
        self.detail: dict[str, str] = {}
        self.batches: list[Messages] = []
        self.run: asyncio.Future[None]

    def context(self) -> OfferContext:
        context = offer_context(broker_url=self.url)
        return replace(context, broker=replace(context.broker, event_options=self.options, use_ssl=self.use_ssl))

    def offer(self, batch: Messages) -> None:
        self.batches.append(batch)

    def connected(self, detail: Mapping[str, str] | None = None) -> None:
        self.detail = dict(detail or {})

    def lost(self, reason: str) -> None:
        raise AssertionError("the supervisor says that")

    @asynccontextmanager
    async def watched(self, *, connected: bool = True) -> AsyncIterator[Stream]:
        """Run the source; at the end cancel it, which takes less than two seconds and its thread along."""
        self.run = asyncio.ensure_future(RabbitMQEventSource(self.context()).run(self))
        try:
            if connected:
                await self.until(lambda: bool(self.detail))
            yield self
        finally:
            began = time.monotonic()
            self.run.cancel()
            await asyncio.wait({self.run})
            assert time.monotonic() - began < 2.0
            assert not any(thread.name == "flower-events" for thread in threading.enumerate())

    async def until(self, condition: Callable[[], bool], seconds: float = 15.0) -> None:
        deadline = time.monotonic() + seconds
        while not condition():
            if self.run.done():
                self.run.result()
            assert time.monotonic() < deadline, "did not happen in time"
            await asyncio.sleep(0.01)

    async def end(self, seconds: float = 5.0) -> Exception:
        """Wait for the source to give up, and return why."""
        await asyncio.wait({self.run}, timeout=seconds)
        assert self.run.done(), "still running"
        error = self.run.exception()
        assert isinstance(error, Exception)
        return error

    async def publish(self, *bodies: object, url: str = "", **options: object) -> None:
        """Send bodies with a real producer, on a connection of its own; bytes are sent as they are."""

        def send() -> None:
            with _kombu.Connection(url or self.url) as connection:
                exchange = _kombu.Exchange(self.options["event_exchange"], type="topic")
                producer = connection.Producer(exchange=exchange, auto_declare=False)
                for body in bodies:
                    producer.publish(body, routing_key="task.received", headers={"hostname": "w1"}, **options)

        await asyncio.to_thread(send)

    @property
    def bodies(self) -> list[Any]:
        return [body for batch in self.batches for body in batch.bodies]

    @property
    def events(self) -> list[Any]:
        return [
            _kombu.serialization.loads(
                _kombu.compression.decompress(body, batch.compression) if batch.compression else body,
                batch.content_type,
                batch.content_encoding,
                accept={batch.content_type},
            )
            for batch in self.batches
            for body in batch.bodies
        ]


class Proxy:
    """Passes bytes on to RabbitMQ, until told otherwise; speaks TLS where it has a certificate."""

    def __init__(self, tls: ssl.SSLContext | None = None) -> None:
        self.tls = tls
        self.sent = b""
        self.open = asyncio.Event()
        self.open.set()
        self.client: asyncio.StreamWriter

    @asynccontextmanager
    async def running(self) -> AsyncIterator[int]:
        tasks: list[asyncio.Task[None]] = []

        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            self.client = writer
            there_reader, there = await asyncio.open_connection("127.0.0.1", PORT)
            tasks.append(asyncio.ensure_future(self._pass(reader, there, record=True)))
            tasks.append(asyncio.ensure_future(self._pass(there_reader, writer)))

        server = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=self.tls)
        try:
            yield server.sockets[0].getsockname()[1]
        finally:
            server.close()
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def _pass(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, record: bool = False) -> None:
        try:
            while data := await reader.read(65536):
                await self.open.wait()
                if record:
                    self.sent = (self.sent + data)[-10_000:]
                writer.write(data)
                await writer.drain()
        except OSError:
            pass
        finally:
            writer.close()
            with suppress(OSError):
                await writer.wait_closed()

    def speak(self, data: bytes) -> None:
        """Send bytes as if they were the broker's; safe between two frames, such as in a silence."""
        self.client.write(data)


@pytest.fixture
def url(virtual_host: str) -> str:
    """The running node, in a virtual host with a slash in its name."""
    return f"amqp://guest:guest@127.0.0.1:{PORT}/{quote(virtual_host, safe='')}"


def through(url: str, port: int) -> str:
    return url.replace(f":{PORT}/", f":{port}/")


def watch(stream: Stream, scenario: Callable[[], Any]) -> None:
    async def main() -> None:
        async with stream.watched():
            await scenario()

    asyncio.run(main())


def test_events_arrive_in_order_and_none_is_lost(url: str) -> None:
    stream = Stream(url)

    async def scenario() -> None:
        await stream.publish(*({"n": n} for n in range(5000)))
        await stream.until(lambda: len(stream.bodies) >= 5000)

    watch(stream, scenario)
    assert stream.events == [{"n": n} for n in range(5000)]
    assert stream.detail["transport"] == "rabbitmq"
    assert stream.detail["queue"].startswith(f"{stream.options['event_queue_prefix']}.")


@pytest.mark.parametrize("scheme", ["pyamqp", "rabbitmq"])
def test_other_names_of_the_transport_work(url: str, scheme: str) -> None:
    stream = Stream(url.replace("amqp", scheme))

    async def scenario() -> None:
        await stream.publish({"n": 1}, url=url)
        await stream.until(lambda: stream.events == [{"n": 1}])

    watch(stream, scenario)


@pytest.mark.parametrize("compression", [None, "zlib", "bzip2"])
@pytest.mark.parametrize("serializer", ["json", "yaml", "msgpack"])
def test_what_any_producer_sends_comes_with_the_words_to_decode_it(
    url: str, serializer: str, compression: str | None
) -> None:
    stream = Stream(url)
    event = {"type": "task-received", "hostname": "wörker", "args": [1, None, 2.5]}

    async def scenario() -> None:
        await stream.publish(event, [event] * 3, serializer=serializer, compression=compression)
        await stream.until(lambda: len(stream.bodies) == 2)

    watch(stream, scenario)
    assert stream.events == [event, [event] * 3]
    assert all(isinstance(body, bytes) for body in stream.bodies)


def test_a_body_of_many_frames_arrives_whole_and_one_beyond_the_limit_is_told(url: str) -> None:
    """A body above 16 MB becomes None, which core rejects and counts."""
    stream = Stream(url)
    kind = {"content_type": "application/json", "content_encoding": "binary"}
    large = bytes(range(256)) * 4096

    async def scenario() -> None:
        await stream.publish(b"1", large, bytes(MESSAGE_LIMIT + 1), b"", b"2", **kind)
        await stream.until(lambda: len(stream.bodies) == 5)

    watch(stream, scenario)
    assert stream.bodies == [b"1", large, None, b"", b"2"]


@pytest.mark.parametrize(
    ("options", "declared"),
    [
        ({}, {"auto_delete": True, "arguments": {"x-message-ttl": 5000, "x-expires": 60000}}),
        (
            {"event_queue_ttl": 2.5, "event_queue_expires": None, "event_queue_durable": True},
            {"auto_delete": False, "durable": True, "arguments": {"x-message-ttl": 2500}},
        ),
        (
            {"event_queue_ttl": None, "event_queue_expires": 20.0},
            {"auto_delete": True, "arguments": {"x-expires": 20000}},
        ),
    ],
)
def test_the_queue_is_declared_as_celery_s_receiver_declares_it(
    url: str, options: dict[str, object], declared: dict[str, Any]
) -> None:
    stream = Stream(url, **options)

    def declare_again() -> None:
        """Raises unless it is there with the very same arguments."""
        with _kombu.Connection(url) as connection:
            connection.default_channel.queue_declare(queue=stream.detail["queue"], **declared)
            connection.default_channel.queue_delete(stream.detail["queue"])

    watch(stream, lambda: asyncio.to_thread(declare_again))


def test_an_exclusive_queue_is_nobody_else_s_and_gone_when_the_source_is(url: str) -> None:
    stream = Stream(url, event_queue_exclusive=True)

    def look() -> str:
        with _kombu.Connection(url) as connection:
            with pytest.raises(connection.channel_errors + connection.connection_errors) as caught:
                connection.default_channel.queue_declare(queue=stream.detail["queue"], passive=True)
            return str(caught.value)

    async def scenario() -> None:
        assert "RESOURCE_LOCKED" in await asyncio.to_thread(look)

    watch(stream, scenario)
    assert "NOT_FOUND" in look()


def test_workers_are_asked_for_heartbeats_on_connect(url: str) -> None:
    """The order that a worker's mailbox receives, read by kombu's own mailbox."""
    stream = Stream(url)
    orders: list[str] = []

    async def main() -> None:
        with _kombu.Connection(url) as connection:
            mailbox = _kombu.pidbox.Mailbox(str(stream.options["control_exchange"]), type="fanout")
            node = mailbox(connection).Node("celery@test", channel=connection.default_channel)
            node.handlers["heartbeat"] = lambda state: orders.append("heartbeat")

            def drain() -> None:
                while not orders:
                    connection.drain_events(timeout=5)

            with node.listen():
                async with stream.watched():
                    await asyncio.to_thread(drain)

    asyncio.run(main())
    assert orders == ["heartbeat"]


@pytest.mark.parametrize(
    ("configure", "write"),
    [pytest.param("^ev-", "^ev-", id="may not declare"), pytest.param(".*", "^ev-", id="may not publish")],
)
def test_who_may_not_give_orders_may_still_watch(
    management: Any, virtual_host: str, url: str, configure: str, write: str, caplog: pytest.LogCaptureFixture
) -> None:
    name = f"watcher-{uuid4().hex[:8]}"
    management.call("PUT", f"users/{name}", {"password": "pw", "tags": ""})
    try:
        rights = {"configure": configure, "write": write, "read": ".*"}
        management.call("PUT", f"permissions/{quote(virtual_host, safe='')}/{name}", rights)
        stream = Stream(url.replace("guest:guest", f"{name}:pw"))
        said = "Workers were not asked for a heartbeat"

        async def scenario() -> None:
            await stream.until(lambda: any(said in line and "ACCESS_REFUSED" in line for line in caplog.messages))
            await stream.publish({"n": 1}, url=url)
            await stream.until(lambda: stream.events == [{"n": 1}])

        watch(stream, scenario)
    finally:
        management.call("DELETE", f"users/{name}")


def test_a_connection_closed_by_an_administrator_is_a_reason_r27(url: str, virtual_host: str) -> None:
    stream = Stream(url)

    async def scenario() -> None:
        words = ["rabbitmqctl", "-q", "close_all_connections", "--vhost", virtual_host, "time to go"]
        await asyncio.to_thread(subprocess.run, words, check=True, capture_output=True, timeout=30)
        error = await stream.end()
        assert isinstance(error, Unavailable)
        assert "CONNECTION_FORCED" in error.message
        assert "time to go" in error.message

    watch(stream, scenario)


def test_a_queue_that_is_deleted_is_a_reason_r27(url: str) -> None:
    stream = Stream(url)

    def delete() -> None:
        with _kombu.Connection(url) as connection:
            connection.default_channel.queue_delete(stream.detail["queue"])

    async def scenario() -> None:
        await stream.publish({"n": 1})
        await stream.until(lambda: len(stream.bodies) == 1)
        await asyncio.to_thread(delete)
        assert stream.detail["queue"] in str(await stream.end())

    watch(stream, scenario)


def behind_proxy(url: str, scenario: Callable[[Proxy, Stream], Any]) -> None:
    async def main() -> None:
        proxy = Proxy()
        async with proxy.running() as port:
            async with Stream(through(url, port)).watched() as stream:
                await scenario(proxy, stream)

    asyncio.run(main())


@pytest.mark.system
def test_a_broker_that_hangs_is_noticed_within_ten_seconds_r23(url: str) -> None:
    async def scenario(proxy: Proxy, stream: Stream) -> None:
        await stream.until(lambda: proxy.sent.endswith(HEARTBEAT))
        proxy.open.clear()
        assert "silent" in str(await stream.end(10))

    behind_proxy(url, scenario)


def test_a_blocked_connection_goes_on_and_saves_its_breath_r27(url: str, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO")

    async def scenario(proxy: Proxy, stream: Stream) -> None:
        proxy.speak(method_frame(0, 10, 60, b"\x0flow on memory  "))
        await stream.until(lambda: "low on memory" in caplog.text)
        proxy.sent = b""
        await stream.publish({"n": 1}, url=url)
        await stream.until(lambda: stream.events == [{"n": 1}])
        blocked = time.monotonic()
        await stream.until(lambda: time.monotonic() - blocked > 3)
        assert proxy.sent == b""
        proxy.speak(method_frame(0, 10, 61))
        await stream.until(lambda: proxy.sent == HEARTBEAT, 2)
        assert "accepts messages again" in caplog.text

    behind_proxy(url, scenario)


@pytest.mark.parametrize(
    ("said", "kind", "words"),
    [
        (b"", Unavailable, "without a word"),
        (method_frame(1, 20, 40, struct.pack(">HB4sHH", 406, 4, b"nope", 0, 0)), Unavailable, "(406) nope"),
        (method_frame(1, 20, 40, b"\x01"), Unavailable, "no reason given"),
        (method_frame(0, 10, 50, struct.pack(">HB", 320, 200)), Unavailable, "(320)"),
        (method_frame(0, 10, 50, b""), Unavailable, "no reason given"),
        (method_frame(0, 10, 51), ProtocolError, "10.51"),
        (method_frame(1, 60, 50, b"\x00" * 9), ProtocolError, "60.50"),
        (b"HTTP/1.1 400 Bad Request\r\n\r\n", ProtocolError, "agreed on"),
    ],
)
def test_every_other_end_is_a_reason(url: str, said: bytes, kind: type[Exception], words: str) -> None:
    async def scenario(proxy: Proxy, stream: Stream) -> None:
        if said:
            proxy.speak(said)
        else:
            proxy.client.close()
        error = await stream.end()
        assert type(error) is kind
        assert words in str(error)

    behind_proxy(url, scenario)


@pytest.mark.parametrize(
    "address",
    [
        "amqp://guest:s3cret-pw@127.0.0.1:5672//",
        "amqp://guest:s3cret-pw@127.0.0.1:1//",
        "amqp://guest:s3cret-pw@127.0.0.1:1//;amqp://guest:s3cret-pw@127.0.0.1:2//",
        "amqp://guest:/s3cret-pw@127.0.0.1:5672//",
        "amqp://guest:s3cret-pw@[::1/",
        "amqp://guest:s3cret-pw@host?ssl_cert_reqs=perhaps",
        "librabbitmq://guest:s3cret-pw@127.0.0.1:5672//",
        "redis://guest:s3cret-pw@127.0.0.1:5672//",
    ],
)
def test_no_reason_quotes_the_password_r25(management: Any, address: str, caplog: pytest.LogCaptureFixture) -> None:
    async def main() -> str:
        with pytest.raises(Exception) as caught:  # noqa: PT011
            await RabbitMQEventSource(offer_context(broker_url=address)).run(Stream(address))
        return str(caught.value)

    said = asyncio.run(main())
    assert said
    assert "s3cret" not in said + caplog.text


def test_a_wrong_password_is_a_reason_r25(url: str) -> None:
    stream = Stream(url.replace("guest:guest", "guest:wrong"))

    async def main() -> None:
        async with stream.watched(connected=False):
            assert "ACCESS_REFUSED" in str(await stream.end())

    asyncio.run(main())


@pytest.mark.parametrize("address", ["redis://127.0.0.1:1/0", "librabbitmq://h//", "amqp://127.0.0.1:1//;sqs://h"])
def test_another_transport_s_url_names_the_way_out(address: str) -> None:
    with pytest.raises(ConfigurationError, match="--event_source=kombu"):
        asyncio.run(RabbitMQEventSource(offer_context(broker_url=address)).run(Stream(address)))


def test_the_next_url_of_a_failover_list_is_tried(url: str) -> None:
    stream = Stream(f"amqp://guest:guest@127.0.0.1:1//;{url}")

    async def scenario() -> None:
        await stream.publish({"n": 1}, url=url)
        await stream.until(lambda: stream.events == [{"n": 1}])

    watch(stream, scenario)


@pytest.mark.parametrize("patient", [False, True], ids=["cancelled", "left alone"])
def test_a_host_that_never_says_a_word_holds_nobody_up(patient: bool) -> None:
    async def main() -> None:
        arrived = asyncio.Event()

        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            arrived.set()
            await reader.read()
            writer.close()

        server = await asyncio.start_server(serve, "127.0.0.1", 0)
        place = f"127.0.0.1:{server.sockets[0].getsockname()[1]}"
        async with Stream(f"amqp://{place}//").watched(connected=False) as stream:
            await asyncio.wait_for(arrived.wait(), 5)
            if patient:
                assert str(await stream.end(6)) == f"The broker at {place} did not answer in time"
        server.close()

    asyncio.run(main())


@pytest.fixture(scope="session")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A certificate of 127.0.0.1 that signs itself, with its key in one file."""
    file = tmp_path_factory.mktemp("tls") / "cert.pem"
    words = "openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=localhost -addext subjectAltName=IP:127.0.0.1"
    subprocess.run([*words.split(), "-keyout", file, "-out", f"{file}.crt"], check=True, capture_output=True)
    file.write_text(file.read_text() + Path(f"{file}.crt").read_text())
    return file


def encrypted(url: str, certificate: Path, use_ssl: object, scenario: Callable[[Stream], Any], **how: bool) -> None:
    async def main() -> None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate)
        async with Proxy(context).running() as port:
            async with Stream(through(url, port), use_ssl).watched(**how) as stream:
                await scenario(stream)

    asyncio.run(main())


@pytest.mark.parametrize("scheme", ["amqp", "amqps"])
def test_events_arrive_over_tls_from_a_host_that_is_who_it_says(url: str, certificate: Path, scheme: str) -> None:
    use_ssl = {"ca_certs": str(certificate), "cert_reqs": ssl.CERT_REQUIRED, "server_hostname": None}

    async def scenario(stream: Stream) -> None:
        await stream.publish(*({"n": n, "pad": "x" * 1000} for n in range(2000)), {"pad": "x" * 500_000}, url=url)
        await stream.until(lambda: len(stream.bodies) == 2001)
        assert [event.get("n") for event in stream.events] == [*range(2000), None]

    encrypted(url.replace("amqp", scheme), certificate, use_ssl, scenario)
    assert use_ssl["server_hostname"] is None, "the app's own settings were changed"


@pytest.mark.parametrize(
    "use_ssl",
    [{"cert_reqs": ssl.CERT_REQUIRED}, {"cert_reqs": ssl.CERT_REQUIRED, "server_hostname": "elsewhere", "ca_certs": 1}],
    ids=["unknown authority", "another name"],
)
def test_a_host_that_is_not_who_it_says_gets_no_password(url: str, certificate: Path, use_ssl: Any) -> None:
    if "ca_certs" in use_ssl:
        use_ssl = {**use_ssl, "ca_certs": str(certificate)}

    async def scenario(stream: Stream) -> None:
        assert isinstance(await stream.end(), ssl.SSLCertVerificationError)

    encrypted(url, certificate, use_ssl, scenario, connected=False)
