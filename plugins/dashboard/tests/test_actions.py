from __future__ import annotations

import asyncio
import json
from urllib.parse import urlencode

import pytest

from flower_plugins import NoReply
from flower_plugins.testing import FakeTask

FORM = {"Content_Type": "application/x-www-form-urlencoded"}
ACTIONS = [
    ("/worker/w1@shop/shutdown", {}, ("shutdown", "w1@shop"), "Shutting down!", "shutdown"),
    (
        "/worker/w1@shop/pool/restart",
        {},
        ("pool_restart", "w1@shop"),
        "Restarting 'w1@shop' worker's pool",
        "pool-restart",
    ),
    (
        "/worker/w1@shop/pool/grow",
        {"n": 2},
        ("pool_grow", "w1@shop", 2),
        "Growing 'w1@shop' worker's pool by 2",
        "pool-grow",
    ),
    (
        "/worker/w1@shop/pool/shrink",
        {},
        ("pool_shrink", "w1@shop", 1),
        "Shrinking 'w1@shop' worker's pool by 1",
        "pool-shrink",
    ),
    (
        "/worker/w1@shop/pool/autoscale",
        {"min": 2, "max": 8},
        ("autoscale", "w1@shop", 2, 8),
        "Autoscaling 'w1@shop' worker (min=2, max=8)",
        "autoscale",
    ),
    (
        "/worker/w1@shop/queue/add",
        {"queue": "a&b"},
        ("add_consumer", "w1@shop", "a&b"),
        "add consumer a&b",
        "consumer-add",
    ),
    (
        "/worker/w1@shop/queue/cancel",
        {"queue": "mail"},
        ("cancel_consumer", "w1@shop", "mail"),
        "no longer consuming from mail",
        "consumer-cancel",
    ),
    (
        "/worker/w1@shop/limit/rate",
        {"task": "shop.add", "limit": "10/m"},
        ("rate_limit", "w1@shop", "shop.add", "10/m"),
        "new rate limit set successfully",
        "rate-limit",
    ),
    (
        "/worker/w1@shop/limit/time",
        {"task": "shop.add", "soft": "", "hard": "2.5"},
        ("time_limit", "w1@shop", "shop.add", None, 2.5),
        "time limits set successfully",
        "time-limit",
    ),
    ("/task/a/revoke", {}, ("revoke", ("a",), False, "SIGTERM"), "Revoked 'a'", "revoked"),
    (
        "/task/a/revoke",
        {"terminate": "true", "signal": "SIGKILL"},
        ("revoke", ("a",), True, "SIGKILL"),
        "Terminated 'a'",
        "terminated",
    ),
]


@pytest.mark.parametrize(("path", "params", "order", "message", "code"), ACTIONS)
def test_an_order_reaches_control_and_is_answered_in_the_form_asked_for(site, path, params, order, message, code):
    made = site(tasks=[FakeTask("a", state="STARTED")])
    answer = made.fetch(path, "POST", urlencode(params), Accept="application/json", **FORM)
    assert (answer.code, json.loads(answer.body)["message"]) == (200, message)
    answer = made.fetch(path, "POST", urlencode(params), **FORM)
    page, target = ("/task/a", "a") if "/task/" in path else ("/worker/w1@shop", "w1%40shop")
    assert (answer.code, answer.headers["Location"]) == (303, f"{page}?flash={code}&target={target}")
    assert made.host.control.orders == [order, order]
    assert 'role="status"' in made.page(answer.headers["Location"]).html.split("</h1>")[0]


@pytest.mark.parametrize(("path", "params", "order", "message", "code"), ACTIONS)
def test_orders_are_not_given_by_get(site, path, params, order, message, code):
    made = site()
    assert made.fetch(f"{path}?{urlencode(params)}").code == 405
    assert made.host.control.orders == []


@pytest.mark.parametrize(
    ("path", "params"),
    [
        ("/worker/w1@shop/pool/grow", {"n": 0}),
        ("/worker/w1@shop/pool/grow", {"n": -1}),
        ("/worker/w1@shop/pool/shrink", {"n": 1001}),
        ("/worker/w1@shop/pool/shrink", {"n": "x"}),
        ("/task/a/revoke", {"signal": "SIGFOO"}),
        ("/task/a/revoke", {"terminate": "maybe"}),
    ],
)
def test_absurd_values_are_400_and_nothing_is_ordered(site, path, params):
    made = site()
    assert made.fetch(path, "POST", urlencode(params), **FORM).code == 400
    assert made.host.control.orders == []


@pytest.mark.parametrize("path", ["/worker/nope/shutdown", "/worker/nope/refresh", "/task/nope/revoke"])
def test_what_is_unknown_is_404(site, path):
    made = site()
    assert made.fetch(path, "POST").code == 404
    assert made.host.control.orders == made.host.inspect.refreshed == []


def test_a_worker_that_does_not_answer_is_reported(site):
    made = site()

    class Silent(type(made.host.control)):
        async def pool_grow(self, hostname, n=1):
            raise NoReply("w1@shop did not answer within 1 s")

    made.host.control = Silent(made.host.workers)
    answer = made.fetch("/worker/w1@shop/pool/grow", "POST", Accept="application/json")
    assert (answer.code, json.loads(answer.body)) == (504, {"error": "w1@shop did not answer within 1 s"})


