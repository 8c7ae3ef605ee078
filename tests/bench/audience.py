"""The audience: open pages in a process of its own, each with a stream, that fetch their fragment as live.js does.

`python -m tests.bench.audience PORT VIEWERS PATH TOPICS SECONDS` says "open" once all streams stand, looks on for so
long, and then says in one line of JSON what it saw.
"""

from __future__ import annotations

import asyncio
import json
import re
import sys
import time
from collections import Counter
from dataclasses import dataclass, field

from tests.bench.probe import percentile

__all__ = ["Viewer", "main"]

_PACE = 0.5
_OPENING = 50


@dataclass
class Seen:
    """What all viewers saw together: seconds of each answer, bytes, statuses, and messages of the streams."""

    seconds: list[float] = field(default_factory=list)
    octets: int = 0
    statuses: Counter[int] = field(default_factory=Counter)
    messages: int = 0
    counting: bool = False


class Viewer:
    """One open page: a stream, and a kept-alive connection for its fragments."""

    def __init__(self, port: int, path: str, topics: str, seen: Seen, pace: float = _PACE) -> None:
        self._port, self._path, self._topics, self._seen, self._pace = port, path, topics, seen, pace
        self._changed = asyncio.Event()
        self._tag = ""
        self.open = asyncio.Event()

    async def watch(self) -> None:
        """Follow the stream and fetch what changed, until cancelled."""
        await asyncio.gather(self._listen(), self._refresh())

    async def _listen(self) -> None:
        while True:
            reader, writer = await asyncio.open_connection("127.0.0.1", self._port)
            writer.write(self._request(f"/stream?topics={self._topics}"))
            try:
                while line := await reader.readline():
                    self.open.set()
                    if line.startswith(b"event: change"):
                        self._seen.messages += self._seen.counting
                        self._changed.set()
            finally:
                writer.close()

    async def _refresh(self) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", self._port)
        last = 0.0
        try:
            while True:
                await self._changed.wait()
                await asyncio.sleep(max(0.0, last + self._pace - time.monotonic()))
                self._changed.clear()
                begun = time.monotonic()
                writer.write(self._request(self._path))
                status, octets = await self._answer(reader)
                last = time.monotonic()
                self._note(status, octets, last - begun)
        finally:
            writer.close()

    async def _answer(self, reader: asyncio.StreamReader) -> tuple[int, int]:
        """Return the status of an answer and its size, and keep its tag."""
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
        length = re.search(r"\r\ncontent-length: *(\d+)", head, re.IGNORECASE)
        body = await reader.readexactly(int(length[1])) if length else b""
        tag = re.search(r"\r\netag: *(\S+)", head, re.IGNORECASE)
        self._tag = tag[1] if tag else ""
        return int(head[9:12]), len(head) + len(body)

    def _note(self, status: int, octets: int, seconds: float) -> None:
        seen = self._seen
        if seen.counting:
            seen.seconds.append(seconds)
            seen.octets += octets
            seen.statuses[status] += 1

    def _request(self, path: str) -> bytes:
        known = f"If-None-Match: {self._tag}\r\n" if self._tag and "fragment" in path else ""
        return (
            f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{self._port}\r\nAccept: text/html\r\n"
            f"Accept-Encoding: gzip\r\n{known}\r\n"
        ).encode()


async def main(port: int, viewers: int, path: str, topics: str, seconds: float) -> None:
    """Open the pages, fifty at a time, and look on."""
    seen = Seen()
    tasks = []
    for begin in range(0, viewers, _OPENING):
        some = [Viewer(port, path, topics, seen) for _ in range(min(_OPENING, viewers - begin))]
        tasks += [asyncio.ensure_future(viewer.watch()) for viewer in some]
        await asyncio.wait_for(asyncio.gather(*(viewer.open.wait() for viewer in some)), 60)
    await asyncio.sleep(3)
    print("open", flush=True)
    seen.counting = True
    begun = time.monotonic()
    await asyncio.wait(tasks, timeout=seconds, return_when=asyncio.FIRST_EXCEPTION)
    took = time.monotonic() - begun
    for task in tasks:
        if task.done():
            task.result()  # raises what ended it
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    print(
        json.dumps(
            {
                "seconds": took,
                "messages": seen.messages,
                "fetched": len(seen.seconds),
                "octets": seen.octets,
                "p50": percentile(seen.seconds, 0.5) if seen.seconds else 0.0,
                "p99": percentile(seen.seconds, 0.99) if seen.seconds else 0.0,
                "statuses": {str(status): number for status, number in seen.statuses.items()},
            }
        ),
        flush=True,
    )


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]), int(sys.argv[2]), sys.argv[3], sys.argv[4], float(sys.argv[5])))
