"""Orders to workers: what is asked for, in which order it is checked, and what is answered."""

from __future__ import annotations

from typing import Any

import pytest

from flower_api.plugin import flower_routes
from flower_plugins import Forbidden, NoReply, Unavailable

ORDERS: list[tuple[str, tuple[Any, ...], str]] = [
    ("/api/worker/shutdown/w1@shop", ("shutdown", "w1@shop"), "Shutting down!"),
    ("/api/worker/pool/restart/w1@shop", ("pool_restart", "w1@shop"), "Restarting 'w1@shop' worker's pool"),
    ("/api/worker/pool/grow/w1@shop", ("pool_grow", "w1@shop", 1), "Growing 'w1@shop' worker's pool by 1"),
    ("/api/worker/pool/grow/w1@shop?n=3", ("pool_grow", "w1@shop", 3), "Growing 'w1@shop' worker's pool by 3"),
    ("/api/worker/pool/grow/w1@shop?n=2&n=3", ("pool_grow", "w1@shop", 3), "Growing 'w1@shop' worker's pool by 3"),
    ("/api/worker/pool/shrink/w1@shop?n=2", ("pool_shrink", "w1@shop", 2), "Shrinking 'w1@shop' worker's pool by 2"),
    (
        "/api/worker/pool/autoscale/w1@shop?min=3&max=10",
        ("autoscale", "w1@shop", 3, 10),
        "Autoscaling 'w1@shop' worker (min=3, max=10)",
    ),
    ("/api/worker/queue/add-consumer/w1@shop?queue=a%26b", ("add_consumer", "w1@shop", "a&b"), "add consumer a&b"),
    (
        "/api/worker/queue/cancel-consumer/w1@shop?queue=mail",
        ("cancel_consumer", "w1@shop", "mail"),
        "no longer consuming from mail",
    ),
    (
        "/api/task/timeout/shop.add?workername=w1@shop&soft=30&hard=100",
        ("time_limit", "w1@shop", "shop.add", 30.0, 100.0),
        "time limits set successfully",
    ),
    (
        "/api/task/timeout/shop.add?workername=w1@shop&soft=30",
        ("time_limit", "w1@shop", "shop.add", 30.0, None),
        "time limits set successfully",
    ),
    (
        "/api/task/rate-limit/shop.add?workername=w1@shop&ratelimit=200",
        ("rate_limit", "w1@shop", "shop.add", "200"),
        "new rate limit set successfully",
    ),
]


@pytest.mark.parametrize(("path", "order", "sentence"), ORDERS)
def test_an_order_is_given_and_answered_in_the_words_of_flower_2(
    api: Any, path: str, order: tuple[Any, ...], sentence: str
) -> None:
    assert api.post(path) == (200, {"message": sentence})
    assert api.host.control.orders == [order]


def test_parameters_may_come_in_a_form(api: Any) -> None:
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    body = "soft=30&hard=100&workername=w1%40shop"
    assert api.post("/api/task/timeout/shop.add", body, form)[0] == 200
    assert api.host.control.orders == [("time_limit", "w1@shop", "shop.add", 30.0, 100.0)]


@pytest.mark.parametrize(
    ("path", "status", "words"),
    [
        ("/api/worker/pool/grow/w1@shop?n=abc", 400, "Invalid argument 'abc' of type 'int'"),
        ("/api/worker/pool/grow/w1@shop?n=0", 400, "Invalid argument '0': n is at least 1"),
        ("/api/worker/pool/grow/w1@shop?n=-1", 400, "Invalid argument '-1': n is at least 1"),
        ("/api/worker/pool/shrink/w1@shop?n=1001", 400, "Invalid argument '1001': n is at most 1000"),
        ("/api/worker/pool/autoscale/w1@shop?min=1", 400, "Missing argument max"),
        ("/api/worker/queue/add-consumer/w1@shop", 400, "Missing argument queue"),
        ("/api/worker/queue/add-consumer/w1@shop?queue=", 400, "Missing argument queue"),
        ("/api/worker/queue/add-consumer/w1@shop?queue=%20", 400, "Missing argument queue"),
        ("/api/task/timeout/shop.add?workername=w1@shop&soft=nan", 400, "Invalid argument 'nan' of type 'float'"),
        ("/api/task/timeout/shop.add?workername=w1@shop&hard=inf", 400, "Invalid argument 'inf' of type 'float'"),
        ("/api/task/timeout/shop.add?workername=w1@shop&hard=-1", 400, "Invalid argument '-1': hard is at least 0"),
        ("/api/task/timeout/shop.add", 400, "Missing argument workername"),
        ("/api/task/rate-limit/shop.add?workername=w1@shop", 400, "Missing argument ratelimit"),
        # known worker or task first, arguments later
        ("/api/worker/pool/grow/nope?n=abc", 404, "Unknown worker 'nope'"),
        ("/api/worker/queue/add-consumer/nope", 404, "Unknown worker 'nope'"),
        ("/api/worker/pool/grow/gone@shop?n=abc", 409, "Worker 'gone@shop' is offline"),
        ("/api/worker/shutdown/gone@shop", 409, "Worker 'gone@shop' is offline"),
        ("/api/task/timeout/nope?workername=nope", 404, "Unknown task 'nope'"),
        ("/api/task/timeout/nope", 404, "Unknown task 'nope'"),
        ("/api/task/timeout/shop.add?workername=nope&soft=x", 404, "Unknown worker 'nope'"),
        ("/api/task/rate-limit/shop.add?workername=nope", 404, "Unknown worker 'nope'"),
    ],
)
def test_what_is_wrong_is_refused_in_order_and_nothing_is_ordered(api: Any, path: str, status: int, words: str) -> None:
    """S61, R29"""
    assert api.post(path) == (status, words)
    assert api.host.control.orders == []


