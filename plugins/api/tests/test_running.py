"""Running tasks: bodies, options, and what is never published."""

from __future__ import annotations

import asyncio
import json
from datetime import datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from flower_api.plugin import flower_routes
from flower_plugins import TaskCall, TaskResult, Unavailable
from flower_plugins.testing import Client, FakeHost, FakeResults, serve

ASYNC = "/api/task/async-apply/shop.add"
SEND = "/api/task/send-task/shop.add"
APPLY = "/api/task/apply/shop.add"
RUNS = (APPLY, ASYNC, SEND)


def call_of(api: Any, body: Any, path: str = ASYNC) -> TaskCall:
    status, answer = api.post(path, body)
    assert status == 200, answer
    (call,) = api.host.control.calls
    return call  # type: ignore[no-any-return]


@pytest.mark.parametrize("path", [ASYNC, SEND])
def test_a_task_is_published_and_its_id_answered(api: Any, path: str) -> None:
    body = {"args": [1, "a&b"], "kwargs": {"c": None}}
    assert api.post(path, body) == (200, {"task-id": "task-1", "state": "PENDING"})
    assert api.host.control.calls == [TaskCall("shop.add", [1, "a&b"], {"c": None})]


@pytest.mark.parametrize("path", [ASYNC, SEND])
def test_without_a_result_backend_there_is_no_state(api: Any, path: str) -> None:
    api.host.results = FakeResults(configured=False)
    assert api.post(path, {}) == (200, {"task-id": "task-1"})


def test_an_empty_body_is_an_empty_object(api: Any) -> None:
    assert call_of(api, None) == TaskCall("shop.add", [], {})


def test_only_send_task_takes_names_that_the_app_does_not_know(api: Any) -> None:
    assert api.post("/api/task/apply/nope", "{")[:2] == (404, "Unknown task 'nope'")
    assert api.post("/api/task/async-apply/nope", "{") == (404, "Unknown task 'nope'")
    assert api.host.control.calls == []
    assert api.post("/api/task/send-task/nope", {})[0] == 200


@pytest.mark.parametrize(
    ("result", "told"),
    [
        (TaskResult("t", "SUCCESS", 3), {"state": "SUCCESS", "result": 3}),
        (TaskResult("t", "SUCCESS", None), {"state": "SUCCESS", "result": None}),
        (
            TaskResult("t", "FAILURE", "ValueError('no')", "Traceback…"),
            {"state": "FAILURE", "result": "ValueError('no')", "traceback": "Traceback…"},
        ),
        (TaskResult("t", "STARTED"), {"state": "STARTED"}),
    ],
)
def test_apply_waits_and_answers_with_the_result(api: Any, result: TaskResult, told: dict[str, Any]) -> None:
    api.host.results.put(result)
    answer = api.post(APPLY, {"args": [1, 2], "task_id": "t", "timeout": 0.05})
    assert answer == (200, {"task-id": "t", **told})


def test_apply_without_a_result_backend_is_refused_before_publishing(api: Any) -> None:
    api.host.results = FakeResults(configured=False)
    assert api.post(APPLY, {}) == (503, "No result backend is configured")
    assert api.host.control.calls == []


def test_apply_with_a_result_backend_out_of_reach_is_refused_before_publishing(api: Any) -> None:
    class Dead(FakeResults):
        async def get(self, uuid: str) -> TaskResult:
            raise Unavailable("Broker or result backend unavailable")

    api.host.results = Dead()
    assert api.post(APPLY, {})[0] == 503
    assert api.host.control.calls == []


def test_apply_does_not_wait_for_a_result_that_is_to_be_ignored(api: Any) -> None:
    assert api.post(APPLY, {"ignore_result": True, "task_id": "t"}) == (200, {"task-id": "t", "state": "PENDING"})


@pytest.mark.parametrize("path", RUNS)
@pytest.mark.parametrize(
    ("body", "words"),
    [
        ("{a", "Expecting property name enclosed in double quotes: line 1 column 2 (char 1)"),
        ("[]", "invalid options"),
        ("5", "invalid options"),
        ('"x"', "invalid options"),
        ("null", "invalid options"),
        ('{"args": {}}', "args must be an array"),
        ('{"args": "12"}', "args must be an array"),
        ('{"kwargs": []}', "kwargs must be an object"),
        ('{"kwargs": 5}', "kwargs must be an object"),
        ('{"options": []}', "invalid options"),
        ('{"countdown": "soon"}', "Invalid option"),
        ('{"countdown": -1}', "Invalid option"),
        ('{"countdown": 1e12}', "Invalid option"),
        ('{"countdown": []}', "Invalid option"),
        ('{"eta": 5}', "Invalid option"),
        ('{"eta": "tomorrow"}', "Invalid option"),
        ('{"eta": "9999-12-31 00:00:00.0"}', "Invalid option"),
        ('{"expires": "x"}', "Invalid option"),
        ('{"expires": {}}', "Invalid option"),
        ('{"options": {"eta": "tomorrow"}}', "Invalid option"),
    ],
)
def test_a_body_that_makes_no_sense_is_refused_in_the_words_of_flower_2(
    api: Any, path: str, body: str, words: str
) -> None:
    """S48"""
    assert api.post(path, body) == (400, words)
    assert api.host.control.calls == []


