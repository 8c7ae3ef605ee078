"""The publisher: a process of its own that encodes first and then only writes to a socket.

It reads one JSON command a line on its input and answers each with one line. Times are those of
`time.monotonic()`, which all processes of a machine share.
"""

from __future__ import annotations

import argparse
import gc
import io
import json
import select
import socket
import subprocess
import sys
import time
from abc import ABC, abstractmethod
from bisect import bisect_right
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import amqp
from tests.bench.churn import Churn
from tests.bench.traffic import Traffic, marker_uuid
from tests.bench.wire import EXCHANGE, AmqpWire, RedisWire, Wire, grouped

__all__ = ["CHURN", "STEADY", "Publisher", "Sending", "publishing"]

ROOT = Path(__file__).resolve().parents[2]
STEADY, CHURN = "steady", "churn"
"""Kinds of traffic: of a cluster that stays as it is, and of one in which nothing stays."""

_TICK = 0.001
_PIECE = 400
_ANSWER_SECONDS = 600.0


@dataclass(frozen=True)
class Prepared:
    """What is ready to go. `tasks` counts the tasks begun since the publisher's start."""

    run: int
    events: int
    messages: int
    octets: int
    markers: int
    tasks: int


@dataclass(frozen=True)
class Sending:
    """What was sent, and when: `flushed` is when the broker had taken all of it."""

    events: int
    begun: float
    ended: float
    flushed: float
    markers: tuple[float, ...]

    @property
    def rate(self) -> float:
        """Events a second, until the last was written."""
        return self.events / max(self.ended - self.begun, 1e-9)


