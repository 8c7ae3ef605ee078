from __future__ import annotations

import re
import time
from datetime import datetime, timezone

import pytest

from flower_plugins import TaskPanel, TaskResult
from flower_plugins.testing import FakeTask, FakeWorker

START = 1_700_000_000.0


def buttons(made):
    return [href for href in made.page("/task/t").values("a", "href") if "confirm" in href]


def test_the_title_is_the_name_and_the_beginning_of_the_id(site):
    page = site(tasks=[FakeTask("0123456789abcdef", name="shop.add")]).page("/task/0123456789abcdef")
    assert "<title>shop.add 01234567 · Flower</title>" in page.html


def test_an_unknown_task_is_404(site):
    response = site().fetch("/task/nope%2Fx")
    assert (response.code, response.body) == (404, b"Unknown task 'nope/x'")


def test_the_timeline_tells_waits_in_numbers(site):
    task = FakeTask("t", sent=START, received=START + 1.5, started=START + 3.5, succeeded=START + 73.5)
    page = site(tasks=[task]).page("/task/t")
    assert "1.50 s in the queue" in page.text
    assert "2.00 s waiting in the worker" in page.text
    assert "1m 10s running" in page.text
    assert [float(width) for width in page.values("rect", "width")] == pytest.approx([20.41, 27.21, 952.38], abs=0.01)


@pytest.mark.parametrize("state", ["STARTED", "PROGRESS"])
def test_the_timeline_of_a_running_task_reaches_until_now(site, state):
    now = time.time()
    task = FakeTask("t", state=state, received=now - 400, started=now - 300, succeeded=None, timestamp=now)
    page = site(tasks=[task]).page("/task/t")
    assert re.search(r"1m 40s waiting in the worker Started .* running for 5m 0\ds", page.text)
    assert [float(width) for width in page.values("rect", "width")] == pytest.approx([250, 750], rel=0.02)


@pytest.mark.parametrize(
    "task",
    [
        FakeTask("t", state="STARTED", received=None, started=None, succeeded=None),
        FakeTask("t", state="RETRY", succeeded=None, retried=START + 9),
        FakeTask("t", state="FAILURE", succeeded=None, failed=None),
        FakeTask("t"),
    ],
)
def test_a_task_that_does_not_run_is_not_said_to(site, task):
    assert "running for" not in site(tasks=[task]).page("/task/t").text


def test_a_start_in_the_future_is_no_time_at_all(site):
    later = time.time() + 1000
    task = FakeTask("t", state="STARTED", received=None, started=later, succeeded=None)
    page = site(tasks=[task]).page("/task/t")
    assert "running for 0.00 ms" in page.text
    assert not page.find("rect")


def test_a_failure_shows_its_error_before_anything_else(site):
    traceback = 'Traceback (most recent call last):\n  File "/srv/shop/tasks.py", line 8, in charge\n    go()\nNo: no'
    task = FakeTask("t", state="FAILURE", exception="No('no')", traceback=traceback, result=None, failed=START)
    text = site(tasks=[task]).page("/task/t").text
    assert text.index("No('no')") < text.index("Timeline")
    assert "charge /srv/shop/tasks.py:8" in text


def test_all_other_fields_are_listed(site):
    task = FakeTask("t", routing_key="rk", queue="q1", retries=0, eta="2026-01-01T00:00:00", expires=None)
    text = site(tasks=[task]).page("/task/t").text
    for words in ("Routing key rk", "Queue q1", "Retries 0", "ETA 2026-01-01 00:00:00"):
        assert words in text
    assert "Expires" not in text


def tree(page):
    """Return (class, text links) of the workflow's lines."""
    return [line["class"] for line in page.find("li") if "depth-" in (line.get("class") or "")]


def test_the_workflow_is_a_tree_with_this_task_in_its_place(site):
    tasks = [
        FakeTask("top", name="shop.top", children=["t", "other"]),
        FakeTask("other", name="shop.other", state="FAILURE", parent_id="top", root_id="top"),
        FakeTask("t", root_id="top", parent_id="top", children=["down", "t", "lost"]),
        FakeTask("down", name="shop.down", parent_id="t", root_id="top"),
    ]
    page = site(tasks=tasks).page("/task/t")
    assert tree(page) == ["depth-0", "depth-1", "depth-2", "depth-2", "depth-1"]
    links = page.values("a", "href")
    assert {"/task/top", "/task/other", "/task/down"} <= set(links)
    assert "/task/lost" not in links
    assert "lost not in memory" in page.text
    (current,) = [line for line in page.find("li") if line.get("aria-current") == "true"]
    assert current["class"] == "depth-1"


