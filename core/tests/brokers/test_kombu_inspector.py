"""Queue lengths through kombu, on every kind of transport there is to try."""

# mypy: allow-untyped-calls
# kombu is annotated in part.

from __future__ import annotations

import asyncio
import logging
import signal
import socket
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from types import SimpleNamespace

import pytest
from kombu import transport as kombu_transport
from kombu.connection import Connection
from kombu.transport.virtual import Channel as VirtualChannel
from kombu.transport.virtual import Transport as VirtualTransport

from flower.brokers.kombu_inspector import KombuInspector
from flower_plugins import Broker, BrokerInspector, NotFound, OfferContext, QueueStats, Unavailable
from flower_plugins.testing import BrokerInspectorContract, FakeSettings, offer_context

REDIS = "redis://127.0.0.1:6379/12"
RABBITMQ = "amqp://guest:guest@127.0.0.1:5672//"


def inspector(url: str, **options: object) -> KombuInspector:
    safe = url.replace("canary", "**")
    return KombuInspector(
        OfferContext(FakeSettings(), Broker(url, url.partition("://")[0], safe, options), logging.getLogger())
    )


def ask(asked: KombuInspector, names: Sequence[str]) -> Sequence[QueueStats]:
    return asyncio.run(asked.queues(names))


def need(url: str) -> None:
    port = 6379 if url == REDIS else 5672
    with socket.socket() as sock:
        if sock.connect_ex(("127.0.0.1", port)):
            pytest.skip(f"The broker on port {port} is not running: install redis-server and rabbitmq-server")


@pytest.fixture
def fill() -> Iterator[Callable[..., str]]:
    """Put three messages in a new queue and return its name; it is deleted afterwards."""
    made: list[tuple[Connection, str]] = []

    def put(url: str, **options: object) -> str:
        connection = Connection(url, transport_options=options)
        name = f"flower-test-{uuid.uuid4()}"
        queue = connection.SimpleQueue(name)
        made.append((connection, name))
        for number in range(3):
            queue.put(number)
        deadline = time.monotonic() + 5
        while queue.qsize() < 3:  # RabbitMQ takes messages in when it comes to them.
            assert time.monotonic() < deadline, "the messages did not arrive"
        queue.close()
        return name

    yield put
    for connection, name in made:
        connection.default_channel.queue_delete(name)
        connection.release()


class TestContract(BrokerInspectorContract):
    @pytest.fixture(autouse=True)
    def prepare(self, fill: Callable[..., str]) -> None:
        need(RABBITMQ)
        self.queue = fill(RABBITMQ)

    def make(self) -> BrokerInspector:
        return KombuInspector(offer_context(broker_url=RABBITMQ))

    def make_unreachable(self) -> BrokerInspector:
        return KombuInspector(offer_context(broker_url="amqp://guest:guest@127.0.0.1:1//"))

    def filled(self) -> tuple[str, int]:
        return self.queue, 3


def test_rabbitmq_tells_of_consumers_and_leaves_out_queues_it_does_not_have(fill: Callable[..., str]) -> None:
    need(RABBITMQ)
    name = fill(RABBITMQ)
    rows = ask(inspector(RABBITMQ), ["flower-test-none", name, "flower-test-neither"])
    assert rows == [QueueStats(name, messages=3, ready=3, consumers=0)]


def test_redis_counts_messages_and_an_empty_queue_has_none(fill: Callable[..., str]) -> None:
    need(REDIS)
    name = fill(REDIS)
    rows = ask(inspector(REDIS), [name, "flower-test-none"])
    assert rows == [QueueStats(name, messages=3), QueueStats("flower-test-none", messages=0)]


def test_a_transport_without_server_works_as_well(
    fill: Callable[..., str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Kombu remembers which class a scheme stands for, which the demo changes for this one.
    monkeypatch.setattr("kombu.transport._transport_cache", {})
    (tmp_path / "control").mkdir()
    folder = str(tmp_path)
    options = {"data_folder_in": folder, "data_folder_out": folder, "control_folder": str(tmp_path / "control")}
    name = fill("filesystem://localhost//", **options)
    rows = ask(inspector("filesystem://localhost//", **options), [name])
    assert rows == [QueueStats(name, messages=3)]


@pytest.mark.parametrize(
    "url",
    ["redis://:canary@127.0.0.1:1/0", "amqp://u:canary@127.0.0.1:1//", "redis://:canary@h/abc"],
)
def test_what_cannot_be_reached_is_unavailable_without_a_word_of_its_password(url: str) -> None:
    with pytest.raises(Unavailable) as caught:
        ask(inspector(url), ["a"])
    assert "canary" not in caught.value.message


class Carrier(VirtualTransport):
    """Carries messages in a bag that nobody can look into."""

    class Channel(VirtualChannel):
        def _put(self, queue: str, message: object, **kwargs: object) -> None:
            raise NotImplementedError


@pytest.mark.parametrize("scheme", ["nosuch", "carrier"])
def test_a_broker_that_cannot_count_is_not_supported(scheme: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "carrier_transport", SimpleNamespace(Carrier=Carrier))
    monkeypatch.setitem(kombu_transport.TRANSPORT_ALIASES, "carrier", "carrier_transport:Carrier")
    monkeypatch.setattr(kombu_transport, "_transport_cache", {})
    with pytest.raises(NotFound, match=f"^'{scheme}' broker is not supported$"):
        ask(inspector(f"{scheme}://u:canary@h"), ["a"])


def test_a_missing_library_is_named() -> None:
    with pytest.raises(Unavailable, match="What kombu needs for the 'zookeeper' broker is not installed") as caught:
        ask(inspector("zookeeper://u:canary@h"), ["a"])
    assert "canary" not in caught.value.message


@pytest.mark.system
def test_a_hanging_broker_holds_one_thread_and_no_more(redis_server: tuple[str, subprocess.Popen[bytes]]) -> None:
    """R19."""
    url, process = redis_server

    async def scenario() -> None:
        asked = inspector(url)
        assert [row.messages for row in await asked.queues(["a"])] == [0]
        process.send_signal(signal.SIGSTOP)
        try:
            with pytest.raises(asyncio.TimeoutError):
                await asyncio.wait_for(asked.queues(["a"]), 0.3)
            begun = time.monotonic()
            with pytest.raises(Unavailable, match="has not answered the last question yet"):
                await asked.queues(["a"])
            assert time.monotonic() - begun < 1
        finally:
            process.send_signal(signal.SIGCONT)
        deadline = time.monotonic() + 10
        while (lengths := await lengths_or_none(asked)) is None:
            assert time.monotonic() < deadline
            await asyncio.sleep(0.05)
        assert lengths == [0]

    asyncio.run(scenario())


async def lengths_or_none(asked: KombuInspector) -> list[int | None] | None:
    try:
        return [row.messages for row in await asked.queues(["a"])]
    except Unavailable:
        return None
