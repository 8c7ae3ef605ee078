"""Viewers who would see the same share one drawing."""

from __future__ import annotations

import asyncio
from typing import Any

from flower_dashboard import plugin
from flower_dashboard.fragments import Drawing, Fragments

FRAGMENT = "/workers?fragment=1"


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def test_the_first_draws_and_those_who_come_meanwhile_wait_for_it() -> None:
    async def scenario() -> None:
        fragments = Fragments()
        assert await fragments.find("a") is None
        others = [asyncio.ensure_future(fragments.find("a")) for _ in range(3)]
        await asyncio.sleep(0)
        fragments.done("a", Drawing.of("<main>"))
        assert await asyncio.gather(*others) == [Drawing.of("<main>")] * 3
        assert await fragments.find("b") is None

    asyncio.run(scenario())


def test_what_is_half_a_second_old_is_drawn_anew() -> None:
    async def scenario() -> None:
        clock = Clock()
        fragments = Fragments(clock)
        await fragments.find("a")
        fragments.done("a", Drawing.of("old"))
        clock.now = 0.4
        assert await fragments.find("a") == Drawing.of("old")
        clock.now = 0.6
        assert await fragments.find("a") is None

    asyncio.run(scenario())


def test_who_waits_for_a_drawing_that_fails_draws_it_himself() -> None:
    async def scenario() -> None:
        fragments = Fragments()
        await fragments.find("a")
        waiting = asyncio.ensure_future(fragments.find("a"))
        await asyncio.sleep(0)
        fragments.done("a", None)
        assert await asyncio.wait_for(waiting, 1) is None

    asyncio.run(scenario())


def test_a_flood_of_addresses_is_not_kept_and_leaves_nobody_waiting() -> None:
    async def scenario() -> None:
        fragments = Fragments()
        await fragments.find(0)
        waiting = asyncio.ensure_future(fragments.find(0))
        await asyncio.sleep(0)
        for number in range(1, 200):
            await fragments.find(number)
        assert await asyncio.wait_for(waiting, 1) is None

    asyncio.run(scenario())


def drawings(made: Any, *requests: dict[str, str]) -> int:
    """Return how often the list of workers was read for these requests, one after the other."""
    read = []
    everything = made.host.workers.all
    made.host.workers.all = lambda: read.append(1) or everything()
    made.routes = plugin.flower_routes(made.host)

    async def scenario(client: Any) -> None:
        for headers in requests:
            assert (await client.fetch(FRAGMENT, headers=headers)).code == 200

    made.serve(scenario)
    return len(read)


def test_equal_viewers_share_a_page_and_an_order_of_ones_own_shows_at_once(site: Any) -> None:
    once = drawings(site(), {})
    assert once
    assert drawings(site(), {}, {}, {}) == once
    assert drawings(site(), {}, {"Cache-Control": "no-cache"}) == 2 * once


def test_pages_that_cannot_be_drawn_are_not_kept(site: Any) -> None:
    made = site()

    async def scenario(client: Any) -> list[int]:
        return [(await client.fetch("/worker/nobody?fragment=1")).code for _ in range(2)]

    assert made.serve(scenario) == [404, 404]


def answers(made: Any, headers: Any) -> list[tuple[int, int, str]]:
    """Return (status, size, tag) for a request, and for one with the headers that the first tag leads to."""

    async def scenario(client: Any) -> list[tuple[int, int, str]]:
        first = await client.fetch(FRAGMENT)
        second = await client.fetch(FRAGMENT, headers=headers(first.headers["Etag"]))
        return [(each.code, len(each.body), each.headers["Etag"]) for each in (first, second)]

    found: list[tuple[int, int, str]] = made.serve(scenario)
    return found


def test_who_has_the_fragment_is_told_that_nothing_changed(site: Any) -> None:
    first, second = answers(site(), lambda tag: {"If-None-Match": tag})
    assert first[:2] > (200, 1000)
    assert second == (304, 0, first[2])


def test_a_drawing_has_the_same_tag_whoever_drew_it(site: Any) -> None:
    first, second = answers(site(), lambda tag: {})
    assert first == second
    first, second = answers(site(), lambda tag: {"If-None-Match": '"another"'})
    assert first == second


def test_fifty_viewers_cost_about_one_drawing_in_half_a_second(site: Any) -> None:
    """BAR R41: what is counted is drawings, not time."""
    made = site()
    read = []
    everything = made.host.workers.all
    made.host.workers.all = lambda: read.append(1) or everything()
    made.routes = plugin.flower_routes(made.host)
    once = drawings(site(), {})

    async def scenario(client: Any) -> tuple[int, float]:
        loop = asyncio.get_running_loop()
        begun = loop.time()

        async def viewer() -> None:
            for _ in range(4):
                assert (await client.fetch(FRAGMENT)).code == 200
                await asyncio.sleep(0.2)

        await asyncio.gather(*(viewer() for _ in range(50)))
        return len(read), loop.time() - begun

    drawn, seconds = made.serve(scenario)
    assert drawn <= once * (1 + seconds / 0.5)
    assert drawn >= 2 * once


def test_parameters_in_a_body_change_what_nobody_else_sees(site: Any) -> None:
    """A GET may have a body, and its form counts: what is drawn for it is not what the address says."""
    made = site()
    made.routes = plugin.flower_routes(made.host)

    async def scenario(client: Any) -> tuple[str, str]:
        form = b"search=nobody-is-called-so"
        reader, writer = await asyncio.open_connection("127.0.0.1", client.port)
        head = f"GET {FRAGMENT} HTTP/1.1\r\nHost: 127.0.0.1:{client.port}\r\nConnection: close\r\n"
        head += f"Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {len(form)}\r\n\r\n"
        writer.write(head.encode() + form)
        poison = (await reader.read()).decode()
        writer.close()
        return poison, (await client.fetch(FRAGMENT)).body.decode()

    poison, page = made.serve(scenario)
    assert "nobody-is-called-so" in poison
    assert "nobody-is-called-so" not in page