def test_the_tree_begins_with_the_last_ancestor_that_is_known_or_named(site):
    page = site(tasks=[FakeTask("t", root_id="gone", parent_id="up"), FakeTask("up", parent_id="gone")]).page("/task/t")
    assert tree(page) == ["depth-0", "depth-1", "depth-2"]
    assert "gone not in memory" in page.text


def test_tasks_that_are_each_others_parents_end_the_tree(site):
    tasks = [
        FakeTask("a", parent_id="b", root_id="b", children=["b"]),
        FakeTask("b", parent_id="a", root_id="a", children=["a"]),
    ]
    assert len(tree(site(tasks=tasks).page("/task/a"))) == 2


def test_a_large_workflow_is_cut_and_says_so(site):
    tasks = [FakeTask("t", children=[f"c{n}" for n in range(60)])]
    tasks += [
        FakeTask(f"c{n}", parent_id="t", root_id="t", children=[f"c{n}-{m}" for m in range(40)]) for n in range(60)
    ]
    page = site(tasks=tasks).page("/task/t")
    assert len(tree(page)) == 200
    assert "and 10 more" in page.text
    assert "The first 200 tasks are shown." in page.text


def test_a_task_alone_has_no_workflow(site):
    assert "Workflow" not in site(tasks=[FakeTask("t", root_id="t")]).page("/task/t").text


def test_earlier_attempts_stand_in_the_timeline(site):
    passed = (("received", START), ("started", START + 1), ("retried", START + 2))
    task = FakeTask("t", received=START + 3, started=START + 4, succeeded=START + 5, passed=passed)
    text = site(tasks=[task]).page("/task/t").text
    assert "Timeline attempt 2" in text
    assert text.index("Retried") < text.index("until it was received again") < text.index("Succeeded")


def test_what_is_usual_for_the_name_is_told_and_what_is_not_is_marked(site):
    def made(runtime):
        found = site(tasks=[FakeTask("t", name="shop.add", runtime=runtime)])
        for ago in range(10):
            found.host.rollups.add("task-succeeded", task="shop.add", ago=ago)
            found.host.rollups.measure("runtime", 1.0, task="shop.add", ago=ago)
        return found.page("/task/t").text

    assert "Usually 1.00 s, nearly always below 1.00 s. Of 10 in the last hour." in made(1.0)
    assert "Longer than usual: 1.00 s" in made(9.0)
    assert "sually" not in site(tasks=[FakeTask("t")]).page("/task/t").text


def test_the_result_backend_is_asked_on_request(site):
    made = site(tasks=[FakeTask("t")])
    made.host.results.items["t"] = TaskResult("t", "SUCCESS", {"answer": [42], "text": "<b>"})
    assert "/task/t/result" in made.page("/task/t").values("a", "href")
    page = made.page("/task/t/result")
    assert '"answer": [ 42 ]' in page.text
    assert not page.find("b")


def test_without_a_result_backend_nothing_is_offered(site):
    made = site(tasks=[FakeTask("t", state="STARTED")])
    made.host.results.configured = False
    page = made.page("/task/t")
    assert not [href for href in page.values("a", "href") if "result" in href or "abort" in href]


def test_a_task_is_aborted_after_a_question(site):
    made = site(tasks=[FakeTask("t", state="STARTED")])
    page = made.page("/task/t/confirm?action=abort")
    (form,) = page.find("form", method="post")
    assert form["action"] == "/task/t/abort"
    assert made.fetch("/task/t/abort", "POST").code == 303
    assert made.host.results.aborted == ["t"]


@pytest.mark.parametrize(
    ("extra", "percent"),
    [
        ({"done": 30, "total": 120}, "25"),
        ({"current": 5, "total": 4}, "100"),
        ({"done": 1, "total": 0}, None),
        ({"done": "1", "total": 2}, None),
        ({"done": float("nan"), "total": 2}, None),
        ({}, None),
    ],
)
def test_progress_of_custom_events_is_a_bar(site, extra, percent):
    page = site(tasks=[FakeTask("t", state="PROGRESS", extra=extra)]).page("/task/t")
    assert page.values("progress", "value") == ([] if percent is None else [percent])


@pytest.mark.parametrize(
    ("state", "action"),
    [
        ("STARTED", "terminate"),
        ("RECEIVED", "revoke"),
        ("RETRY", "revoke"),
        ("PENDING", "revoke"),
        ("SUCCESS", None),
        ("FAILURE", None),
        ("REVOKED", None),
        ("REJECTED", None),
    ],
)
def test_the_button_fits_the_state(site, state, action):
    made = site(tasks=[FakeTask("t", state=state)])
    made.host.results.configured = False
    assert buttons(made) == ([f"/task/t/confirm?action={action}"] if action else [])


