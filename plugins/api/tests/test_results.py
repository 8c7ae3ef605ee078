"""Results, abortion, revocation, and who holds a task."""

from __future__ import annotations

from typing import Any

import pytest

from flower_plugins import InvalidParameter, TaskResult
from flower_plugins.testing import FakeResults


def test_a_result_is_shown_when_the_task_is_ready(api: Any) -> None:
    api.host.results.put(TaskResult("a", "SUCCESS", {"x": [1]}))
    api.host.results.put(TaskResult("b", "FAILURE", "ValueError('no')", "Traceback"))
    assert api.get("/api/task/result/a") == (200, {"task-id": "a", "state": "SUCCESS", "result": {"x": [1]}})
    assert api.get("/api/task/result/b") == (
        200,
        {"task-id": "b", "state": "FAILURE", "result": "ValueError('no')", "traceback": "Traceback"},
    )
    assert api.get("/api/task/result/unknown") == (200, {"task-id": "unknown", "state": "PENDING"})


@pytest.mark.parametrize(
    ("timeout", "words"),
    [
        ("x", "Invalid argument 'x' of type 'float'"),
        ("nan", "Invalid argument 'nan' of type 'float'"),
        ("inf", "Invalid argument 'inf' of type 'float'"),
        ("-1", "Invalid argument '-1': timeout is at least 0"),
        ("60.1", "Invalid argument '60.1': timeout is at most 60"),
    ],
)
def test_a_timeout_beyond_reason_is_refused(api: Any, timeout: str, words: str) -> None:
    """S50"""
    assert api.get(f"/api/task/result/a?timeout={timeout}") == (400, words)


def test_without_a_result_backend_there_are_no_results(api: Any) -> None:
    api.host.results = FakeResults(configured=False)
    assert api.get("/api/task/result/a") == (503, "No result backend is configured")
    assert api.post("/api/task/abort/a") == (503, "No result backend is configured")


def test_a_task_is_aborted(api: Any) -> None:
    assert api.post("/api/task/abort/a/b") == (200, {"message": "Aborted 'a/b'"})
    assert api.host.results.aborted == ["a/b"]


@pytest.mark.parametrize(
    ("query", "terminate", "signal"),
    [
        ("", False, "SIGTERM"),
        ("?terminate=true", True, "SIGTERM"),
        ("?terminate=1&signal=SIGKILL", True, "SIGKILL"),
        ("?terminate=off&signal=", False, "SIGTERM"),
    ],
)
def test_a_task_is_revoked(api: Any, query: str, terminate: bool, signal: str) -> None:
    assert api.post(f"/api/task/revoke/a{query}") == (200, {"message": "Revoked 'a'"})
    assert api.host.control.orders == [("revoke", ("a",), terminate, signal)]


def test_a_signal_that_control_refuses_is_bad_input(api: Any) -> None:
    """S61"""
    api.host.control.refusals["revoke"] = InvalidParameter("Invalid signal 'SIGFOO'")
    assert api.post("/api/task/revoke/a?signal=SIGFOO") == (400, "Invalid signal 'SIGFOO'")
    assert api.post("/api/task/revoke/a?terminate=maybe") == (400, "Invalid argument 'maybe' of type 'bool'")


def test_several_tasks_are_revoked_at_once(api: Any) -> None:
    status, answer = api.post("/api/tasks/revoke", {"ids": ["a", "b", "a"], "terminate": True, "signal": "SIGINT"})
    assert status == 200
    assert answer["outcomes"]["b"] == {"status": 200, "message": "Revoked 'b'"}
    assert api.host.control.orders == [("revoke", ("a", "b"), True, "SIGINT")]


def test_an_id_that_cannot_be_one_keeps_the_others_from_nothing(api: Any) -> None:
    status, answer = api.post("/api/tasks/revoke", {"ids": ["a", "", "b\nc"]})
    assert (status, [answer["outcomes"][uuid]["status"] for uuid in ("a", "", "b\nc")]) == (207, [200, 400, 400])
    assert api.host.control.orders == [("revoke", ("a",), False, "SIGTERM")]


@pytest.mark.parametrize("body", [{}, {"ids": []}, {"ids": "a"}, {"ids": ["a"], "kill": True}, {"ids": [1]}])
def test_a_revocation_that_makes_no_sense_is_refused(api: Any, body: Any) -> None:
    assert api.post("/api/tasks/revoke", body)[0] == 400
    assert api.host.control.orders == []


def test_tasks_are_revoked_by_their_stamps(api: Any) -> None:
    body = {"stamps": {"tenant": ["acme"]}, "terminate": True}
    assert api.post("/api/tasks/revoke-by-stamps", body) == (
        200,
        {"message": "Revoked the tasks stamped with 'tenant'"},
    )
    assert api.host.control.orders == [("revoke_by_stamps", {"tenant": ("acme",)}, True, "SIGTERM")]
    assert api.post("/api/tasks/revoke-by-stamps", {"stamps": {}})[0] == 400


def test_workers_say_who_holds_a_task(api: Any) -> None:
    api.host.inspect.held = {"a": {"w1@shop": {"state": "active", "request": {"id": "a"}}}}
    assert api.get("/api/task/query/a") == (
        200,
        {"task-id": "a", "workers": {"w1@shop": {"state": "active", "request": {"id": "a"}}}},
    )
    assert api.get("/api/task/query/b") == (200, {"task-id": "b", "workers": {}})
