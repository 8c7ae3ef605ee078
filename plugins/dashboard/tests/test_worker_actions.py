"""The questions before an order, and one order to several workers."""

from __future__ import annotations

import json
from urllib.parse import urlencode

import pytest

from flower_dashboard.orders import ORDERS
from flower_plugins.testing import FakeWorker

FORM = {"Content_Type": "application/x-www-form-urlencoded"}
WORKERS = [("worker", "w1@shop"), ("worker", "w2@shop")]


def test_there_are_as_many_questions_as_orders(site):
    made = site()
    for slug, order in ORDERS.items():
        given = {"n": "3", "min": "1", "max": "4", "queue": "mail<b>", "task": "shop.add", "limit": "10/m", "soft": "5"}
        asked = {param.name: given[param.name] for param in order.params if param.name in given}
        page = made.page(f"/worker/w1@shop/confirm?{urlencode({'action': slug, **asked})}")
        (form,) = page.find("form", method="post")
        assert form["action"] == f"/worker/w1@shop/{order.path}"
        hidden = {field["name"]: field["value"] for field in page.find("input", type="hidden")}
        assert asked.items() <= hidden.items()
        assert "w1@shop" in page.text
        assert not page.find("b")
    assert made.host.control.orders == []


def test_a_question_of_several_workers_names_them_and_asks_for_what_the_order_needs(site):
    page = site().page(f"/workers/confirm?{urlencode([*WORKERS, ('action', 'pool-grow')])}")
    assert "Grow pool of 2 workers?" in page.text
    assert [field["value"] for field in page.find("input", name="worker")] == ["w1@shop", "w2@shop"]
    (number,) = page.find("input", name="n")
    assert (number["min"], number["max"], number["value"]) == ("1", "1000", "1")


@pytest.mark.parametrize("path", ["/workers/confirm?action=shutdown", "/workers/order"])
def test_nobody_chosen_is_400(site, path):
    made = site()
    method, body = ("POST", urlencode({"action": "shutdown"})) if path.endswith("order") else ("GET", None)
    assert made.fetch(path, method, body, **(FORM if body else {})).code == 400
    assert made.host.control.orders == []


def test_each_worker_has_an_outcome_of_its_own(site):
    made = site()
    body = urlencode([*WORKERS, ("action", "pool-grow"), ("n", "2")])
    answer = made.fetch("/workers/order", "POST", body, Accept="application/json", **FORM)
    assert answer.code == 207
    told = json.loads(answer.body)
    assert told["message"].startswith("1 of 2 workers did it. w2@shop: ")
    assert [each["ok"] for each in told["results"]] == [True, False]
    assert made.host.control.orders == [("pool_grow", "w1@shop", 2)]
    page = made.fetch("/workers/order", "POST", body, **FORM).body.decode()
    assert "1 of 2 workers did it" in page


def test_an_order_to_all_who_are_there_is_200(site):
    made = site()
    body = urlencode([WORKERS[0], ("action", "consumer-add"), ("queue", "mail")])
    assert made.fetch("/workers/order", "POST", body, Accept="application/json", **FORM).code == 200
    assert made.host.control.orders == [("add_consumer", "w1@shop", "mail")]


@pytest.mark.parametrize(
    "given",
    [
        {"action": "pool-grow", "n": "0"},
        {"action": "pool-grow", "n": "1001"},
        {"action": "pool-grow", "n": "x"},
        {"action": "consumer-add"},
        {"action": "autoscale", "min": "1"},
        {"action": "explode"},
    ],
)
def test_absurd_orders_to_several_are_400_and_nothing_is_ordered(site, given):
    made = site()
    body = urlencode([*WORKERS, *given.items()])
    assert made.fetch("/workers/order", "POST", body, **FORM).code == 400
    assert made.host.control.orders == []


def test_a_crowd_is_refused(site):
    body = urlencode([("action", "shutdown"), *(("worker", f"w{n}") for n in range(501))])
    assert site().fetch("/workers/order", "POST", body, **FORM).code == 400


@pytest.mark.parametrize(("action", "status"), [("shutdown", 403), ("pool-restart", 403), ("pool-grow", 200)])
def test_what_only_an_admin_may_do_is_refused_to_others(site, action, status):
    made = site(refusals={"admin": "Only for admins"})
    body = urlencode([WORKERS[0], ("action", action)])
    assert made.fetch("/workers/order", "POST", body, Accept="application/json", **FORM).code == status
    assert bool(made.host.control.orders) == (status == 200)