@pytest.mark.parametrize(
    ("times", "actions"),
    [
        ({"started": START}, ["/task/t/confirm?action=terminate"]),
        ({"started": None}, []),
        ({"started": START, "succeeded": START}, []),
        ({"started": START, "failed": START}, []),
        ({"started": START, "revoked": START}, []),
        ({"started": START, "rejected": START}, []),
    ],
)
def test_a_task_in_a_state_of_its_own_can_be_terminated_while_it_runs(site, times, actions):
    assert buttons(site(tasks=[FakeTask("t", state="PROGRESS", **{"succeeded": None, **times})])) == actions


@pytest.mark.parametrize(
    ("extra", "words"),
    [
        ({"terminated": True, "signum": 15, "expired": False}, "REVOKED Terminated by SIGTERM"),
        ({"terminated": True, "signum": "9", "expired": False}, "REVOKED Terminated by SIGKILL"),
        ({"terminated": True, "signum": "-15", "expired": False}, "REVOKED Terminated by SIGTERM"),
        ({"terminated": True, "signum": "SIGQUIT", "expired": False}, "REVOKED Terminated by SIGQUIT"),
        ({"terminated": True, "signum": 999, "expired": False}, "REVOKED Terminated by signal 999"),
        ({"terminated": True, "signum": "0", "expired": False}, "REVOKED Terminated"),
        ({"terminated": True, "signum": ["x"], "expired": False}, "REVOKED Terminated"),
        ({"terminated": False, "signum": None, "expired": True}, "REVOKED Expired"),
        ({"terminated": False, "signum": None, "expired": False}, "REVOKED"),
    ],
)
def test_a_revoked_task_tells_how_it_ended(site, extra, words):
    task = FakeTask("t", state="REVOKED", succeeded=None, revoked=START, worker=None, runtime=None, extra=extra)
    page = site(tasks=[task]).page("/task/t")
    assert re.search(rf"shop\.add {re.escape(words)} 20\d\d-", page.text)
    assert "signum" not in page.text
    assert "Fields of custom events" not in page.text


def test_fields_of_custom_events_keep_their_names(site):
    extra = {"expired": True, "terminated": True, "shard": 7}
    text = site(tasks=[FakeTask("t", state="PROGRESS", extra=extra)]).page("/task/t").text
    assert "expired True terminated True shard 7" in text
    assert "Terminated" not in text
    revoked = site(tasks=[FakeTask("t", state="REVOKED", extra=extra)]).page("/task/t").text
    assert "Fields of custom events shard 7" in revoked


def test_the_page_follows_its_task(site):
    page = site(tasks=[FakeTask("t,1")]).page("/task/t,1")
    assert page.values("body", "data-stream") == ["/stream?topics=task%3At%2C1"]


def test_a_task_whose_worker_is_lost_says_so_and_does_not_run_on(site):
    """R31"""
    task = FakeTask("t", state="STARTED", worker="w2@shop", succeeded=None, started=time.time() - 60)
    made = site(tasks=[task])
    assert "Worker lost" not in made.page("/task/t").text
    made.host.tasks.lost = {"t"}
    page = made.page("/task/t")
    assert "Worker lost" in page.text
    assert "Its worker has been silent since" in page.text
    assert "running for" not in page.text
    made.host.tasks.lost, made.host.tasks.restarted = set(), {"t"}
    page = made.page("/task/t")
    assert "Worker restarted" in page.text
    assert "does not have it" in page.text


@pytest.mark.parametrize("skew", [3600.0, -3600.0])
def test_times_of_clocks_that_disagree_are_not_subtracted(site, skew):
    """R43"""
    at = START + skew
    task = FakeTask("t", worker="w1@shop", sent=START, received=at + 1, started=at + 2, succeeded=at + 4)
    page = site(tasks=[task], workers=[FakeWorker("w1@shop", skew=skew)]).page("/task/t")
    assert re.search("Sent .* Received .* 1.00 s waiting in the worker Started .* 2.00 s running Succeeded", page.text)
    assert "in the queue" not in page.text
    assert [float(width) for width in page.values("rect", "width")] == pytest.approx([333.33, 666.67])


