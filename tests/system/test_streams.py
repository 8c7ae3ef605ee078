"""Streams of a running Flower: who does not read costs little, is cut off, and harms nobody else."""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote

import httpx
import pytest
from tests.system.support import Launcher, Publisher, Room, RunningFlower, until

pytestmark = pytest.mark.system

CLIENTS = 200
MOST_MEMORY = 50 * 2**20
TOPICS = 48
LONG = "x" * 250


def uuid(number: int) -> str:
    """Return a task id as long as a topic allows: fifty of them make a message of 15 KB."""
    return f"{number:02}-{LONG}"


def connections(flower: RunningFlower) -> int:
    """Return how many sockets the process holds."""
    found = 0
    for each in Path(f"/proc/{flower.process.popen.pid}/fd").iterdir():
        with contextlib.suppress(OSError):
            found += str(each.readlink()).startswith("socket:")
    return found


@contextmanager
def silent(flower: RunningFlower, number: int) -> Iterator[None]:
    """Have so many clients ask for every change of many tasks, and read nothing."""
    address = httpx.URL(flower.url)
    topics = ",".join(["tasks", "workers", *(f"task:{uuid(each)}" for each in range(TOPICS))])
    request = f"GET /stream?topics={quote(topics)} HTTP/1.1\r\nHost: {address.netloc.decode()}\r\n\r\n".encode()
    with contextlib.ExitStack() as stack:
        for _ in range(number):
            client = stack.enter_context(socket.socket())
            client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            client.connect((address.host, address.port or 80))
            client.sendall(request)
        yield


class Reader(threading.Thread):
    """Somebody who reads, and notes when changes came."""

    def __init__(self, flower: RunningFlower) -> None:
        super().__init__(daemon=True)
        self._url, self.heard, self.done = f"{flower.url}/stream?topics=tasks", list[float](), False

    def run(self) -> None:
        with httpx.Client(timeout=20) as client, client.stream("GET", self._url) as answer:
            for line in answer.iter_lines():
                if line.startswith("event: change"):
                    self.heard.append(time.monotonic())
                if self.done:
                    return


def test_clients_that_never_read_are_cut_off_and_others_notice_nothing(quiet_room: Room, launch: Launcher) -> None:
    """BAR R42."""
    flower = launch.flower(quiet_room)
    with Publisher(quiet_room) as publisher:

        def change() -> bool:
            """Send an event of each task; False, so that whoever waits goes on."""
            for number in range(TOPICS):
                publisher.send(
                    {
                        "type": "task-received",
                        "uuid": uuid(number),
                        "name": "shop.pay",
                        "hostname": "w1@shop",
                        "timestamp": time.time(),
                        "clock": int(time.monotonic() * 1000),
                        "pid": 1,
                        "utcoffset": 0,
                    }
                )
            return False

        until(lambda: change() or flower.get(f"/task/{uuid(0)}").status_code == 200, "events arrive")
        reader = Reader(flower)
        reader.start()
        until(lambda: reader.heard, "the reader is told")
        held, memory = connections(flower), flower.process.memory()
        slowest, most = 0.0, 0
        with silent(flower, CLIENTS):
            until(lambda: connections(flower) >= held + CLIENTS, "all clients are connected")

            def cut_off() -> bool:
                nonlocal slowest, most
                change()
                begun = time.monotonic()
                assert flower.get("/workers").status_code == 200
                slowest = max(slowest, time.monotonic() - begun)
                most = max(most, flower.process.memory())
                return connections(flower) <= held + 2

            begun = time.monotonic()
            until(cut_off, "every client that does not read is cut off")
            until(lambda: change() or reader.heard[-1] > begun + 1, "the reader is told still")
        reader.done = True
    assert most - memory < MOST_MEMORY
    assert slowest < 2
    pauses = [later - before for before, later in zip(reader.heard, reader.heard[1:], strict=False)]
    assert max(pauses) < 5
    assert "Traceback" not in flower.process.output()
