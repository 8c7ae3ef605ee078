"""The audience looks at pages as a browser does: told by a stream, at its pace, with the tag of what it has."""

from __future__ import annotations

import asyncio
from typing import Any

from tests.bench.audience import Seen, Viewer
from tests.bench.viewers import pages

BODY = b"<main>workers</main>"


class Stub:
    """A server with one stream that tells of a change every few milliseconds, and one page."""

    def __init__(self) -> None:
        self.requests: list[str] = []
        self.open: set[asyncio.Task[None]] = set()

    def accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.open.add(asyncio.ensure_future(self.serve(reader, writer)))

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                request = (await reader.readuntil(b"\r\n\r\n")).decode()
                self.requests.append(request)
                if request.startswith("GET /stream"):
                    await self._tell(writer)
                known = 'If-None-Match: "one"' in request
                head = "304 Not Modified" if known else f"200 OK\r\nContent-Length: {len(BODY)}"
                writer.write(f'HTTP/1.1 {head}\r\nEtag: "one"\r\n\r\n'.encode() + (b"" if known else BODY))
        except (asyncio.IncompleteReadError, ConnectionError):
            pass  # the viewer has left
        finally:
            writer.close()

    async def _tell(self, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n")
        while True:
            writer.write(b'event: change\ndata: {"topics": ["workers"]}\n\n')
            await writer.drain()
            await asyncio.sleep(0.005)


def look(seconds: float, pace: float) -> tuple[Seen, list[str]]:
    """Return what a viewer saw, and the requests that the server got."""

    async def scenario() -> tuple[Seen, list[str]]:
        stub, seen = Stub(), Seen(counting=True)
        server = await asyncio.start_server(stub.accept, "127.0.0.1", 0)
        port: Any = server.sockets[0].getsockname()[1]
        viewer = asyncio.ensure_future(Viewer(port, "/workers?fragment=1", "workers", seen, pace).watch())
        await asyncio.wait([viewer], timeout=seconds)
        viewer.cancel()
        await asyncio.gather(viewer, return_exceptions=True)
        for each in stub.open:
            each.cancel()
        await asyncio.gather(*stub.open, return_exceptions=True)
        server.close()
        await server.wait_closed()
        return seen, stub.requests

    return asyncio.run(scenario())


def test_a_viewer_fetches_at_its_pace_however_often_it_is_told() -> None:
    seen, requests = look(0.5, 0.1)
    fetched = [request for request in requests if request.startswith("GET /workers?fragment=1 ")]
    assert requests[0].startswith("GET /stream?topics=workers ")
    assert 2 <= len(fetched) <= 6
    assert seen.messages > 2 * len(fetched)


def test_what_a_viewer_has_already_is_not_sent_again() -> None:
    seen, _ = look(0.3, 0.01)
    assert seen.statuses[200] == 1
    assert seen.statuses[304] > 2
    assert len(seen.seconds) == sum(seen.statuses.values())


def test_every_page_is_measured_whole_and_as_a_fragment() -> None:
    found = pages("some-task")
    assert {"/", "/workers", "/tasks", "/task/some-task", "/task-types", "/broker", "/plugins"} <= set(found.values())
    assert {"/?fragment=1", "/task/some-task?fragment=1", "/broker?fragment=1"} <= set(found.values())