def test_panels_of_plugins_are_cards_between_the_call_and_the_details(site):
    made = site(tasks=[FakeTask("t", name="<x-evil>")])
    made.host.panels = [
        TaskPanel("cost", "Cost", lambda task: {"Price <b>": "12 €", "Tax": None}, order=20),
        TaskPanel("note", "Note", lambda task: f"{task.name} is\nlate", order=10),
        TaskPanel("none", "Nothing to say", lambda task: None),
    ]
    page = made.page("/task/t")
    assert [card["id"] for card in page.find("section", **{"class": "card panel"})] == ["panel-note", "panel-cost"]
    assert re.search("Call .* Note <x-evil> is late Cost Price <b> 12 € Tax \u2013 none Details", page.text)
    assert not page.find("x-evil")
    assert not page.find("b")
    assert "Nothing to say" not in page.text
    assert "Cost" not in made.page("/task/t/confirm?action=revoke").text


def test_the_template_of_a_panel_is_drawn_with_what_every_page_has(site, tmp_path):
    (tmp_path / "acme.html").write_text(
        '{% import "macros.html" as ui with context %}<p>{{ ui.state(task.state) }} {{ word }}</p>'
        '{{ ui.order(url("/acme"), "Open a ticket", "write") }}'
    )
    made = site(tasks=[FakeTask("t")], refusals={"write": "Only looking"}, templates=[tmp_path])
    made.host.panels = [TaskPanel("acme", "Acme", lambda task: {"word": "<x-evil>"}, "acme.html")]
    page = made.page("/task/t")
    assert '<p><span class="state state-ok">' in page.html
    assert "&lt;x-evil&gt;" in page.html
    assert not page.find("x-evil")
    assert '<button class="button" disabled>Open a ticket' in page.html


def test_an_order_to_drop_a_task_that_waits_is_not_forgotten(site):
    made = site(tasks=[FakeTask("t", state="RECEIVED", succeeded=None, started=None, runtime=None)])
    assert "Revoke ordered" not in made.page("/task/t").text
    assert made.fetch("/task/t/revoke", "POST").code in (200, 303)
    words = r"Revoke ordered now ?\. The worker that comes to it will drop it"
    assert re.search(words, made.page("/task/t").text)


def test_an_order_that_was_carried_out_is_the_state_alone(site):
    made = site(tasks=[FakeTask("t", state="REVOKED", succeeded=None, revoked=START)])
    made.host.control.revoked["t"] = START
    assert "Revoke ordered" not in made.page("/task/t").text


def test_a_task_with_an_eta_counts_down_to_it_in_the_readers_time_zone(site):
    later = time.time() + 3600
    eta = datetime.fromtimestamp(later, timezone.utc).isoformat()
    task = FakeTask("t", state="RECEIVED", eta=eta, succeeded=None, started=None, runtime=None)
    page = site(tasks=[task]).page("/task/t")
    assert re.search(r"not before 20\d\d-.* left (1h 00m 00s|59m 5\ds)", page.text)
    assert re.search(r"ETA 20\d\d-\d\d-\d\d \d\d:\d\d:\d\d\.\d{6}", page.text)
    ended = site(tasks=[FakeTask("t", eta=eta)]).page("/task/t")
    assert "not before" not in ended.text


def test_an_eta_that_is_no_time_stays_as_it_is(site):
    task = FakeTask("t", state="RECEIVED", eta="tomorrow", succeeded=None, started=None)
    assert "ETA tomorrow" in site(tasks=[task]).page("/task/t").text


def test_arguments_cannot_turn_the_text_around_them(site):
    page = site(tasks=[FakeTask("t", args="('\u202egnp.exe',)")]).page("/task/t")
    assert "\\u202egnp.exe" in page.text
    assert "\u202e" not in page.html


def test_what_an_unfinished_task_left_in_the_result_backend_is_shown(site):
    made = site(tasks=[FakeTask("t", state="STARTED", succeeded=None)])
    made.host.results.items["t"] = TaskResult("t", "PROGRESS", {"current": 3, "total": 9})
    text = made.page("/task/t/result").text
    assert "The task is not ready. It left this:" in text
    assert '"current": 3' in text


def test_a_task_that_waits_says_for_how_long_and_whether_anybody_would_take_it(site):
    not_yet = dict.fromkeys(("received", "started", "succeeded", "runtime", "worker"))
    task = FakeTask("t", state="PENDING", sent=time.time() - 90, queue="slow", **not_yet)
    made = site(tasks=[task])
    page = made.page("/task/t")
    assert re.search(r"waiting for 1m 3\ds", page.text)
    assert "no worker consumes" not in page.text
    made.host.inspect.replies["w1"] = {"active_queues": [{"name": "celery"}]}
    assert "It waits in queue slow , from which no worker consumes." in made.page("/task/t").text
    made.host.inspect.replies["w1"] = {"active_queues": [{"name": "slow"}]}
    assert "no worker consumes" not in made.page("/task/t").text
