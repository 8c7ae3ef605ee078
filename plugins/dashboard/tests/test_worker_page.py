from __future__ import annotations

import asyncio

import pytest

from flower_plugins import Unavailable
from flower_plugins.testing import FakeTask, FakeWorker

INFO = {
    "timestamp": 1_700_000_000.0,
    "stats": {
        "total": {"shop.add": 1234},
        "pid": 4711,
        "uptime": 575,
        "clock": "243",
        "prefetch_count": 8,
        "pool": {"max-concurrency": 2, "processes": [27252, 27253], "timeouts": [0, 0]},
        "broker": {"hostname": "127.0.0.1", "transport": "redis", "userid": None},
        "rusage": {"utime": 0.41, "maxrss": 57508},
    },
    "active_queues": [{"name": "celery", "exchange": {"name": "celery"}, "routing_key": "celery", "durable": True}],
    "registered": ["shop.add", "shop.mul"],
    "conf": {"task_serializer": "json", "timezone": None},
    "active": [
        {"id": "a", "name": "shop.add", "args": "(1, 2)", "kwargs": "{}", "acknowledged": True, "worker_pid": 9}
    ],
    "scheduled": [{"eta": "2026-11-22T12:00:00+00:00", "request": {"id": "later", "name": "shop.mul"}}],
    "reserved": [],
    "revoked": ["gone-1"],
}


def with_info(site, info=INFO, **options):
    made = site(**options)
    made.host.inspect.replies["w1@shop"] = info
    return made


def test_every_section_shows_what_the_worker_said(site):
    text = with_info(site).page("/worker/w1@shop").text
    for words in (
        "Max concurrency 2",
        "Worker PID 4711",
        "Prefetch count 8",
        "Hostname 127.0.0.1",
        "shop.add 1,234",
        "2026-11-22 12:00:00.000 due",
        "gone-1",
        "shop.mul",
        "task_serializer json",
        "Utime 410.00 ms",
        "Clock 243",
        "up 9m 35s",
        "No task waits in the worker.",
    ):
        assert words in text, words
    assert "timezone" not in text
    assert "Pool and what is below it: as it answered" in text


def test_running_tasks_in_memory_are_linked(site):
    links = with_info(site).page("/worker/w1@shop").values("a", "href")
    assert "/task/a" in links
    assert "/task/later" not in links


def test_long_lists_are_cut_and_say_so(site):
    made = with_info(site, {**INFO, "registered": [f"task{number}" for number in range(60)]})
    page = made.page("/worker/w1@shop")
    assert "50 of 60 shown" in page.text
    assert "task59" not in page.text
    assert "task59" in made.page("/worker/w1@shop?limit=100").text
    assert made.fetch("/worker/w1@shop?limit=x").code == 400


def test_an_unknown_worker_is_404_and_nobody_is_asked(site):
    made = site()
    response = made.fetch("/worker/nope")
    assert (response.code, response.body) == (404, b"Unknown worker 'nope'")
    assert made.host.inspect.refreshed == []


def test_a_worker_without_answers_is_asked_and_the_page_comes_anyway(site):
    made = site()

    class Silent(type(made.host.inspect)):
        async def refresh(self, hostname=None):
            await super().refresh(hostname)
            raise Unavailable("no broker")

    made.host.inspect = Silent()
    assert "It has not answered any question" in made.page("/worker/w1@shop").text
    assert made.host.inspect.refreshed == ["w1@shop"]


def test_a_fragment_never_waits_for_the_worker(site):
    made = site()
    asked = asyncio.Event

    class Hanging(type(made.host.inspect)):
        async def refresh(self, hostname=None):
            await super().refresh(hostname)
            await asked().wait()

    made.host.inspect = Hanging()

    async def scenario(client):
        response = await asyncio.wait_for(client.fetch("/worker/w1@shop?fragment=1"), 1.5)
        assert response.code == 200

    made.serve(scenario)
    assert made.host.inspect.refreshed == ["w1@shop"]


@pytest.mark.parametrize("header", ["cross-site", "same-site"])
def test_another_site_cannot_make_workers_answer(site, header):
    made = site()
    assert made.fetch("/worker/w1@shop", Sec_Fetch_Site=header).code == 200
    assert made.host.inspect.refreshed == []


def test_an_offline_worker_is_not_asked(site):
    made = site()
    assert "Offline" in made.page("/worker/w2@shop").text
    assert made.host.inspect.refreshed == []


def test_a_name_with_slashes_and_blanks_is_found(site):
    made = site(workers=[FakeWorker("a/b c@shop")], tasks=[FakeTask("t", worker="a/b c@shop")])
    link = next(href for href in made.page("/").values("a", "href") if "b%20c" in href)
    assert link == "/worker/a%2Fb%20c@shop"
    assert "a/b c@shop" in made.page(link).text
    assert made.page(link + "/").find("h1")


def test_answers_that_are_older_than_the_last_say_so(site):
    """R50: a worker that answered in part shows what it said before, with its age."""
    made = with_info(site)
    assert "as of" not in made.page("/worker/w1@shop").text
    made.host.inspect.older["w1@shop"] = {"conf": INFO["timestamp"] - 600, "active": INFO["timestamp"] - 1}
    page = made.page("/worker/w1@shop")
    assert page.text.count("as of") == 1
    assert "Config as of" in page.text


def test_without_inspect_nobody_is_asked_and_the_page_says_so(site):
    made = site()
    made.host.inspect.enabled = False
    page = made.page("/worker/w1@shop")
    assert "Flower asks workers nothing" in page.text
    assert "--inspect=False" in page.text
    assert "It was not asked." in page.text
    assert "has not told yet" not in page.text
    assert made.host.inspect.refreshed == []


@pytest.mark.parametrize(
    ("skew", "words"), [(0.3, ""), (-4.9, ""), (3602.2, "1h 00m 02s ahead"), (-7.4, "7.00 s behind"), (None, "")]
)
def test_a_clock_that_is_off_is_shown(site, skew, words):
    """R43"""
    made = site(workers=[FakeWorker("w1@shop", skew=skew)], tasks=[FakeTask("t", worker="w1@shop")])
    pages = [made.page(path).text for path in ("/worker/w1@shop", "/workers", "/task/t")]
    if words:
        assert all(words in text for text in pages)
    else:
        assert not any("ahead" in text or "behind" in text for text in pages)
