"""A stranger's tools against a real process: half requests, huge bodies, borrowed headers, names that forge lines."""

from __future__ import annotations

import contextlib
import selectors
import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from tests.system.support import BIN, Launcher, Room, RunningFlower

pytestmark = pytest.mark.system

FILES = 256
HALF_REQUESTS = 300
CLIENTS = 50
BODY = 90_000_000
PIECE = b"x" * 1_000_000
HALF = b"GET / HTTP/1.1\r\nHost: localhost\r\nX-Slow: "
POST = b"POST /api/task/send-task/shop.pay HTTP/1.1\r\nHost: localhost\r\n"
KNOWN = b"Authorization: Basic YW5uOnNlY3JldA==\r\n"


class Slowloris:
    """Keeps half requests open, drips a byte into each twice a second, and replaces those that were closed."""

    def __init__(self, place: tuple[str, int], count: int) -> None:
        self._place, self._count = place, count
        self._open: dict[socket.socket, float] = {}
        self._selector = selectors.DefaultSelector()
        self._ending = threading.Event()
        self._thread = threading.Thread(target=self._attack)
        self.longest = 0.0
        """The longest that a half request stayed open, in seconds."""
        self.closed = 0

    def __enter__(self) -> Slowloris:
        self._thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._ending.set()
        self._thread.join(10)
        for sock in self._open:
            sock.close()
        self._selector.close()

    def _attack(self) -> None:
        while not self._ending.is_set():
            while len(self._open) < self._count and not self._ending.is_set():
                self._add()
            for key, _ in self._selector.select(0.2):
                self._drop(key.fileobj)  # readable: the server has closed it
            for sock in tuple(self._open):
                try:
                    sock.send(b"x")
                except OSError:
                    self._drop(sock)

    def _add(self) -> None:
        sock = socket.create_connection(self._place, 5)
        sock.setblocking(False)
        sock.send(HALF)
        self._selector.register(sock, selectors.EVENT_READ)
        self._open[sock] = time.monotonic()

    def _drop(self, sock: object) -> None:
        assert isinstance(sock, socket.socket)
        self._selector.unregister(sock)
        self.longest = max(self.longest, time.monotonic() - self._open.pop(sock))
        self.closed += 1
        sock.close()


@pytest.fixture
def with_few_files(tmp_path: Path) -> Path:
    """Return a `celery` that may open few files."""
    program = tmp_path / "celery"
    program.write_text(f'#!/bin/sh\nulimit -n {FILES}\nexec {BIN / "celery"} "$@"\n')
    program.chmod(0o755)
    return program


def place_of(flower: RunningFlower) -> tuple[str, int]:
    url = httpx.URL(flower.url)
    return url.host, int(url.port or 0)


def slowest_health_check(flower: RunningFlower, seconds: float) -> float:
    """Ask on a new connection each time; return the longest answer in seconds."""
    slowest, end = 0.0, time.monotonic() + seconds
    while time.monotonic() < end:
        began = time.monotonic()
        assert httpx.get(f"{flower.url}/healthcheck", timeout=5).text == "OK"
        slowest = max(slowest, time.monotonic() - began)
        time.sleep(0.05)
    return slowest


def test_half_requests_keep_nobody_out(launch: Launcher, redis_room: Room, with_few_files: Path) -> None:
    """S47, R48: 300 half requests against 256 files; every connection that stays has ten seconds for its headers."""
    flower = launch.flower(redis_room, program=with_few_files)
    before, began = len(flower.process.output().splitlines()), time.monotonic()
    with Slowloris(place_of(flower), HALF_REQUESTS) as attack:
        assert slowest_health_check(flower, 3) < 1
    assert attack.closed > HALF_REQUESTS  # they kept coming
    lines = len(flower.process.output().splitlines()) - before
    assert lines <= 10 * (time.monotonic() - began)
    with Slowloris(place_of(flower), 20) as attack:  # few enough for nobody to have to go
        assert slowest_health_check(flower, 11) < 1
    assert 9 < attack.longest < 11
    assert attack.closed == 20
    assert flower.get("/tasks").status_code == 200


def test_huge_bodies_leave_memory_flat(launch: Launcher, redis_room: Room) -> None:
    """S46: by their length and in pieces, from strangers and from people who may act."""
    flower = launch.flower(redis_room, "--basic_auth=ann:secret")
    for path in ("/", "/tasks", "/workers", "/healthcheck"):
        assert flower.get(path, auth=("ann", "secret")).status_code == 200
    with growth_of(flower) as grown:
        answers: list[bytes] = []
        threads = [threading.Thread(target=pour, args=(place_of(flower), each, answers)) for each in range(CLIENTS)]
        for thread in threads:
            thread.start()
        assert slowest_health_check(flower, 1) < 1
        for thread in threads:
            thread.join(15)
    assert sorted({answer[:12] for answer in answers}) == [b"HTTP/1.1 401", b"HTTP/1.1 413"]
    assert len(answers) == CLIENTS
    assert max(grown) < 20_000_000


def pour(place: tuple[str, int], number: int, answers: list[bytes]) -> None:
    """Send 90 MB, whatever the server says, and note how its answer begins."""
    chunked, known = number % 2, number % 4 > 1
    framing = b"Transfer-Encoding: chunked" if chunked else b"Content-Length: %d" % BODY
    piece = b"%x\r\n%s\r\n" % (len(PIECE), PIECE) if chunked else PIECE
    answer = b""
    with socket.create_connection(place, 15) as sock, contextlib.suppress(OSError):
        sock.sendall(POST + (KNOWN if known else b"") + framing + b"\r\n\r\n")
        for _ in range(BODY // len(PIECE)):
            sock.sendall(piece)
            if not answer and is_readable(sock):
                answer = sock.recv(1000)
    answers.append(answer)


def is_readable(sock: socket.socket) -> bool:
    with selectors.DefaultSelector() as selector:
        selector.register(sock, selectors.EVENT_READ)
        return bool(selector.select(0))


@contextlib.contextmanager
def growth_of(flower: RunningFlower) -> Iterator[list[int]]:
    """Measure, twenty times a second, by how many bytes memory has grown since the block began."""
    before, grown, ending = flower.process.memory(), [0], threading.Event()

    def measure() -> None:
        while not ending.wait(0.05):
            grown.append(flower.process.memory() - before)

    thread = threading.Thread(target=measure)
    thread.start()
    try:
        yield grown
    finally:
        ending.set()
        thread.join(5)
