from __future__ import annotations

import json
from urllib.parse import urlencode

import pytest

from flower_dashboard.batches import Batches
from flower_dashboard.views import bulk
from flower_plugins import Unavailable
from flower_plugins.testing import FakeTask

FORM = {"Content_Type": "application/x-www-form-urlencoded"}


def waiting(number, **options):
    return [FakeTask(f"t{n}", state="RECEIVED", succeeded=None, **options) for n in range(number)]


def ask(made, client_path, **params):
    """Return the page that asks, by POST as the page's form does."""
    answer = made.fetch(client_path, "POST", urlencode(params, doseq=True), **FORM)
    assert answer.code == 200, answer.body
    return answer.body.decode()


async def order(client, parse, answer_headers=None, **params):
    """Ask, then say yes; return the answer."""
    headers = {"Content-Type": FORM["Content_Type"]}
    asked = await client.fetch("/tasks/confirm", "POST", urlencode(params, doseq=True), headers)
    assert asked.code == 200, asked.body
    form = {i["name"]: i["value"] for i in parse(asked.body.decode()).find("input", type="hidden")}
    return await client.fetch("/tasks/revoke", "POST", urlencode(form), {**headers, **(answer_headers or {})})


JSON = {"Accept": "application/json"}


def test_the_question_names_what_and_how_many(site, parse):
    made = site(tasks=[*waiting(3, name="shop.mail"), FakeTask("done", name="shop.mail")])
    page = parse(ask(made, "/tasks/confirm", action="revoke"))
    assert "Revoke 3 tasks?" in page.text
    assert "3 \u00d7 shop.mail" in page.text
    assert "All tasks there are" in page.text
    assert "1 has already finished and is left alone." in page.text
    page = parse(ask(made, "/tasks/confirm", action="terminate", ids=["t1"]))
    assert "Terminate 1 task?" in page.text
    assert "Selected one by one" in page.text
    assert page.find("select", name="signal")
    page = parse(ask(made, "/tasks/confirm", action="revoke", search="shop", worker="w1@shop"))
    assert "All that match shop worker:w1@shop" in page.text


def test_exactly_what_was_shown_is_revoked_whatever_comes_in_meanwhile(site, parse):
    made = site(tasks=waiting(2))
    headers = {"Content-Type": FORM["Content_Type"]}

    async def scenario(client):
        asked = await client.fetch(
            "/tasks/confirm", "POST", urlencode({"action": "revoke", "state": "RECEIVED"}), headers
        )
        made.host.tasks.items["late"] = FakeTask("late", state="RECEIVED", succeeded=None)
        (batch,) = [i["value"] for i in parse(asked.body.decode()).find("input", name="batch")]
        body = urlencode({"batch": batch})
        first = await client.fetch("/tasks/revoke", "POST", body, {**headers, **JSON})
        return first, await client.fetch("/tasks/revoke", "POST", body, {**headers, **JSON})

    first, again = made.serve(scenario)
    assert json.loads(first.body)["message"] == "Revoked 2 tasks."
    assert made.host.control.orders == [("revoke", ("t1", "t0"), False, "SIGTERM")]
    assert again.code == 409
    assert "asked too long ago" in json.loads(again.body)["error"]


def test_two_who_ask_at_once_get_an_answer_of_their_own_each(site, parse):
    made = site(tasks=waiting(2))

    async def scenario(client):
        headers = {"Content-Type": FORM["Content_Type"]}
        bodies = [urlencode({"action": "revoke", "ids": uuid}) for uuid in ("t0", "t1")]
        answers = [await client.fetch("/tasks/confirm?fragment=1", "POST", body, headers) for body in bodies]
        answers += [await client.fetch("/tasks/confirm?fragment=1&action=revoke") for _ in range(2)]
        return [parse(answer.body.decode()).find("input", name="batch")[0]["value"] for answer in answers]

    batches = made.serve(scenario)
    assert len(set(batches)) == 4


def test_a_selection_is_terminated_with_the_signal_and_an_outcome_for_each(site, parse):
    made = site(tasks=[*waiting(2), FakeTask("done")])

    async def scenario(client):
        headers = {"Content-Type": FORM["Content_Type"]}
        body = urlencode({"action": "terminate", "ids": ["t0", "t1", "done", "nobody"]}, doseq=True)
        asked = parse((await client.fetch("/tasks/confirm", "POST", body, headers)).body.decode())
        assert "1 is no longer kept" in asked.text
        made.host.tasks.items["t1"].state = "SUCCESS"
        batch = asked.find("input", name="batch")[0]["value"]
        form = urlencode({"batch": batch, "terminate": "true", "signal": "SIGKILL"})
        return await client.fetch("/tasks/revoke", "POST", form, {**headers, **JSON})

    answer = made.serve(scenario)
    assert made.host.control.orders == [("revoke", ("t0",), True, "SIGKILL")]
    assert json.loads(answer.body) == {
        "message": "Terminated 1 task. 1 had already finished or are no longer kept.",
        "failed": 0,
        "targets": {"t1": "Already finished: SUCCESS", "t0": "Terminated with SIGKILL"},
    }