@pytest.mark.parametrize("order", ["grow", "shrink", "restart"])
def test_an_order_to_a_pool_makes_the_worker_tell_anew(site, order):
    made = site()

    async def scenario(client):
        await client.fetch("/worker/w1@shop")
        changes = made.host.stream.subscribe(["workers"])
        await anext(changes)
        assert (await client.fetch(f"/worker/w1@shop/pool/{order}", "POST")).code == 303
        assert await asyncio.wait_for(anext(changes), 5) == {"workers"}
        await changes.aclose()

    made.serve(scenario)
    assert made.host.inspect.refreshed == ["w1@shop", "w1@shop"]


def test_an_answer_from_before_the_order_is_not_taken_for_one_to_it(site):
    made = site()
    answer = asyncio.Event()

    class Slow(type(made.host.inspect)):
        async def refresh(self, hostname=None):
            await super().refresh(hostname)
            await answer.wait()

    made.host.inspect = Slow()
    made.host.inspect.replies["w1@shop"] = {"timestamp": 1_700_000_000.0}

    async def scenario(client):
        await client.fetch("/worker/w1@shop")
        changes = made.host.stream.subscribe(["workers"])
        await anext(changes)
        await client.fetch("/worker/w1@shop/pool/grow", "POST")
        answer.set()
        await asyncio.wait_for(anext(changes), 5)
        await changes.aclose()

    made.serve(scenario)
    assert made.host.inspect.refreshed == ["w1@shop"] * 3


def test_a_refused_order_asks_nobody(site):
    made = site()
    assert made.fetch("/worker/nope/pool/grow", "POST").code == 404
    assert made.host.inspect.refreshed == []


def test_asking_again_waits_for_the_worker_and_is_open_to_readers(site):
    made = site(refusals={"write": "Read only mode is enabled", "admin": "Read only mode is enabled"})
    assert made.fetch("/worker/w1@shop/refresh", "POST").code == 303
    assert made.host.inspect.refreshed == ["w1@shop"]


@pytest.mark.parametrize("headers", [{"Sec_Fetch_Site": "cross-site"}, {"Origin": "http://evil.example"}])
def test_another_site_cannot_ask_workers(site, headers):
    made = site()
    assert made.fetch("/worker/w1@shop/refresh", "POST", **headers).code == 403
    assert made.host.inspect.refreshed == []


@pytest.mark.parametrize(
    ("path", "action", "words"),
    [
        ("/worker/w1@shop/confirm?action=shutdown", "/worker/w1@shop/shutdown", "Shut down w1@shop"),
        ("/worker/w1@shop/confirm?action=pool-restart", "/worker/w1@shop/pool/restart", "Restart pool of w1@shop"),
        ("/task/a/confirm?action=terminate", "/task/a/revoke", "Terminate a"),
        ("/task/a/confirm?action=revoke", "/task/a/revoke", "Revoke a"),
    ],
)
def test_destructive_orders_are_asked_about_by_name_first(site, path, action, words):
    """BAR S09, without script."""
    made = site(tasks=[FakeTask("a", state="STARTED")])
    page = made.page(path)
    assert page.find("form", method="post", action=action)
    assert words in page.text
    fragment = made.page(path + "&fragment=1")
    assert fragment.find("form", method="post", action=action)


@pytest.mark.parametrize(
    ("state", "times"),
    [("SUCCESS", {}), ("FAILURE", {}), ("REVOKED", {}), ("REJECTED", {}), ("PROGRESS", {"succeeded": 1_700_000_001.0})],
)
@pytest.mark.parametrize("terminate", ["true", "false"])
def test_a_finished_task_is_beyond_orders(site, state, times, terminate):
    made = site(tasks=[FakeTask("a", state=state, **times)])
    answer = made.fetch("/task/a/revoke", "POST", f"terminate={terminate}", Accept="application/json", **FORM)
    assert (answer.code, json.loads(answer.body)) == (409, {"error": f"Task 'a' already finished: {state}"})
    assert made.host.control.orders == []


@pytest.mark.parametrize("action", ["terminate", "revoke"])
def test_a_finished_task_is_not_asked_about(site, action):
    page = site().page(f"/task/a/confirm?action={action}")
    assert "danger solid" not in page.html
    assert "already finished" in page.text


@pytest.mark.parametrize("page", ["/worker/w1@shop", "/task/t"])
def test_a_page_has_no_button_that_destroys_at_once(site, page):
    forms = site(tasks=[FakeTask("t", state="STARTED")]).page(page).values("form", "action")
    assert not any(form.endswith(("/shutdown", "/restart", "/revoke")) for form in forms)


@pytest.mark.parametrize("path", ["/worker/w1@shop/confirm?action=bogus", "/worker/w1@shop/confirm", "/task/a/confirm"])
def test_only_known_questions_are_asked(site, path):
    assert site().fetch(path).code == 400


def test_refused_buttons_are_disabled_and_say_why(site):
    made = site(
        tasks=[FakeTask("t", state="STARTED")], refusals={"write": "Only operators may.", "admin": "Only admins may."}
    )
    worker = made.page("/worker/w1@shop")
    assert "Only operators may." in worker.text
    assert "Only admins may." in worker.text
    assert not [href for href in worker.values("a", "href") if "confirm" in href]
    task = made.page("/task/t")
    assert "Only operators may." in task.text
    assert [button for button in task.find("button") if "disabled" in button]
    assert [b for b in made.page("/task/t/confirm?action=terminate").find("button") if "disabled" in b]
    assert made.fetch("/task/t/revoke", "POST").code == 403


@pytest.mark.parametrize("query", ["flash=bogus&target=a", "flash=revoked&target=somebody", "flash=revoked"])
def test_a_forged_message_is_not_shown(site, query):
    page = site().page(f"/task/a?{query}")
    assert "Revoked" not in page.text
    assert "somebody" not in page.text
