"""Measuring from outside: processor time and memory as the kernel counts them, answers as a client sees them."""

from __future__ import annotations

import re
import socket
import time
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

__all__ = ["Client", "Lag", "Latency", "Response", "cpu_seconds", "open_files", "percentile", "pss_bytes", "threads"]

_CPU_CLOCK = 2
_POLL = 0.01


def cpu_seconds(pid: int) -> float:
    """Return the processor time a process and its living descendants have used."""
    # The clock of another process: clock_getcpuclockid(3), which Python does not offer.
    total = 0.0
    for each in _family(pid):
        with suppress(OSError):
            total += time.clock_gettime((~each << 3) | _CPU_CLOCK)
    return total


def pss_bytes(pid: int) -> int:
    """Return the proportional set size of a process and its descendants."""
    total = 0
    for each in _family(pid):
        with suppress(OSError):
            found = re.search(r"^Pss:\s+(\d+) kB", Path(f"/proc/{each}/smaps_rollup").read_text(), re.MULTILINE)
            total += int(found[1]) * 1024 if found else 0
    return total


def open_files(pid: int) -> int:
    """Return how many file descriptors a process and its descendants hold."""
    total = 0
    for each in _family(pid):
        with suppress(OSError):
            total += len(list(Path(f"/proc/{each}/fd").iterdir()))
    return total


def threads(pid: int) -> int:
    """Return how many threads a process and its descendants have."""
    total = 0
    for each in _family(pid):
        with suppress(OSError):
            total += len(list(Path(f"/proc/{each}/task").iterdir()))
    return total


def percentile(values: Sequence[float], share: float) -> float:
    """Return the smallest value that at least this share of all values does not exceed."""
    ordered = sorted(values)
    return ordered[max(0, -int(-share * len(ordered) // 1) - 1)]


@dataclass(frozen=True)
class Response:
    """Status and body of an answer, and how long it took in seconds."""

    status: int
    body: bytes
    seconds: float


@dataclass(frozen=True)
class Latency:
    """Percentiles of `count` answers, in seconds."""

    p50: float
    p99: float
    count: int

    @classmethod
    def of(cls, seconds: Sequence[float]) -> Latency:
        return cls(percentile(seconds, 0.5), percentile(seconds, 0.99), len(seconds))


class Client:
    """One connection that is kept alive; as little work of its own as possible, so that the server's shows.

    `headers` are sent with every request, each with its line's end.
    """

    headers = ""

    def __init__(self, port: int, timeout: float = 60.0) -> None:
        self._port = port
        self._timeout = timeout
        self._socket: socket.socket | None = None
        self._rest = b""

    def get(self, path: str) -> Response:
        """Return the answer; connect again when the server closed an idle connection."""
        request = f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{self._port}\r\nAccept: */*\r\n{self.headers}\r\n".encode()
        begun = time.perf_counter()
        try:
            status, body = self._exchange(request)
        except (BrokenPipeError, ConnectionResetError, EOFError):
            self.close()
            begun = time.perf_counter()
            status, body = self._exchange(request)
        return Response(status, body, time.perf_counter() - begun)

    def latency(self, path: str, seconds: float, at_least: int = 3, at_most: int = 400) -> Latency | int:
        """Ask again and again; return the latency, or the status where that is not 200."""
        first = self.get(path)
        if first.status != 200:
            return first.status
        times: list[float] = []
        until = time.monotonic() + seconds
        while len(times) < at_most and (len(times) < at_least or time.monotonic() < until):
            response = self.get(path)
            if response.status != 200:
                return response.status
            times.append(response.seconds)
        return Latency.of(times)

    def total(self, family: str) -> float:
        """Return the sum of a metric over all its labels."""
        pattern = rb"^%s(?:\{.*\})? (\S+)" % family.encode()
        return sum(float(value) for value in re.findall(pattern, self.get("/metrics").body, re.MULTILINE))

    def close(self) -> None:
        """Hang up."""
        if self._socket is not None:
            self._socket.close()
        self._socket, self._rest = None, b""

    def _exchange(self, request: bytes) -> tuple[int, bytes]:
        if self._socket is None:
            self._socket = socket.create_connection(("127.0.0.1", self._port), self._timeout)
            self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._socket.sendall(request)
        head = self._until(b"\r\n\r\n").lower()
        status = int(head[9:12])
        if b"\r\ntransfer-encoding: chunked" in head:
            return status, b"".join(self._chunks())
        length = re.search(rb"\r\ncontent-length: *(\d+)", head)
        return status, self._exactly(int(length[1]) if length else 0)

    def _chunks(self) -> Iterator[bytes]:
        while True:
            size = int(self._until(b"\r\n").split(b";")[0], 16)
            chunk = self._exactly(size + 2)
            if not size:
                return
            yield chunk[:-2]

    def _until(self, end: bytes) -> bytes:
        while end not in self._rest:
            self._rest += self._more()
        found, _, self._rest = self._rest.partition(end)
        return found + end

    def _exactly(self, size: int) -> bytes:
        pieces, have = [self._rest], len(self._rest)
        while have < size:
            pieces.append(self._more())
            have += len(pieces[-1])
        whole = b"".join(pieces)
        self._rest = whole[size:]
        return whole[:size]

    def _more(self) -> bytes:
        assert self._socket is not None
        data = self._socket.recv(1 << 18)
        if not data:
            raise EOFError
        return data


class Lag:
    """Watches for markers, in the order in which they are sent, and notes when each became visible."""

    def __init__(self, client: Client, uuids: Sequence[str]) -> None:
        self._client = client
        self._uuids = uuids
        self.seen: list[float] = []
        """Times by `time.monotonic()`, one per marker."""

    @property
    def complete(self) -> bool:
        """Whether all markers were seen."""
        return len(self.seen) == len(self._uuids)

    def look(self) -> bool:
        """Ask for the first marker not yet seen; wait a little when it is not there."""
        asked = time.monotonic()
        if self._client.get(f"/api/task/info/{self._uuids[len(self.seen)]}").status == 200:
            self.seen.append(time.monotonic())
            return True
        time.sleep(max(0.0, _POLL - (time.monotonic() - asked)))
        return False

    def close(self) -> None:
        """Hang up; looking connects again."""
        self._client.close()

    def behind(self, sent: Sequence[float]) -> list[float]:
        """Return the seconds from sent to visible; infinite for markers never seen."""
        known = [seen - begun for begun, seen in zip(sent, self.seen, strict=False)]
        return known + [float("inf")] * (len(sent) - len(known))


def _family(pid: int) -> list[int]:
    found = [pid]
    for each in found:
        with suppress(OSError):
            for task in Path(f"/proc/{each}/task").iterdir():
                found += [int(child) for child in (task / "children").read_text().split()]
    return found
