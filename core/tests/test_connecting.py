"""Connections to sockets that accept and say nothing, and to those that are not there."""

# mypy: allow-untyped-calls
# kombu is annotated in part.

from __future__ import annotations

import socket
import time
from collections.abc import Iterator
from typing import Any

import pytest
from kombu.connection import Connection
from kombu.exceptions import OperationalError

from flower.connecting import open_bounded


@pytest.fixture
def silent() -> Iterator[int]:
    """Port of a server that takes connections and never answers."""
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        server.listen()
        yield int(server.getsockname()[1])


@pytest.mark.parametrize("scheme", ["amqp", "redis"])
def test_a_broker_that_says_nothing_is_given_up(scheme: str, silent: int) -> None:
    connection = Connection(f"{scheme}://127.0.0.1:{silent}")
    begun = time.monotonic()
    with pytest.raises(OperationalError):
        open_bounded(connection, connect=0.2, answer=0.2)
    assert time.monotonic() - begun < 5
    connection.release()


@pytest.mark.parametrize(
    ("url", "option", "ours"),
    [
        ("amqp://127.0.0.1:1", "read_timeout", 2.0),
        ("amqp://127.0.0.1:1", "confirm_publish", True),
        ("redis://127.0.0.1:1", "socket_timeout", 2.0),
        ("redis://127.0.0.1:1", "socket_connect_timeout", 1.0),
    ],
)
@pytest.mark.parametrize("given", [{}, {"mine": 7}, {"option": 7}])
def test_an_option_that_the_user_set_wins(url: str, option: str, ours: object, given: dict[str, Any]) -> None:
    options = {option if name == "option" else name: value for name, value in given.items()}
    connection = Connection(url, transport_options=options)
    with pytest.raises(OperationalError):
        open_bounded(connection, connect=1.0, answer=2.0, confirm_publish=True)
    used = connection.transport_options
    assert {option: ours, **options}.items() <= used.items()


def test_other_transports_get_no_options_they_do_not_know() -> None:
    with Connection("memory://") as connection:
        open_bounded(connection, connect=1, answer=1, confirm_publish=True)
        assert connection.connected
        assert connection.transport_options == {}


def test_each_url_of_a_failover_list_is_tried_once() -> None:
    urls = [f"redis://127.0.0.1:{port}" for port in (1, 2, 3)]
    with Connection([*urls, "memory://"]) as connection:
        open_bounded(connection, connect=1, answer=1)
        assert connection.connected
    with pytest.raises(OperationalError):
        open_bounded(Connection(urls), connect=1, answer=1)