class Publisher:
    """The parent's end of the pipe."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process

    def prepare(self, events: int, *, every: int = 0, multi: bool = False, heartbeats: bool = True) -> Prepared:
        """Encode this many events, a marker after each `every`, and a marker at the end."""
        return Prepared(**self._ask(do="prepare", events=events, every=every, multi=multi, heartbeats=heartbeats))

    def send(self, rate: float | None = None) -> Sending:
        """Send what was prepared, this many events a second or as fast as the broker takes them."""
        self.begin(rate)
        return self.finish()

    def begin(self, rate: float | None = None) -> None:
        """Start sending, and return at once."""
        self._say(do="send", rate=rate)

    @property
    def sending(self) -> bool:
        """Whether what was begun goes on."""
        assert self._process.stdout is not None
        return not select.select([self._process.stdout], [], [], 0)[0]

    def stop(self) -> None:
        """Cut short what was begun; `finish` tells how far it got."""
        self._say(do="stop")

    def finish(self) -> Sending:
        """Wait for the end of what was begun."""
        answer = self._hear()
        return Sending(**{**answer, "markers": tuple(answer["markers"])})

    def _ask(self, **command: Any) -> dict[str, Any]:
        self._say(**command)
        return self._hear()

    def _say(self, **command: Any) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(command) + "\n")
        self._process.stdin.flush()

    def _hear(self) -> dict[str, Any]:
        assert self._process.stdout is not None
        if not select.select([self._process.stdout], [], [], _ANSWER_SECONDS)[0]:
            raise RuntimeError("the publisher does not answer")
        line = self._process.stdout.readline()
        if not line:
            raise RuntimeError(f"the publisher ended with {self._process.wait()}")
        answer: dict[str, Any] = json.loads(line)
        return answer


@contextmanager
def publishing(url: str, traffic: str = STEADY) -> Iterator[Publisher]:
    """Run a publisher for this broker."""
    words = [sys.executable, "-m", "tests.bench.publisher", url, traffic]
    process = subprocess.Popen(words, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1)
    try:
        yield Publisher(process)
    finally:
        process.kill()
        process.communicate()


class Outlet(ABC):
    """A connection to a broker that takes pre-encoded messages."""

    wire: Wire
    socket: socket.socket

    @abstractmethod
    def flush(self) -> None:
        """Return when the broker has taken everything written so far."""


class RedisOutlet(Outlet):
    """Replies are switched off, so that nobody needs to read them."""

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        self.wire = RedisWire(int(parts.path.strip("/") or 0))
        self.socket = socket.create_connection((parts.hostname or "127.0.0.1", parts.port or 6379))
        self.socket.sendall(b"CLIENT REPLY OFF\r\n")

    def flush(self) -> None:
        self.socket.sendall(b"CLIENT REPLY ON\r\n")
        if not self.socket.recv(64).startswith(b"+OK"):
            raise RuntimeError("Redis did not confirm the end of a run")
        self.socket.sendall(b"CLIENT REPLY OFF\r\n")


class AmqpOutlet(Outlet):
    """py-amqp opens the connection; the frames are ours."""

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        self._connection = amqp.Connection(
            f"{parts.hostname}:{parts.port or 5672}",
            parts.username or "guest",
            parts.password or "guest",
            virtual_host=parts.path.removeprefix("/") or "/",
            heartbeat=0,
        )
        self._connection.connect()
        self._channel = self._connection.channel(1)
        self._channel.exchange_declare(EXCHANGE, "topic", durable=True, auto_delete=False)
        self.wire = AmqpWire(self._connection.frame_max)
        self.socket = self._connection.transport.sock
        self.socket.settimeout(None)

    def flush(self) -> None:
        # An answer to anything on the same channel comes after what was published before it.
        self._channel.exchange_declare(EXCHANGE, "topic", passive=True)


class Press:
    """What the child process does: prepare, then send."""

    def __init__(self, outlet: Outlet, commands: io.RawIOBase, traffic: Traffic | Churn) -> None:
        self._outlet = outlet
        self._commands = commands
        self._traffic = traffic
        self._run = 0
        self._messages: list[bytes] = []
        self._events: list[int] = []
        self._markers: list[int] = []

    def prepare(self, events: int, every: int, multi: bool, heartbeats: bool) -> dict[str, int]:
        """Encode the next events; heartbeats go before the first of them."""
        self._run += 1
        self._messages, self._events, self._markers = [], [], []
        encode, total, marked = self._outlet.wire.encode, 0, 0
        payloads: Any = islice(self._traffic, events)
        ahead = b"".join(map(encode, self._traffic.heartbeats())) if heartbeats else b""
        for payload in grouped(payloads) if multi else payloads:
            total += len(payload) if isinstance(payload, list) else 1
            self._messages.append(encode(payload))
            self._events.append(total)
            if every and total // every > marked:
                marked = total // every
                total += 1
                self._mark(total)
        self._mark(total + 1)
        octets = sum(map(len, self._messages))
        self._messages[0] = ahead + self._messages[0]
        return {
            "run": self._run,
            "events": total + 1,
            "messages": len(self._messages),
            "octets": octets,
            "markers": len(self._markers),
            "tasks": self._traffic.tasks,
        }

    def send(self, rate: float | None) -> dict[str, Any]:
        """Write the prepared messages; a line on the input ends it early."""
        write, messages, total = self._outlet.socket.sendall, self._messages, self._events
        clock, times = time.monotonic, list[float]()
        markers = iter([*self._markers, len(messages)])
        marker = next(markers)
        at, end = 0, len(messages)
        begun = clock()
        while at < end:
            now = clock()
            upto = end if rate is None else bisect_right(total, (now - begun) * rate, at)
            upto = min(upto, at + _PIECE)
            if upto == at:
                if select.select([self._commands], [], [], _TICK)[0]:
                    self._commands.readline()
                    break
                continue
            while marker < upto:
                times.append(now)
                marker = next(markers)
            write(b"".join(messages[at:upto]))
            at = upto
        ended = clock()
        self._outlet.flush()
        sent = total[at - 1] if at else 0
        return {"events": sent, "begun": begun, "ended": ended, "flushed": clock(), "markers": times}

    def _mark(self, total: int) -> None:
        uuid = marker_uuid(self._run, len(self._markers))
        self._markers.append(len(self._messages))
        self._messages.append(self._outlet.wire.encode(self._traffic.marker(uuid)))
        self._events.append(total)


def main() -> None:
    """Obey commands until the input ends."""
    parser = argparse.ArgumentParser(description="Publish events as told on standard input.")
    parser.add_argument("url")
    parser.add_argument("traffic", choices=(STEADY, CHURN))
    options = parser.parse_args()
    url = options.url
    # Unbuffered: what a buffer has read ahead, select does not see.
    commands = io.FileIO(sys.stdin.fileno(), closefd=False)
    traffic = Churn() if options.traffic == CHURN else Traffic()
    press = Press(RedisOutlet(url) if url.startswith("redis") else AmqpOutlet(url), commands, traffic)
    gc.disable()
    while line := commands.readline():
        command = json.loads(line)
        action = command.pop("do")
        if action == "prepare":
            answer = press.prepare(**command)
        elif action == "send":
            answer = press.send(**command)
        else:
            continue
        sys.stdout.write(json.dumps(answer) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