def test_a_worker_that_is_gone_can_be_removed_and_one_that_is_there_cannot(site):
    made = site(workers=[FakeWorker("here"), FakeWorker("gone", online=False), FakeWorker("gone2", online=False)])
    answer = made.fetch("/worker/gone/forget", "POST")
    assert (answer.code, answer.headers["Location"]) == (303, "/workers")
    assert made.host.workers.get("gone") is None
    assert made.fetch("/worker/here/forget", "POST").code == 403
    answer = made.fetch("/worker/gone2/forget", "POST", Accept="application/json")
    assert json.loads(answer.body)["next"] == "/workers"
    assert made.host.workers.get("here") is not None


def test_workers_are_filtered_by_status(site):
    made = site()
    chips = {
        a["href"].partition("status=")[2].partition("&")[0]
        for a in made.page("/workers").find("a")
        if "chip" in (a.get("class") or "")
    }
    assert chips == {"", "online", "offline"}
    offline = made.page("/workers?status=offline")
    assert "w2@shop" in offline.text
    assert "w1@shop" not in offline.text
    assert made.fetch("/workers?status=sleeping").code == 400


@pytest.mark.parametrize(("soft", "hard", "status"), [("", "", 400), ("x", "", 400), ("1.5", "", 303), ("", "3", 303)])
def test_time_limits_are_numbers_of_seconds(site, soft, hard, status):
    body = urlencode({"task": "shop.add", "soft": soft, "hard": hard})
    assert site().fetch("/worker/w1@shop/limit/time", "POST", body, **FORM).code == status


@pytest.mark.parametrize(
    ("path", "given", "undo"),
    [
        ("pool/grow", {"n": "2"}, [["action", "pool-shrink"], ["worker", "w1@shop"], ["n", "2"]]),
        ("pool/shrink", {}, [["action", "pool-grow"], ["worker", "w1@shop"], ["n", "1"]]),
        ("queue/cancel", {"queue": "celery"}, [["action", "consumer-add"], ["worker", "w1@shop"], ["queue", "celery"]]),
        ("queue/add", {"queue": "mail"}, [["action", "consumer-cancel"], ["worker", "w1@shop"], ["queue", "mail"]]),
        ("queue/cancel", {"queue": "mail"}, None),
        ("queue/add", {"queue": "celery"}, None),
        ("limit/rate", {"task": "shop.add", "limit": "1/s"}, None),
    ],
)
def test_what_can_be_taken_back_says_how(site, path, given, undo):
    made = site()
    made.host.inspect.replies["w1@shop"] = {"active_queues": [{"name": "celery"}, None]}
    answer = made.fetch(f"/worker/w1@shop/{path}", "POST", urlencode(given), Accept="application/json", **FORM)
    told = json.loads(answer.body).get("undo")
    assert (told and told["fields"]) == undo
    assert told is None or told["href"] == "/workers/order"
    if told:
        answer = made.fetch(
            told["href"], "POST", urlencode([*map(tuple, told["fields"])]), Accept="application/json", **FORM
        )
        assert answer.code == 200
        assert len(made.host.control.orders) == 2


def test_nothing_is_undone_where_it_is_not_known_what_was(site):
    body = urlencode({"queue": "celery"})
    answer = site().fetch("/worker/w1@shop/queue/add", "POST", body, Accept="application/json", **FORM)
    assert "undo" not in json.loads(answer.body)


def test_an_order_to_several_is_taken_back_from_all_or_none(site):
    made = site(workers=[FakeWorker("w1@shop"), FakeWorker("w2@shop")])
    body = urlencode([*WORKERS, ("action", "pool-grow"), ("n", "2")])
    told = json.loads(made.fetch("/workers/order", "POST", body, Accept="application/json", **FORM).body)
    assert told["undo"]["fields"] == [["action", "pool-shrink"], *map(list, WORKERS), ["n", "2"]]
    partly = json.loads(site().fetch("/workers/order", "POST", body, Accept="application/json", **FORM).body)
    assert "undo" not in partly
