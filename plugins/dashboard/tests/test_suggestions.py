from __future__ import annotations

from urllib.parse import quote

import pytest

from flower_dashboard.suggestions import Word, suggest, word_at
from flower_plugins import QueueStats
from flower_plugins.testing import FakeHost, FakeQueues, FakeTask, FakeWorker


@pytest.fixture
def host():
    tasks = [
        FakeTask("1", name="shop.mail", state="FAILURE", queue="slow lane"),
        FakeTask("2", name="shop.mail", state="SUCCESS"),
        FakeTask("3", name="mail.send", state="PROGRESS", worker="w2@shop"),
    ]
    made = FakeHost(tasks=tasks, workers=[FakeWorker("w1@shop"), FakeWorker("idle@shop")])
    made.queues = FakeQueues([QueueStats("celery", 0)])
    return made


def inserts(host, text):
    return [each.insert for each in suggest(host, word_at(text, len(text)))]


@pytest.mark.parametrize(
    ("text", "caret", "word"),
    [
        ("", 0, Word(0, 0, "")),
        ("abc def", 2, Word(0, 3, "ab")),
        ("abc def", 7, Word(4, 7, "def")),
        ("abc  def", 4, Word(4, 4, "")),
        ("(state:FA OR x)", 9, Word(1, 9, "state:FA")),
        ('name:"a b', 9, Word(0, 9, 'name:"a b')),
        ('name:"a b" c', 12, Word(11, 12, "c")),
        ("-state:F", 8, Word(1, 8, "state:F")),
        ("a", 99, Word(0, 1, "a")),
    ],
)
def test_the_word_at_the_caret(text, caret, word):
    assert word_at(text, caret) == word


def test_fields_are_offered_by_their_beginning(host):
    assert inserts(host, "st")[:2] == ["state:", "started:"]
    assert len(inserts(host, "")) == 8


def test_values_come_with_how_many_have_them_the_likeliest_first(host):
    found = suggest(host, word_at("name:mail", 9))
    assert [(each.insert, each.hint) for each in found] == [("name:mail.send ", "1"), ("name:shop.mail ", "2")]
    assert "state:PROGRESS " in inserts(host, "state:")
    assert inserts(host, "state:fa") == ["state:FAILURE "]


def test_workers_and_queues_without_tasks_are_offered_too(host):
    assert inserts(host, "worker:i") == ["worker:idle@shop "]
    assert inserts(host, "queue:") == ['queue:"slow lane" ', "queue:celery "]


def test_a_plain_word_may_mean_a_task_or_a_worker(host):
    assert inserts(host, "mail") == ["name:mail.send ", "name:shop.mail "]
    assert "worker:w2@shop " in inserts(host, "w2")


def test_other_fields_show_how_they_are_written(host):
    assert inserts(host, "is:") == ["is:lost "]
    assert inserts(host, "runtime:>1s")[0] == "runtime:>1s "
    assert inserts(host, "args:x") == []


def test_the_page_asks_over_http(site):
    made = site(tasks=[FakeTask("1", state="FAILURE")])
    told = made.json(f"/tasks/suggest?search={quote('x state:fa')}")
    assert told == {"start": 2, "end": 10, "items": [{"insert": "state:FAILURE ", "label": "FAILURE", "hint": "1"}]}
    assert made.json("/tasks/suggest?search=state:fa%20x&caret=8")["items"]
    assert made.fetch("/tasks/suggest?caret=x").code == 400


def test_a_search_is_made_ready_while_it_is_still_written(site):
    made = site()
    made.json("/tasks/suggest")
    assert made.host.tasks.prepared == 1


def test_many_names_make_a_short_list(site):
    made = site(tasks=[FakeTask(f"t{n}", name=f"shop.task{n}") for n in range(500)])
    assert len(made.json("/tasks/suggest?search=name:task")["items"]) == 8