@pytest.mark.parametrize("path", RUNS)
@pytest.mark.parametrize(
    "body",
    [
        '{"countdown": NaN}',
        '{"countdown": 1e400}',
        '{"args": [1e400]}',
        '{"args": [99999999999999999999999]}',
        '{"args": [' + "9" * 5000 + "]}",
        '{"args": ' + "[" * 100_000,
        '{"args": ' + "[" * 80 + "]" * 80 + "}",
        '{"args": ["\\ud800"]}',
        b"\xff\xfe{",
        b'{"args": ["\xff"]}',
        '{"queue": 5}',
        '{"queue": ""}',
        '{"queue": "' + "q" * 256 + '"}',
        '{"priority": 256}',
        '{"priority": 1.5}',
        '{"delivery_mode": 3}',
        '{"headers": {"a": {}}}',
        '{"headers": []}',
        '{"time_limit": "long"}',
        '{"link": 5}',
        '{"link": {"task": "a", "strange": 1}}',
        '{"link": {"task": "a", "options": {"connection": 1}}}',
        '{"retry_policy": 5}',
    ],
)
def test_numbers_and_shapes_beyond_reason_are_refused(api: Any, path: str, body: str | bytes) -> None:
    """S48, S49"""
    status, words = api.post(path, body)
    assert status == 400
    assert words
    assert api.host.control.calls == []


@pytest.mark.parametrize("path", RUNS)
@pytest.mark.parametrize(
    "option",
    "connection producer publisher router result_cls func operation target cls add_to_parent group_id chord chain "
    "root_id parent_id reply_to stamped_headers retries declare mandatory __class__".split(),
)
@pytest.mark.parametrize("nested", [False, True])
def test_options_that_are_not_documented_are_refused(api: Any, path: str, option: str, nested: bool) -> None:
    """S49"""
    body: dict[str, Any] = {"options": {option: "x"}} if nested else {option: "x"}
    status, words = api.post(path, body)
    assert (status, words.startswith(f"Unknown option '{option}', expected one of ")) == (400, True)
    assert api.host.control.calls == []


@pytest.mark.parametrize(
    ("given", "field", "value"),
    [
        ({"queue": "a&b<c>"}, "queue", "a&b<c>"),
        ({"countdown": "2"}, "countdown", 2.0),
        ({"countdown": 2}, "countdown", 2.0),
        ({"expires": "60"}, "expires", 60.0),
        ({"expires": 60}, "expires", 60.0),
        ({"priority": 9}, "priority", 9),
        ({"routing_key": "r"}, "routing_key", "r"),
        ({"exchange": "e"}, "exchange", "e"),
        ({"serializer": "json"}, "serializer", "json"),
        ({"compression": "gzip"}, "compression", "gzip"),
        ({"headers": {"tenant": "a", "n": 1}}, "headers", {"tenant": "a", "n": 1}),
        ({"shadow": "s"}, "shadow", "s"),
        ({"ignore_result": False}, "ignore_result", False),
        ({"time_limit": 5}, "time_limit", 5.0),
        ({"soft_time_limit": 5}, "soft_time_limit", 5.0),
        ({"delivery_mode": 1}, "delivery_mode", 1),
        ({"task_id": "mine"}, "task_id", "mine"),
        ({"countdown": None, "eta": None, "queue": None}, "countdown", None),
        ({"retry": True, "retry_policy": {"max_retries": 3}}, "queue", ""),
        ({"link": "shop.mail"}, "link", (TaskCall("shop.mail", [], {}),)),
    ],
)
@pytest.mark.parametrize("nested", [False, True])
def test_documented_options_arrive_with_their_types(
    api: Any, given: dict[str, Any], field: str, value: Any, nested: bool
) -> None:
    assert getattr(call_of(api, {"options": given} if nested else given), field) == value


def test_a_linked_signature_arrives(api: Any) -> None:
    written = {
        "task": "shop.mail",
        "args": [1],
        "kwargs": {"to": "x"},
        "options": {"queue": "mail"},
        "subtask_type": None,
        "immutable": True,
        "chord_size": None,
    }
    (linked,) = call_of(api, {"link_error": [written]}).link_error
    assert (linked.name, linked.args, linked.kwargs, linked.queue, linked.immutable) == (
        "shop.mail",
        [1],
        {"to": "x"},
        "mail",
        True,
    )


