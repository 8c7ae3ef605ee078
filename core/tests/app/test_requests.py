"""S57: what formatters hide is hidden in the task lists of workers as well."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from flower.app.requests import request_formatter, result_formatter
from flower.state import TaskRecord
from flower.state.formatters import HIDDEN, HIDDEN_BY_FAILURE, Formatters
from flower_plugins import EditableTask, TaskResult

REQUEST: dict[str, Any] = {
    "id": "a",
    "name": "shop.pay",
    "args": [1, "canary"],
    "kwargs": {"card": "canary", "n": 1},
    "type": "shop.pay",
    "hostname": "w1@host",
    "time_start": 1700000000.5,
    "acknowledged": True,
    "delivery_info": {"exchange": "", "routing_key": "mail", "priority": 0, "redelivered": False},
    "worker_pid": 7,
}


class Formatter:
    """A formatter that is one function."""

    def __init__(self, function: Callable[[EditableTask], EditableTask | None]) -> None:
        self._function = function

    def format(self, task: EditableTask) -> EditableTask | None:
        return self._function(task)


def formatted(request: dict[str, Any], *functions: Callable[[EditableTask], Any]) -> dict[str, Any]:
    formatters = Formatters()
    for function in functions:
        formatters.add(Formatter(function))
    return request_formatter(formatters)(request)


def hide_args(task: EditableTask) -> None:
    task.args, task.kwargs = "(hidden)", "(hidden)"


def pop_card(task: EditableTask) -> None:
    task.kwargs.pop("card")


def fail(task: EditableTask) -> None:
    raise ValueError(task.args)


@pytest.mark.parametrize(
    "shapes",
    [
        {},
        {"args": "(1, 'canary')", "kwargs": "{'card': 'canary'}"},
        {"args": "(1, 'canary', ...)", "kwargs": "{'card': 'canary', ...}"},
        {"args": {"odd": "canary"}, "kwargs": ["canary"]},
        {"args": 5.5, "kwargs": "canary"},
        {"id": None, "name": 5, "hostname": [], "delivery_info": "x", "time_start": "x"},
    ],
)
@pytest.mark.parametrize(
    ("function", "text"), [(hide_args, "(hidden)"), (fail, HIDDEN_BY_FAILURE)], ids=["hides", "fails"]
)
def test_hidden_arguments_stay_hidden(shapes: dict[str, Any], function: Callable[..., Any], text: str) -> None:
    request = {**REQUEST, **shapes}
    shown = formatted(request, function)
    assert shown == {**request, "args": text, "kwargs": text}
    assert "canary" not in json.dumps(shown)


@pytest.mark.parametrize(
    ("kwargs", "left"),
    [
        ({"card": "canary", "n": 1}, "{'n': 1}"),
        ("{'card': 'canary', 'n': 1}", "{'n': 1}"),
        ("{'card': 'canary', 'n': ...}", HIDDEN),
        ({"n": 1}, {"n": 1}),
        (None, None),
    ],
)
def test_a_part_may_be_taken_out(kwargs: Any, left: Any) -> None:
    shown = formatted({**REQUEST, "kwargs": kwargs}, pop_card)
    assert (shown["args"], shown["kwargs"]) == (REQUEST["args"], left)


def test_a_formatter_sees_what_it_sees_of_an_event() -> None:
    seen: list[Any] = []

    def look(task: EditableTask) -> None:
        seen.append((task.uuid, task.name, task.worker, task.state, task.started, task.routing_key, task.args))
        assert task.kwargs["n"] == 1
        assert (task.result, task.timestamp, task.children, task.parent_id) == (None, 0, (), None)

    formatted(REQUEST, look)
    formatted({**REQUEST, "time_start": None, "name": None, "type": "old.name"}, look)
    assert seen == [
        ("a", "shop.pay", "w1@host", "STARTED", 1700000000.5, "mail", "(1, 'canary')"),
        ("a", "old.name", "w1@host", "RECEIVED", None, "mail", "(1, 'canary')"),
    ]


def test_what_nobody_changes_stays_as_the_worker_sent_it() -> None:
    assert formatted(REQUEST, lambda task: None) == REQUEST
    assert formatted(REQUEST) == REQUEST
    assert formatted({"id": "a"}, hide_args) == {"id": "a"}


def shown(result: TaskResult, *formatters: Formatter, known: Any = None) -> TaskResult:
    used = Formatters()
    for formatter in formatters:
        used.add(formatter)
    return result_formatter(used, lambda _: known)(result)


def hide_result(task: EditableTask) -> EditableTask:
    task.result = "…" if task.result else task.result
    task.exception = "…" if task.exception else task.exception
    task.traceback = None
    return task


def test_a_result_that_no_formatter_changes_stays_a_value() -> None:
    result = TaskResult("a", "SUCCESS", {"n": 1})
    assert shown(result) is result
    assert shown(result, Formatter(lambda task: task)) == result


def test_what_a_formatter_hides_of_a_result_is_hidden() -> None:
    hiding = Formatter(hide_result)
    assert shown(TaskResult("a", "SUCCESS", {"canary": 1}), hiding) == TaskResult("a", "SUCCESS", "…")
    failed = TaskResult("a", "FAILURE", "ValueError('canary')", "canary")
    assert shown(failed, hiding) == TaskResult("a", "FAILURE", "…")
    assert shown(TaskResult("a", "STARTED"), hiding) == TaskResult("a", "STARTED")


def test_a_formatter_that_fails_hides_the_result() -> None:
    def crash(task: EditableTask) -> EditableTask:
        raise RuntimeError("canary")

    told = shown(TaskResult("a", "SUCCESS", "canary"), Formatter(crash))
    assert told == TaskResult("a", "SUCCESS", HIDDEN_BY_FAILURE)


def test_a_formatter_learns_which_task_a_result_is_of() -> None:
    seen: list[Any] = []

    def look(task: EditableTask) -> EditableTask:
        seen.append((task.name, task.worker, task.args, task.result))
        return task

    record = TaskRecord("a", name="shop.pay", worker="w1", args="(formatted)")
    shown(TaskResult("a", "SUCCESS", 3), Formatter(look), known=record)
    assert seen == [("shop.pay", "w1", "(formatted)", "3")]
