"""The broker's queues, and what it cannot tell."""

from __future__ import annotations

from flower_plugins import QueueStats


def test_every_number_of_a_queue_is_shown_and_what_is_unknown_is_a_dash(site):
    made = site()
    made.host.queues.queues = [
        QueueStats("celery", 1234, 1200, 34, 2, "2026-11-26 04:00:00"),
        QueueStats("mail", 5),
    ]
    made.host.rollups.length("celery", 900, ago=60)
    page = made.page("/broker")
    for words in ("celery", "1,234", "1,200", "34", "2026-11-26 04:00:00", "mail", "Total 1,239"):
        assert words in page.text, words
    assert len(page.find("path", **{"class": "line-series-1"})) == 1


def test_what_a_broker_does_not_tell_is_said(site):
    made = site()
    made.host.queues.queues = [QueueStats("celery", 7)]
    assert "This broker does not tell: Unacked, Ready, Consumers, Idle since." in made.page("/broker").text


def test_old_numbers_say_so_and_why(site):
    made = site()
    made.host.queues.queues = [QueueStats("celery", 7)]
    made.host.queues.error, made.host.queues.age = "The broker does not answer", 90.0
    text = made.page("/broker").text
    assert "These numbers are from 1 minute ago : The broker does not answer" in text


def test_a_broker_that_cannot_be_asked_is_a_page_all_the_same(site):
    made = site()
    made.host.queues.supported, made.host.queues.error = False, "'memory' broker is not supported"
    assert "'memory' broker is not supported" in made.page("/broker").text


def test_without_queues_the_page_teaches(site):
    made = site()
    made.host.queues.queues = []
    assert "No queue data is available" in made.page("/broker").text


def test_hostile_names_stay_text(site):
    made = site()
    made.host.queues.queues = [QueueStats("<img src=x onerror=alert(1)>", 1)]
    page = made.page("/broker")
    assert not page.find("img")
    assert "<img src=x onerror=alert(1)>" in page.text


def test_two_hundred_queues_with_their_histories_are_two_questions(site):
    """One for the graph, one for all the small ones."""
    made = site()
    made.host.queues.queues = [QueueStats(f"q{number}", number) for number in range(200)]
    for number in range(200):
        made.host.rollups.length(f"q{number}", number + 1, ago=30)
    asked = []
    ask = made.host.rollups.queue_lengths
    made.host.rollups.queue_lengths = lambda *given, **named: asked.append(given) or ask(*given, **named)
    page = made.page("/broker")
    assert len(asked) == 2
    assert len(page.find("path", **{"class": "fill-run"})) == 200


def test_the_graph_reaches_back_as_far_as_something_is_known(site):
    made = site()
    made.host.rollups.known_seconds = 120.0
    made.host.rollups.add("task-succeeded", task="shop.add", ago=10)
    made.host.rollups.length("celery", 3, ago=30)
    made.host.queues.queues = [QueueStats("celery", 3)]
    assert made.page("/broker").chosen_span == "5 minutes"
    assert made.page("/broker?span=24h").chosen_span == "24 hours"
    made.host.rollups.known_seconds = 3000.0
    assert made.page("/broker").chosen_span == "1 hour"
