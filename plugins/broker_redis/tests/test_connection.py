"""The connection against servers of all manners."""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import Awaitable, Callable

import hiredis
import pytest

from flower_broker_redis.connection import Connection, RefusedError


def talk(answer: bytes, scenario: Callable[[Connection], Awaitable[None]], deliver: object = None) -> None:
    """Run the scenario on a connection to a server that answers whatever it is told with these bytes."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while await reader.read(65536):
            writer.write(answer)
            if b"BYE" in answer:
                break
        writer.close()

    async def main() -> None:
        server = await asyncio.start_server(serve, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        connection = Connection(deliver if callable(deliver) else lambda payloads: None)
        await asyncio.get_running_loop().create_connection(lambda: connection, "127.0.0.1", port)
        try:
            await scenario(connection)
        finally:
            await connection.close()
            server.close()
        assert connection.ended.done()

    asyncio.run(main(), debug=True)


async def until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < deadline, "did not happen in time"
        await asyncio.sleep(0.01)


def test_an_answer_is_returned_and_an_error_is_raised_without_its_words() -> None:
    async def pong(connection: Connection) -> None:
        assert await connection.ask("PING", seconds=5) == b"PONG"

    async def error(connection: Connection) -> None:
        with pytest.raises(RefusedError, match=r"^NOPERM$") as caught:
            await connection.ask("PING", seconds=5)
        assert caught.value.code == "NOPERM"

    talk(b"+PONG\r\n", pong)
    talk(b"-NOPERM canary\r\n", error)


def test_a_server_that_says_nothing_is_given_up() -> None:
    async def scenario(connection: Connection) -> None:
        with pytest.raises(TimeoutError):
            await connection.ask("PING", seconds=0.05)

    talk(b"", scenario)


def test_a_server_that_hangs_up_is_noticed_while_an_answer_is_due() -> None:
    async def scenario(connection: Connection) -> None:
        begun = time.monotonic()
        with pytest.raises(ConnectionResetError):
            await connection.ask("PING", seconds=30)
        assert time.monotonic() - begun < 5
        connection.tell("PING")

    talk(b"$10\r\nBYE", scenario)


def test_what_is_not_the_protocol_ends_the_connection_and_nothing_else(caplog: pytest.LogCaptureFixture) -> None:
    async def scenario(connection: Connection) -> None:
        connection.tell("PING")
        assert isinstance(await asyncio.wait_for(connection.ended, 5), hiredis.ProtocolError)

    talk(b"HTTP/1.1 400 Bad Request\r\n\r\n", scenario)
    assert not [line for line in caplog.messages if "Fatal" in line]


def test_a_receiver_that_fails_ends_the_connection(caplog: pytest.LogCaptureFixture) -> None:
    def deliver(payloads: list[bytes]) -> None:
        raise RuntimeError(payloads[0])

    async def scenario(connection: Connection) -> None:
        connection.tell("PING")
        assert str(await asyncio.wait_for(connection.ended, 5)) == "b'x'"

    talk(b"*4\r\n$8\r\npmessage\r\n$1\r\np\r\n$1\r\nc\r\n$1\r\nx\r\n", scenario, deliver)
    assert not [line for line in caplog.messages if "Fatal" in line]


def test_messages_may_be_cut_anywhere() -> None:
    received: list[bytes] = []
    wire = b"".join(b"*4\r\n$8\r\npmessage\r\n$1\r\np\r\n$1\r\nc\r\n$2\r\n%02d\r\n" % n for n in range(50))

    async def main() -> None:
        for size in (1, 7, len(wire)):
            connection = Connection(received.extend)
            for start in range(0, len(wire), size):
                piece = wire[start : start + size]
                connection.get_buffer(-1)[: len(piece)] = piece
                connection.buffer_updated(len(piece))

    asyncio.run(main())
    assert received == [b"%02d" % n for n in range(50)] * 3


MESSAGE = b"*4\r\n$8\r\npmessage\r\n$1\r\np\r\n$1\r\nc\r\n$1\r\nx\r\n"


@pytest.mark.skipif(sys.platform != "linux", reason="the kernel counts bytes for us on Linux only")
def test_events_gather_until_somebody_is_about_to_look(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("flower_broker_redis.connection._GATHER_SECONDS", 60)
    received: list[bytes] = []

    async def scenario(connection: Connection) -> None:
        connection.tell("PING")
        await until(lambda: len(received) == 2)
        connection.tell("PING")
        await asyncio.sleep(0.2)
        assert len(received) == 2

        def looked() -> bool:
            connection.hurry()
            return len(received) == 4

        await until(looked)

    talk(MESSAGE * 2, scenario, received.extend)


def test_what_gathers_is_read_soon_anyway_and_then_at_once_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("flower_broker_redis.connection._GATHER_SECONDS", 0.02)
    received: list[bytes] = []

    async def scenario(connection: Connection) -> None:
        for number in (2, 4):
            connection.tell("PING")
            await until(lambda number=number: len(received) == number)
        await until(lambda: connection._timer is None)
        connection.tell("PING")
        await until(lambda: len(received) == 6)

    talk(MESSAGE * 2, scenario, received.extend)


def test_all_that_a_server_sent_before_it_closed_is_received() -> None:
    """More than one slice holds, so that reading goes on past the transport, up to the end."""
    received: list[bytes] = []
    message = b"*4\r\n$8\r\npmessage\r\n$1\r\np\r\n$1\r\nc\r\n$7000\r\n" + b"x" * 7000 + b"\r\n"

    async def scenario(connection: Connection) -> None:
        connection.tell("PING")
        await asyncio.wait_for(connection.ended, 10)

    talk(message * 1000 + b"+BYE\r\n", scenario, received.extend)
    assert received == [b"x" * 7000] * 1000
