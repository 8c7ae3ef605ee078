"""The API's routes over a fake host."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest

import flower_api.plugin
from flower_api.plugin import flower_routes
from flower_plugins import PluginReport, QueueStats
from flower_plugins.testing import (
    TASK_FIELDS,
    Client,
    FakeHost,
    FakeQueues,
    FakeTask,
    FakeWorker,
    PluginContract,
    serve,
)

TIMES = "expected format 'YYYY-MM-DD HH:MM' or ISO 8601"


class TestContract(PluginContract):
    plugin = flower_api.plugin


def host() -> FakeHost:
    made = FakeHost(
        tasks=[
            FakeTask("old", name="shop.add", received=100.0),
            FakeTask("new", name="shop.mail", state="FAILURE", worker=None, received=200.0),
        ],
        workers=[FakeWorker("w1@shop"), FakeWorker("w2@shop", online=False)],
    )
    made.inspect.replies = {"w1@shop": {"stats": {"pid": 1}, "timestamp": 1.0}}
    return made


def get(path: str, made: FakeHost | None = None, headers: dict[str, str] | None = None) -> tuple[int, Any]:
    made = made or host()

    async def scenario(client: Client) -> tuple[int, Any]:
        response = await client.fetch(path, headers=headers)
        text = response.body.decode()
        return response.code, json.loads(text) if text.startswith(("{", "[")) else text

    return serve(made, flower_routes(), scenario)


def test_tasks_are_keyed_by_id_newest_change_first_with_the_worker_last() -> None:
    status, tasks = get("/api/tasks")
    assert status == 200
    assert list(tasks) == ["new", "old"]
    assert list(tasks["old"]) == [name for name in TASK_FIELDS if name != "worker"] + ["worker"]
    assert "worker" not in tasks["new"]


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("limit=1", ["new"]),
        ("limit=0", []),
        ("limit=-3", []),
        ("offset=1", ["old"]),
        ("offset=-1", ["new", "old"]),
        ("state=failure", ["new"]),
        ("state=All", ["new", "old"]),
        ("workername=w1@shop", ["old"]),
        ("taskname=shop.mail", ["new"]),
        ("search=mail", ["new"]),
        ("sort_by=name", ["old", "new"]),
        ("sort_by=-name", ["new", "old"]),
        ("unknown=1", ["new", "old"]),
    ],
)
def test_tasks_are_filtered_sorted_and_paged(query: str, found: list[str]) -> None:
    assert list(get(f"/api/tasks?{query}")[1]) == found


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ("limit=xyz", "Invalid argument 'xyz' of type 'int'"),
        ("limit=1.5", "Invalid argument '1.5' of type 'int'"),
        ("limit=", "Invalid argument '' of type 'int'"),
        ("sort_by=bogus", "Invalid sort_by 'bogus', expected one of name, received, started, state"),
        ("sort_by=", "Invalid sort_by '', expected one of name, received, started, state"),
        (
            "received_start=soon",
            "Invalid received_start or received_end, expected format 'YYYY-MM-DD HH:MM' or ISO 8601",
        ),
        ("started_end=soon", "Invalid started_start or started_end, expected format 'YYYY-MM-DD HH:MM' or ISO 8601"),
    ],
)
def test_bad_input_is_answered_with_400_and_a_sentence(query: str, message: str) -> None:
    assert get(f"/api/tasks?{query}") == (400, message)


def test_a_search_that_cannot_be_read_is_answered_in_json() -> None:
    status, answer = get("/api/tasks?search=%22")
    assert (status, list(answer)) == (400, ["error"])


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("2023-11-14+22:13", 1699999980.0),
        ("2023-11-14T22:13:20Z", 1700000000.0),
        ("2023-11-14T23:13:20%2B01:00", 1700000000.0),
        ("2023-11-14T23:13:20+01:00", 1700000000.0),
        ("2023-11-14T22:13:20", 1700000000.0),
    ],
)
def test_times_are_read_in_the_old_format_and_in_iso_8601(text: str, seconds: float) -> None:
    made = host()
    assert get(f"/api/tasks?received_start={text}", made)[0] == 200
    assert made.tasks.queries[-1].received_start == seconds


def test_many_tasks_are_sent_in_pieces_that_make_one_object() -> None:
    """S65"""
    made = FakeHost(tasks=[FakeTask(f"t{number}") for number in range(1801)])
    status, tasks = get("/api/tasks", made)
    assert status == 200
    assert list(tasks) == [f"t{number}" for number in reversed(range(1801))]


@pytest.mark.parametrize("count", [3, 1801])
def test_an_unchanged_list_is_not_sent_again(count: int) -> None:
    made = FakeHost(tasks=[FakeTask(f"t{number}") for number in range(count)])

    async def scenario(client: Client) -> list[int]:
        first = await client.fetch("/api/tasks")
        tag = {"If-None-Match": first.headers["Etag"]}
        again = await client.fetch("/api/tasks", headers=tag)
        made.tasks.version += 1
        changed = await client.fetch("/api/tasks", headers=tag)
        aged = await client.fetch("/api/tasks?search=age:5m")
        return [first.code, again.code, len(again.body or b""), changed.code, int("Etag" in aged.headers)]

    assert serve(made, flower_routes(), scenario) == [200, 304, 0, 200, 0]


def test_a_task_whose_worker_is_lost_says_so_and_no_other_does() -> None:
    """R31: a field more, and only then, so that nothing changes for those who read the others."""
    made = host()
    made.tasks.lost = {"old"}
    _, tasks = get("/api/tasks", made)
    assert list(tasks["old"])[-2:] == ["worker_lost", "worker"]
    assert tasks["old"]["worker_lost"] is True
    assert "worker_lost" not in tasks["new"]
    assert get("/api/task/info/old", made)[1]["worker_lost"] is True
    assert "worker_lost" not in get("/api/task/info/new", made)[1]
    assert list(get("/api/tasks?search=is:lost", made)[1]) == ["old"]
    made.tasks.lost, made.tasks.restarted = set(), {"new"}
    info = get("/api/task/info/new", made)[1]
    assert (info["worker_restarted"], "worker_lost" in info) == (True, False)


def test_task_info_carries_the_id_twice() -> None:
    status, task = get("/api/task/info/old")
    assert (status, task["uuid"], task["task-id"], task["worker"]) == (200, "old", "old", "w1@shop")


@pytest.mark.parametrize(("path", "name"), [("nope", "nope"), ("", ""), ("a%2Fb", "a/b"), ("a&amp;b", "a&amp;b")])
def test_an_unknown_task_is_a_404_that_names_it(path: str, name: str) -> None:
    assert get(f"/api/task/info/{path}") == (404, f"Unknown task '{name}'")


def test_errors_are_json_for_those_who_ask_for_json() -> None:
    status, answer = get("/api/task/info/nope", headers={"Accept": "application/json"})
    assert (status, answer) == (404, {"error": "Unknown task 'nope'"})


def test_task_types_are_listed() -> None:
    assert get("/api/task/types") == (200, {"task-types": ["shop.add", "shop.mail"]})


def test_purged_workers_are_still_listed_with_their_status() -> None:
    made = host()
    made.workers.hidden.add("w2@shop")
    assert get("/api/workers?status=1", made) == (200, {"w1@shop": True, "w2@shop": False})


def test_workers_come_from_the_inspect_cache() -> None:
    assert get("/api/workers") == (200, {"w1@shop": {"stats": {"pid": 1}, "timestamp": 1.0}})
    assert get("/api/workers?workername=w2@shop") == (200, {"w2@shop": {}})
    assert get("/api/workers?workername=nope") == (404, "Unknown worker 'nope'")
    assert get("/api/workers?status=1") == (200, {"w1@shop": True, "w2@shop": False})
    assert get("/api/workers?refresh=notabool") == (400, "Invalid argument 'notabool' of type 'bool'")


@pytest.mark.parametrize(
    ("headers", "asked"),
    [
        ({}, 1),
        ({"Sec-Fetch-Site": "same-origin"}, 1),
        ({"Sec-Fetch-Site": "cross-site"}, 0),
        ({"Sec-Fetch-Site": "same-site"}, 0),
        ({"Origin": "http://evil.example"}, 0),
    ],
)
def test_only_our_pages_and_scripts_make_workers_answer(headers: dict[str, str], asked: int) -> None:
    """S08"""
    made = host()
    assert get("/api/workers?refresh=1&workername=w1@shop", made, headers)[0] == 200
    assert len(made.inspect.refreshed) == asked


def test_queue_lengths_are_the_brokers_own_objects_where_it_has_them() -> None:
    made = host()
    made.queues = FakeQueues([QueueStats("a", 3), QueueStats("b", 4, extra={"name": "b", "messages": 4, "x": 1})])
    rows = [{"name": "a", "messages": 3}, {"name": "b", "messages": 4, "x": 1}]
    assert get("/api/queues/length", made) == (200, {"active_queues": rows})


def test_a_broker_out_of_reach_is_a_503() -> None:
    made = host()
    made.queues = FakeQueues(error="Broker unavailable")
    assert get("/api/queues/length", made) == (503, "Broker unavailable")


def test_lengths_from_before_an_outage_say_that_they_are_old() -> None:
    made = host()
    made.queues = FakeQueues([QueueStats("a", 3)], error="Broker unavailable", age=12.34)
    old = {"active_queues": [{"name": "a", "messages": 3}], "stale": True, "age": 12.3, "error": "Broker unavailable"}
    assert get("/api/queues/length", made) == (200, old)


def test_a_broker_nobody_can_ask_is_a_404() -> None:
    made = host()
    made.queues = FakeQueues(error="'carrier' broker is not supported", supported=False)
    assert get("/api/queues/length", made) == (404, "'carrier' broker is not supported")


def test_plugins_are_reported_with_their_errors() -> None:
    made = host()
    made.plugin_reports = [PluginReport("bad", "flower-bad", "1.0", "failed", "ImportError: x", ("flower_routes",))]
    assert get("/api/plugins", made) == (
        200,
        {
            "plugins": [
                {
                    "name": "bad",
                    "dist": "flower-bad",
                    "version": "1.0",
                    "state": "failed",
                    "error": "ImportError: x",
                    "hooks": ["flower_routes"],
                }
            ]
        },
    )


def test_a_long_list_lets_others_have_their_turn_between_its_pieces() -> None:
    """S65: a socket that takes everything at once is no reason to go on without a pause."""
    made = FakeHost(tasks=[FakeTask(f"t{number}") for number in range(1000)])
    turns: list[int] = []
    encode, turn = made.json, 0

    def noting(value: Any) -> bytes:
        turns.append(turn)
        return encode(value)

    made.json = noting  # type: ignore[method-assign]

    async def scenario(client: Client) -> None:
        nonlocal turn
        asked = asyncio.ensure_future(client.fetch("/api/tasks"))
        while not asked.done():
            turn += 1
            await asyncio.sleep(0)

    serve(made, flower_routes(), scenario)
    assert len(turns) == 5
    assert len(set(turns)) == 5