@pytest.mark.parametrize(("error", "status"), [(Forbidden("no"), 403), (NoReply("no"), 504), (Unavailable("no"), 503)])
@pytest.mark.parametrize("path", [path for path, _, _ in ORDERS])
def test_failures_keep_their_status_and_words(api: Any, path: str, error: Exception, status: int) -> None:
    """R19, R29"""
    names = "shutdown pool_restart pool_grow pool_shrink autoscale add_consumer cancel_consumer time_limit rate_limit"
    api.host.control.refusals = dict.fromkeys(names.split(), error)
    assert api.post(path) == (status, "no")
    assert api.post(path, accept="application/json") == (status, {"error": "no"})


def test_ending_and_restarting_is_for_administrators() -> None:
    access = {route.pattern: route.access for route in flower_routes()}
    for path, level in access.items():
        assert (level == "admin") == ("shutdown" in path or "restart" in path), path
    assert access["/api/worker/shutdown/(?P<name>.+)"] == "admin"


@pytest.mark.parametrize("path", [path for path, _, _ in ORDERS])
def test_orders_are_not_given_by_get(api: Any, path: str) -> None:
    assert api.get(path)[0] == 405
    assert api.host.control.orders == []


MANY: list[tuple[str, dict[str, Any], tuple[Any, ...]]] = [
    ("/api/workers/shutdown", {}, ("shutdown",)),
    ("/api/workers/pool/restart", {}, ("pool_restart",)),
    ("/api/workers/pool/grow", {"n": 2}, ("pool_grow", 2)),
    ("/api/workers/pool/shrink", {}, ("pool_shrink", 1)),
    ("/api/workers/pool/autoscale", {"min": 1, "max": 3}, ("autoscale", 1, 3)),
    ("/api/workers/queue/add-consumer", {"queue": "q"}, ("add_consumer", "q")),
    ("/api/workers/queue/cancel-consumer", {"queue": "q"}, ("cancel_consumer", "q")),
    ("/api/workers/task/timeout", {"task": "shop.add", "soft": 2}, ("time_limit", "shop.add", 2.0, None)),
    ("/api/workers/task/rate-limit", {"task": "shop.add", "ratelimit": "5/m"}, ("rate_limit", "shop.add", "5/m")),
]


@pytest.mark.parametrize(("path", "more", "order"), MANY)
def test_an_order_to_several_workers_has_an_outcome_for_each(
    api: Any, path: str, more: dict[str, Any], order: tuple[Any, ...]
) -> None:
    status, answer = api.post(path, {"workers": ["w1@shop", "w2@shop", "w1@shop"], **more})
    assert status == 200
    assert [(name, told["status"]) for name, told in answer["outcomes"].items()] == [("w1@shop", 200), ("w2@shop", 200)]
    name, *arguments = order
    assert api.host.control.orders == [(name, worker, *arguments) for worker in ("w1@shop", "w2@shop")]


@pytest.mark.parametrize(("path", "more", "order"), MANY)
def test_one_worker_that_fails_keeps_no_other_from_obeying(
    api: Any, path: str, more: dict[str, Any], order: tuple[Any, ...]
) -> None:
    api.host.control.refusals = {(order[0], "w2@shop"): Forbidden("busy")}
    status, answer = api.post(path, {"workers": ["nope", "gone@shop", "w2@shop", "w1@shop"], **more})
    assert status == 207
    outcomes = answer["outcomes"]
    assert {name: told["status"] for name, told in outcomes.items()} == {
        "nope": 404,
        "gone@shop": 409,
        "w2@shop": 403,
        "w1@shop": 200,
    }
    assert outcomes["nope"]["message"] == "Unknown worker 'nope'"
    assert outcomes["w2@shop"]["message"] == "busy"


@pytest.mark.parametrize(
    "body",
    [
        "",
        "{",
        "[]",
        "{}",
        '{"workers": []}',
        '{"workers": "w1@shop"}',
        '{"workers": ["w1@shop"], "n": 0}',
        '{"workers": ["w1@shop"], "n": 1.5}',
        '{"workers": ["w1@shop"], "n": 1e400}',
        '{"workers": ["w1@shop"], "m": 1}',
        '{"workers": [1]}',
        '{"workers": ' + "[" * 5000,
        '{"workers": ["w1@shop"], "n": 99999999999999999999999999}',
    ],
)
def test_a_body_that_makes_no_sense_is_refused(api: Any, body: str) -> None:
    """S48, S61"""
    status, words = api.post("/api/workers/pool/grow", body)
    assert status == 400
    assert words
    assert api.host.control.orders == []


def test_workers_are_asked_for_their_report_and_memory(api: Any) -> None:
    api.host.inspect.reports["w1@shop"] = "software -> celery"
    api.host.inspect.memory = {"w1@shop": "45.5MB", "w2@shop": None}
    assert api.get("/api/worker/report/w1@shop") == (200, {"report": "software -> celery"})
    assert api.get("/api/worker/memsample/w1@shop") == (200, {"memory": "45.5MB"})
    assert api.get("/api/worker/memsample/w2@shop") == (200, {"memory": None})
    assert api.get("/api/worker/memsample/nope") == (404, "Unknown worker 'nope'")


@pytest.mark.parametrize("path", ["/api/worker/report/w1@shop", "/api/worker/memsample/w1@shop", "/api/task/query/a"])
def test_other_sites_do_not_make_workers_answer(api: Any, path: str) -> None:
    """S08"""
    for headers in ({"Sec-Fetch-Site": "cross-site"}, {"Origin": "null"}):
        assert api.get(path, headers) == (403, "Cross-site request forbidden")