def test_options_merge_with_the_keys_beside_them_which_win(api: Any) -> None:
    call = call_of(api, {"queue": "flat", "options": {"queue": "nested", "priority": 3}})
    assert (call.queue, call.priority) == ("flat", 3)


@pytest.mark.parametrize("field", ["eta", "expires"])
@pytest.mark.parametrize("form", ["%Y-%m-%d %H:%M:%S.%f", "%Y-%m-%dT%H:%M:%SZ", "%Y-%m-%dT%H:%M:%S+00:00"])
def test_moments_are_read_in_the_old_format_and_in_iso_8601(api: Any, field: str, form: str) -> None:
    moment = datetime.now(timezone.utc).replace(microsecond=0) + timedelta(hours=1)
    assert getattr(call_of(api, {field: moment.strftime(form)}), field) == moment


def test_a_moment_without_a_zone_is_in_the_apps(api: Any) -> None:
    api.host.timezone = "Asia/Tokyo"
    tomorrow = (datetime.now(timezone.utc) + timedelta(days=1)).date()
    eta = call_of(api, {"eta": f"{tomorrow} 09:00:00.000000"}).eta
    assert eta == datetime(tomorrow.year, tomorrow.month, tomorrow.day, tzinfo=timezone.utc)


def test_arguments_are_also_read_from_the_query_and_the_body_wins(api: Any) -> None:
    path = ASYNC + "?args=%5B1%2C2%5D&kwargs=%7B%22a%22%3A1%7D&options=%7B%22queue%22%3A%22q%22%7D"
    call = call_of(api, {"args": [3]}, path)
    assert (call.args, call.kwargs, call.queue) == ([3], {"a": 1}, "q")
    assert api.post(ASYNC + "?args=%5B1", {}) == (400, "args must be JSON")


@pytest.mark.parametrize("timeout", ["x", -1, 60.5, True, "nan", "inf", []])
def test_a_timeout_beyond_reason_is_refused(api: Any, timeout: Any) -> None:
    """S50"""
    assert api.post(APPLY, {"timeout": timeout}) == (400, "Invalid timeout")
    assert api.host.control.calls == []


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=10), inner, max_size=4),
    max_leaves=20,
)
KEYS = st.sampled_from(
    "args kwargs options queue exchange routing_key countdown eta expires task_id priority serializer compression "
    "headers shadow ignore_result time_limit soft_time_limit link link_error retry retry_policy connection "
    "timeout".split()
)
BODIES = (
    st.dictionaries(KEYS, VALUES, max_size=6).map(json.dumps).map(str.encode)
    | VALUES.map(json.dumps).map(str.encode)
    | st.binary(max_size=200)
)


@given(
    bodies=st.lists(BODIES, min_size=20, max_size=40),
    kind=st.sampled_from(
        ["application/json", "application/x-www-form-urlencoded", "text/plain", "multipart/form-data"]
    ),
)
@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@pytest.mark.parametrize("path", RUNS)
def test_every_body_gets_an_answer_and_a_refused_one_publishes_nothing(
    path: str, bodies: list[bytes], kind: str
) -> None:
    """S48"""
    host = FakeHost()
    host.control.task_names = {"shop.add"}
    host.results = Instant()

    async def scenario(client: Client) -> None:
        for body in bodies:
            before = len(host.control.calls)
            # curl calls every body a form; what it is called must not matter
            headers = {"Content-Type": kind}
            response = await client.fetch(path, "POST", body, headers)  # type: ignore[arg-type]
            assert response.code in (200, 400), (body, response.code, response.body)
            assert len(host.control.calls) == before + (response.code == 200), body

    serve(host, flower_routes(), scenario)


class Instant(FakeResults):
    """Every task is ready at once."""

    async def wait(self, uuid: str, seconds: float) -> TaskResult:
        return TaskResult(uuid, "SUCCESS", 1)


def test_a_client_that_leaves_frees_the_wait(api: Any) -> None:
    """S50"""
    host = api.host

    async def scenario(client: Client) -> None:
        for request in (
            b"GET /api/task/result/t?timeout=60 HTTP/1.1\r\nHost: a\r\n\r\n",
            b"POST /api/task/apply/shop.add HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\n{}",
        ):
            _, writer = await asyncio.open_connection("127.0.0.1", client.port)
            writer.write(request)
            await _until(lambda: host.results.waiting == 1)
            writer.close()
            await writer.wait_closed()
            await _until(lambda: host.results.waiting == 0)

    serve(host, flower_routes(), scenario)


async def _until(condition: Any) -> None:
    deadline = asyncio.get_running_loop().time() + 5
    while not condition():
        assert asyncio.get_running_loop().time() < deadline
        await asyncio.sleep(0.01)
