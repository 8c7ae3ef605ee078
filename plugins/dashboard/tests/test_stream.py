from __future__ import annotations

import asyncio
import json
from contextlib import suppress

import pytest

from flower_dashboard.stream import StreamHandler


class Listener:
    """One raw HTTP connection to the stream."""

    def __init__(self, client, query="topics=workers,tasks", headers=""):
        self.port = client.port
        self.request = f"GET /stream?{query} HTTP/1.1\r\nHost: 127.0.0.1:{client.port}\r\n{headers}\r\n"

    async def __aenter__(self):
        self.reader, self.writer = await asyncio.open_connection("127.0.0.1", self.port)
        self.writer.write(self.request.encode())
        return self

    async def __aexit__(self, *exc):
        self.writer.close()
        with suppress(ConnectionError):
            await self.writer.wait_closed()

    async def until(self, words):
        return (await asyncio.wait_for(self.reader.readuntil(words.encode()), 5)).decode()


async def until(condition):
    deadline = asyncio.get_running_loop().time() + 5
    while not condition():
        assert asyncio.get_running_loop().time() < deadline
        await asyncio.sleep(0.01)


def subscribers(made):
    return len(made.host.stream._queues)


def test_a_change_is_told_by_its_topic(site):
    made = site()

    async def scenario(client):
        async with Listener(client) as listener:
            head = await listener.until("\r\n\r\n")
            first = await listener.until('"]}\n\n')
            made.host.stream.notify("tasks")
            return head, first, await listener.until('"]}\n\n')

    head, first, second = made.serve(scenario)
    assert "200 OK" in head
    assert "Content-Type: text/event-stream" in head
    assert "Cache-Control: no-store" in head
    assert "X-Accel-Buffering: no" in head
    assert json.loads(first.split("data: ")[1]) == {"topics": ["tasks", "workers"]}
    assert json.loads(second.split("data: ")[1]) == {"topics": ["tasks"]}


def test_a_reader_who_leaves_is_forgotten(site):
    made = site()

    async def scenario(client):
        async with Listener(client) as listener:
            await listener.until('"]}\n\n')
            assert subscribers(made) == 1
        await until(lambda: subscribers(made) == 0)

    made.serve(scenario)


def test_silence_is_filled_and_the_stream_ends_in_time(site, monkeypatch):
    """BAR S58: a reader passes the guard again at least once a minute."""
    assert StreamHandler.lifetime < 60
    monkeypatch.setattr(StreamHandler, "ping", 0.02)
    monkeypatch.setattr(StreamHandler, "lifetime", 0.2)
    made = site()

    async def scenario(client):
        async with Listener(client) as listener:
            text = await listener.until("0\r\n\r\n")
            await until(lambda: subscribers(made) == 0)
            return text

    assert made.serve(scenario).count(": ping\n\n") >= 2


def test_a_reader_who_does_not_read_is_cut_off(site, monkeypatch):
    monkeypatch.setattr(StreamHandler, "patience", 0.1)
    made = site()
    topic = "t" * 290

    async def scenario(client):
        async with Listener(client, f"topics={topic}") as listener:
            await listener.until('"]}\n\n')
            for _ in range(40_000):
                made.host.stream.notify(topic)
            await until(lambda: subscribers(made) == 0)

    made.serve(scenario)


@pytest.mark.parametrize(
    "header", ["Sec-Fetch-Site: cross-site", "Sec-Fetch-Site: same-site", "Origin: http://evil.example"]
)
def test_another_site_cannot_listen(site, header):
    """BAR S58."""
    made = site()

    async def scenario(client):
        async with Listener(client, headers=f"{header}\r\n") as listener:
            return await listener.until("\r\n")

    assert " 403 " in made.serve(scenario)
    assert subscribers(made) == 0


@pytest.mark.parametrize("topics", ["", ",", ",".join(f"t{n}" for n in range(51)), "a" * 301])
def test_odd_topics_are_400(site, topics):
    assert site().fetch(f"/stream?topics={topics}").code == 400


def test_head_is_answered_without_a_stream(site):
    made = site()
    response = made.fetch("/stream?topics=tasks", "HEAD")
    assert response.headers["Content-Type"].startswith("text/event-stream")
    assert subscribers(made) == 0