def test_without_script_the_outcome_is_a_page(site, parse):
    made = site(tasks=waiting(2))
    answer = made.serve(lambda client: order(client, parse, action="revoke"))
    page = parse(answer.body.decode())
    assert "Revoked 2 tasks." in page.text
    assert "/tasks" in page.values("a", "href")


def test_an_order_that_fails_halfway_says_for_which(site, parse, monkeypatch):
    monkeypatch.setattr(bulk, "_CHUNK", 2)
    made = site(tasks=waiting(5))
    revoke, calls = made.host.control.revoke, []

    async def failing(uuids, **options):
        calls.append(uuids)
        if len(calls) == 2:
            raise Unavailable("The broker does not answer")
        await revoke(uuids, **options)

    made.host.control.revoke = failing
    answer = made.serve(lambda client: order(client, parse, JSON, action="revoke"))
    told = json.loads(answer.body)
    assert answer.code == 207
    assert told["message"] == "Revoked 2 tasks. 3 failed: The broker does not answer."
    assert list(told["targets"].values()) == ["Revoked"] * 2 + ["The broker does not answer"] * 2 + [
        "Not tried after that"
    ]


def test_an_order_that_fails_altogether_is_that_failure(site, parse):
    made = site(tasks=waiting(1))
    made.host.control.refusals["revoke"] = Unavailable("The broker does not answer")
    answer = made.serve(lambda client: order(client, parse, JSON, action="revoke"))
    assert (answer.code, json.loads(answer.body)) == (503, {"error": "The broker does not answer"})


def test_an_id_that_cannot_be_sent_costs_only_itself(site, parse):
    long = FakeTask("x" * 300, state="RECEIVED", succeeded=None)
    made = site(tasks=[long, *waiting(1)])
    answer = made.serve(lambda client: order(client, parse, JSON, action="revoke"))
    told = json.loads(answer.body)
    assert (answer.code, told["failed"]) == (207, 1)
    assert "longer than 255" in told["targets"][long.uuid]
    assert made.host.control.orders == [("revoke", ("t0",), False, "SIGTERM")]


def test_too_many_at_once_are_refused_with_a_way_out(site, parse, monkeypatch):
    monkeypatch.setattr(bulk, "MOST", 4)
    made = site(tasks=waiting(5))
    page = parse(ask(made, "/tasks/confirm", action="revoke"))
    assert "5 tasks match" in page.text
    assert "narrow the search" in page.text
    assert not page.find("input", name="batch")
    assert "danger solid" not in page.html


@pytest.mark.parametrize("action", ["revoke", "terminate"])
def test_nothing_is_asked_about_tasks_that_have_all_finished(site, parse, action):
    page = parse(ask(site(tasks=[FakeTask("a")]), "/tasks/confirm", action=action))
    assert f"Nothing to {action}" in page.text
    assert not page.find("input", name="batch")


def test_more_than_a_thousand_are_not_selected_one_by_one(site):
    made = site(tasks=[])
    body = urlencode({"action": "revoke", "ids": "\n".join(f"t{n}" for n in range(1001))})
    answer = made.fetch("/tasks/confirm", "POST", body, **FORM)
    assert (answer.code, b"all that match instead" in answer.body) == (400, True)


def test_who_may_not_act_is_told_why_and_gets_no_batch(site, parse):
    made = site(tasks=waiting(2), refusals={"write": "Read only mode is enabled"})
    page = made.page("/tasks")
    assert "Read only mode is enabled" in page.text
    disabled = [b["value"] for b in page.find("button", name="action") if "disabled" in b]
    assert disabled == ["revoke", "terminate"]
    page = parse(ask(made, "/tasks/confirm", action="revoke"))
    assert "Read only mode is enabled" in page.text
    assert page.find("input", name="batch")[0]["value"] == ""
    assert made.fetch("/tasks/revoke", "POST", "batch=x", **FORM).code == 403


@pytest.mark.parametrize("body", ["", "batch=", "batch=forged", "batch=x&signal=SIGFOO", "batch=x&terminate=maybe"])
def test_a_forged_order_does_nothing(site, body):
    made = site(tasks=waiting(1))
    assert made.fetch("/tasks/revoke", "POST", body, **FORM).code in (400, 409)
    assert made.host.control.orders == []


def test_orders_are_not_given_by_get(site):
    assert site().fetch("/tasks/revoke?batch=x").code == 405


def test_another_site_cannot_fill_the_place_where_questions_wait(site):
    made = site(tasks=waiting(1))
    assert made.fetch("/tasks/confirm?action=revoke", Sec_Fetch_Site="cross-site").code == 403


def test_a_search_that_cannot_be_read_is_not_acted_upon(site):
    assert site().fetch("/tasks/confirm?action=revoke&search=%22a").code == 400


def test_batches_are_taken_once_in_time_and_are_few():
    now = [0.0]
    batches = Batches(lambda: now[0])
    token = batches.keep(["a"])
    assert batches.take(token) == ("a",)
    assert batches.take(token) is None
    late = batches.keep(["b"])
    now[0] = 601.0
    assert batches.take(late) is None
    tokens = [batches.keep([str(n)]) for n in range(40)]
    assert [batches.take(token) is None for token in tokens] == [True] * 8 + [False] * 32
