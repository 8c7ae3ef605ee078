"""The overview: problems first, four numbers, a chart, and where to look next."""

from __future__ import annotations

import json

import pytest

from flower_plugins import FailureGroup, Problem, QueueStats
from flower_plugins.testing import FakeWorker


def busy(site):
    made = site(workers=[FakeWorker("w1@shop"), FakeWorker("w2@shop", online=False)])
    rollups = made.host.rollups
    for ago in range(0, 3600, 10):
        rollups.add("task-succeeded", task="shop.add", worker="w1@shop", queue="celery", number=2, ago=ago)
    for ago in range(0, 300, 30):
        rollups.add("task-failed", task="shop.pay", worker="w1@shop", queue="mail", ago=ago)
        rollups.measure("runtime", 0.25, task="shop.add", ago=ago)
        rollups.measure("wait", 4.0, task="shop.pay", ago=ago)
    rollups.groups = [FailureGroup("KeyError", "no … here", 3, 1.0, 2.0, "shop.pay", "id-1")]
    return made


def test_the_page_says_what_is_going_on(site):
    page = busy(site).page("/")
    for words in ("Throughput", "Failure rate", "10 of 70", "4.00", "shop.pay", "KeyError"):
        assert words in page.text, words
    assert "No problem is known." in page.text
    assert "1 of 2 online" in page.text
    assert "/tasks?search=state%3AFAILURE+exception%3AKeyError" in page.values("a", "href")
    assert "/task/id-1" in page.values("a", "href")


def test_problems_come_first_the_worst_on_top_with_a_link(site):
    made = busy(site)
    made.host.problem_list = [
        Problem("sent", "info", "Sent events are off."),
        Problem("queue", "error", "mail has no consumer; 12 wait.", "/broker"),
    ]
    page = made.page("/")
    assert (
        page.text.index("mail has no consumer") < page.text.index("Sent events are off") < page.text.index("Throughput")
    )
    assert "/broker" in page.values("a", "href")
    assert "No problem is known" not in page.text


@pytest.mark.parametrize("measure", ["count", "runtime", "wait"])
@pytest.mark.parametrize("split", ["state", "task", "queue", "worker"])
@pytest.mark.parametrize("span", ["5m", "1h", "24h"])
def test_every_way_to_look_at_the_chart_is_a_page(site, measure, split, span):
    page = busy(site).page(f"/?measure={measure}&by={split}&span={span}")
    (chart,) = page.find("figure", id="main-chart")
    assert any(word != "0" for row in json.loads(chart["data-values"]).values() for word in row if word)
    assert chart["data-href"] == "/tasks"


def test_the_chart_reaches_back_as_far_as_something_is_known(site):
    assert busy(site).page("/").chosen_span == "1 hour"
    young = site()
    young.host.rollups.known_seconds = 120.0
    young.host.rollups.add("task-succeeded", task="shop.add", worker="w1@shop", queue="celery", ago=10)
    assert young.page("/").chosen_span == "5 minutes"
    assert young.page("/?span=1h").chosen_span == "1 hour"


def test_no_trend_is_claimed_before_there_is_an_hour_to_compare_with(site):
    made = site()
    for ago in range(0, 200, 4):
        made.host.rollups.add("task-succeeded", task="shop.add", worker="w1@shop", queue="celery", ago=ago)
    assert "last hour" not in made.page("/").text
    assert "last hour" in busy(site).page("/").text


@pytest.mark.parametrize("query", ["measure=x", "by=x", "span=x"])
def test_other_ways_are_400(site, query):
    assert site().fetch(f"/?{query}").code == 400


def test_an_idle_flower_says_so(site):
    page = site(workers=[], tasks=[]).page("/")
    for words in ("No worker has been seen yet.", "No queue is known yet.", "No task has failed since Flower started."):
        assert words in page.text


def test_the_json_of_older_flowers_is_still_here(site):
    assert [row["hostname"] for row in busy(site).json("/?json=1")["data"]] == ["w1@shop", "w2@shop"]


def test_a_queue_that_nobody_consumes_from_is_marked(site):
    made = busy(site)
    made.host.queues.queues = [QueueStats("celery", 3, consumers=1), QueueStats("mail", 12, consumers=0)]
    text = made.page("/").text
    assert text.index("mail No consumer") < text.index("celery")


def test_a_refused_choice_names_those_there_are(site):
    body = site().fetch("/?span=1y", Accept="application/json").body.decode()
    assert "expected one of 5m, 1h, 24h" in body
