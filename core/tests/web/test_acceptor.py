"""Accepting when there is nothing left to accept with."""

from __future__ import annotations

import asyncio
import errno
import socket
import time
from collections.abc import Callable
from typing import Any

import pytest

from flower.web.acceptor import Acceptor
from flower.web.connections import Connection, Connections, Limits


class Full(socket.socket):
    """A listening socket of a process that has no file descriptor left, for so many tries."""

    failures = 0
    tries = 0

    def accept(self) -> Any:
        self.tries += 1
        if self.tries <= self.failures:
            raise OSError(errno.EMFILE, "Too many open files")
        return super().accept()


def accepting(failures: int, rest: int, then: Callable[[Full, list[Connection]], None]) -> None:
    """Check `then` once a client got in, after so many failures and with so many resting connections to give up."""

    async def run() -> None:
        books, closed = Connections(Limits(total=10, per_address=10), lambda _: True), []
        for _ in range(rest):
            resting = books.admit("a")
            assert resting is not None
            resting.close = lambda gone=resting: closed.append(gone)  # type: ignore[misc]
        served: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        with Full() as listening:
            listening.failures = failures
            listening.bind(("127.0.0.1", 0))
            listening.listen()
            listening.setblocking(False)
            acceptor = Acceptor(books, None, lambda stream, _: served.set_result(stream), 1000)
            acceptor.start([listening])
            with socket.create_connection(listening.getsockname()):
                stream = await served
                then(listening, closed)
                stream.close()
            acceptor.stop()
        assert len(books) == rest - len(closed)
        books.end()

    asyncio.run(asyncio.wait_for(run(), 5))


def test_without_file_descriptors_nothing_spins_and_the_log_has_one_line(caplog: pytest.LogCaptureFixture) -> None:
    """R48: ten tries a second"""
    began = time.monotonic()

    def then(listening: Full, closed: list[Connection]) -> None:
        assert time.monotonic() - began > 0.35
        assert closed == []

    accepting(4, 0, then)
    (line,) = caplog.messages
    assert line == "A connection could not be accepted: Too many open files"


def test_without_file_descriptors_connections_that_rest_go() -> None:
    """R48"""

    def then(listening: Full, closed: list[Connection]) -> None:
        assert listening.tries >= 4
        assert len(closed) == 3

    accepting(3, 5, then)
