from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Callable
from typing import Any

import pytest

from flower.events.event import Event
from flower.state import State
from flower.state.formatters import HIDDEN, HIDDEN_BY_FAILURE
from flower.utils.template import humanize
from flower_plugins import EditableTask, Task, TaskChange, TaskQuery

MakeEvent = Callable[..., Event]
CANARY = "4111-canary"


class Call:
    """A formatter made of a function."""

    def __init__(self, function: Callable[[Any], Any]) -> None:
        self._function = function

    def format(self, task: EditableTask) -> EditableTask | None:
        return self._function(task)  # type: ignore[no-any-return]


def documented(task: Any) -> Any:
    task.args = humanize(task.args, length=10)
    task.kwargs.pop("credit_card_number")
    task.result = humanize(task.result, length=20)
    return task


def get(state: State, uuid: str = "t1") -> Task:
    task = state.tasks.get(uuid)
    assert task is not None
    return task


@pytest.mark.parametrize(
    ("kwargs", "kept"),
    [
        (f"{{'credit_card_number': '{CANARY}', 'name': 'x'}}", "{'name': 'x'}"),
        ("{'name': 'x'}", "{'name': 'x'}"),
        (f"{{'credit_card_number': '{CANARY}', 'name': <object>}}", HIDDEN),
        (f"{{'credit_card_number': '{CANARY}...", HIDDEN),
        (None, None),
    ],
)
def test_the_documented_example_works_as_written(
    state: State, event: MakeEvent, kwargs: str | None, kept: str | None
) -> None:
    state.add_formatter(Call(documented))
    received = event("task-received", args="(1, 2, 3, 4, 5)", kwargs=kwargs)
    state.apply([received, event("task-succeeded", result="x" * 50)])
    task = get(state)
    assert (task.args, task.kwargs, task.result) == ("(1, 2, 3,…", kept, "x" * 19 + "…")


def test_what_a_formatter_hides_is_nowhere_s57(
    state: State, event: MakeEvent, caplog: pytest.LogCaptureFixture
) -> None:
    changes: list[Any] = []
    state.subscribe(changes.extend)
    state.add_formatter(Call(documented))
    state.apply([event("task-sent", kwargs=f"{{'credit_card_number': '{CANARY}'}}")])
    state.apply([event("task-received", kwargs=f"{{'credit_card_number': '{CANARY}'}}")])
    assert CANARY not in json.dumps(get(state).fields())
    assert all(CANARY not in repr(change) for change in changes)
    assert asyncio.run(state.tasks.query(TaskQuery(search=CANARY))).matching == 0
    assert CANARY not in caplog.text


def test_values_that_were_formatted_are_not_formatted_again(state: State, event: MakeEvent) -> None:
    def mark(task: Any) -> None:
        task.args = f"<{task.args}>"
        task.result = f"<{task.result}>"

    state.add_formatter(Call(mark))
    state.apply([event("task-received", args="1"), event("task-started"), event("task-succeeded", result="2")])
    assert (get(state).args, get(state).result) == ("<1>", "<2>")


def test_formatters_run_only_when_data_comes_in(state: State, event: MakeEvent) -> None:
    calls: list[str] = []
    state.add_formatter(Call(lambda task: calls.append(task.state)))
    state.apply([event("task-received", args="1"), event("task-started"), event("task-failed", exception="E()")])
    assert calls == ["RECEIVED", "FAILURE"]


def test_formatters_run_in_order_each_on_what_the_last_one_left(state: State, event: MakeEvent) -> None:
    def append(mark: str) -> Call:
        return Call(lambda task: setattr(task, "args", task.args + mark))

    state.add_formatter(append("a"))
    state.add_formatter(append("b"))
    state.apply([event("task-received", args="1")])
    assert get(state).args == "1ab"


def test_a_formatter_may_return_another_object(state: State, event: MakeEvent) -> None:
    class Other:
        args, kwargs, result, exception, traceback = "other", {"a": 1}, None, None, None

    state.add_formatter(Call(lambda task: Other()))
    state.apply([event("task-received", args="1", kwargs="{}")])
    assert (get(state).args, get(state).kwargs) == ("other", "{'a': 1}")


def broken(task: Any) -> Any:
    raise KeyError(CANARY)


def leaving(task: Any) -> Any:
    raise SystemExit(1)


def nonsense(task: Any) -> Any:
    return 5


@pytest.mark.parametrize("function", [broken, leaving, nonsense])
def test_a_failing_formatter_hides_the_data_of_that_task(
    state: State, event: MakeEvent, clock: Any, caplog: pytest.LogCaptureFixture, function: Callable[[Any], Any]
) -> None:
    told: list[str] = []
    state.add_formatter(Call(function), told.append)
    with caplog.at_level(logging.ERROR):
        for n in range(50):
            state.apply([event("task-received", f"t{n}", args=CANARY, kwargs=f"{{'a': '{CANARY}'}}")])
            state.apply([event("task-failed", f"t{n}", exception=CANARY, traceback=CANARY)])
    task = get(state)
    assert {task.args, task.kwargs, task.exception, task.traceback} == {HIDDEN_BY_FAILURE}
    assert task.result is None
    assert len(caplog.records) == 1
    assert CANARY not in caplog.text
    assert state.formatters.failures == 100
    assert len(told) == 1
    assert CANARY not in told[0]
    clock.time += 61
    state.apply([event("task-received", "late", args="1")])
    assert len(caplog.records) == 2


def pop_then_cut(task: Any) -> None:
    task.kwargs.pop("password")
    task.kwargs = humanize(task.kwargs, length=30)


@pytest.mark.parametrize(
    "change",
    [
        lambda task: task.kwargs.pop("password", None),
        lambda task: task.kwargs.__setitem__("password", "***"),
        lambda task: task.kwargs.__delitem__("password"),
        pop_then_cut,
    ],
)
@pytest.mark.parametrize("rest", ["}", ", <object>}"])
def test_every_way_to_take_a_key_out_hides_it(
    state: State, event: MakeEvent, change: Callable[[Any], Any], rest: str
) -> None:
    state.add_formatter(Call(lambda task: change(task) and None))
    state.apply([event("task-received", kwargs=f"{{'password': '{CANARY}', 'a': 1{rest}")])
    assert CANARY not in str(get(state).kwargs)


def test_what_a_formatter_leaves_becomes_bounded_plain_text(state: State, event: MakeEvent) -> None:
    def change(task: Any) -> None:
        task.args = [1, "a"]
        task.result = "\ud800" + "x" * 100_000

    state.add_formatter(Call(change))
    state.apply([event("task-succeeded", args="()", result="1")])
    assert get(state).args == "[1, 'a']"
    result = get(state).result
    assert result is not None
    assert len(result) == 65_536
    result.encode()


def test_without_formatters_texts_are_kept_as_they_came(state: State, event: MakeEvent) -> None:
    args = "(1,)"
    changes: list[Any] = []
    state.subscribe(changes.extend)
    state.apply([event("task-received", args=args)])
    assert get(state).args is args
    assert isinstance(changes[0], TaskChange)
