"""R40: what plugins show of tasks costs nobody but themselves."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

import pytest

from flower.app.displays import TaskColumns, TaskPanels, Watch
from flower_plugins import ColumnValue, DrawnPanel, Task, TaskColumn, TaskPanel
from flower_plugins.testing import FakeTask

TASK = FakeTask("a")


class Told(list[tuple[str, str]]):
    """What the registry was told."""

    def __call__(self, plugin: str, sentence: str) -> None:
        self.append((plugin, sentence))


class Fails:
    """Raises at the calls it is told, else returns the task's name."""

    def __init__(self, at: Iterable[int], error: BaseException | None = None) -> None:
        self.at, self.calls, self.error = set(at), 0, error or ValueError("no luck")

    def __call__(self, task: Task) -> str | None:
        self.calls += 1
        if self.calls in self.at:
            raise self.error
        return task.name


class Clock:
    """Time that passes only when something takes some."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now

    def taking(self, seconds: float) -> Callable[[], str]:
        def work() -> str:
            self.now += seconds
            return "done"

        return work


def nothing(template: str, names: Mapping[str, Any]) -> str | None:
    raise AssertionError(template)


def columns(*values: Callable[[Task], ColumnValue], told: Told | None = None) -> list[TaskColumn]:
    named = [(f"p{number}", TaskColumn(f"c{number}", "C", value)) for number, value in enumerate(values)]
    return TaskColumns(named, told if told is not None else Told()).columns


@pytest.mark.parametrize("error", [ValueError("no luck"), SystemExit(1), RecursionError(), UnicodeError()])
def test_a_column_that_raises_has_no_value_and_marks_its_plugin_once(
    error: BaseException, caplog: pytest.LogCaptureFixture
) -> None:
    told = Told()
    broken, fine = columns(Fails({1, 3}, error), lambda task: task.name, told=told)
    assert [broken.value(TASK) for _ in range(4)] == [None, "shop.add", None, "shop.add"]
    assert fine.value(TASK) == "shop.add"
    name = type(error).__name__
    assert told == [("p0", f"column 'c0' raised {name}; after 5 times in a row it is off")]
    assert len(caplog.records) == 1


def test_a_column_is_off_after_five_failures_in_a_row(caplog: pytest.LogCaptureFixture) -> None:
    fails = Fails({1, 3, 4, 5, 6, 7})
    (column,) = columns(fails)
    values = [column.value(TASK) for _ in range(20)]
    assert values == [None, "shop.add"] + [None] * 18
    assert fails.calls == 7
    assert "Plugin p0: column 'c0' is off, it raised ValueError 5 times in a row" in caplog.messages


@pytest.mark.parametrize("value", [["a"], object(), b"bytes", True, {"a": 1}, 10**400])
def test_what_is_no_value_counts_as_a_failure(value: Any) -> None:
    told = Told()
    (column,) = columns(lambda task: value, told=told)
    assert column.value(TASK) is None
    assert told


def test_a_keyboard_interrupt_is_not_a_failure_of_the_plugin() -> None:
    (column,) = columns(Fails({1}, KeyboardInterrupt()))
    with pytest.raises(KeyboardInterrupt):
        column.value(TASK)


@pytest.mark.parametrize(
    ("calls", "said"),
    [([0.2], ["200 ms"]), ([0.01] * 12, ["110 ms"]), ([0.099], []), ([0.2, 0.2, 0.2], ["200 ms"]), ([0.001] * 90, [])],
)
def test_what_holds_up_the_loop_is_logged_once_a_minute(
    calls: list[float], said: list[str], caplog: pytest.LogCaptureFixture
) -> None:
    """R40: more than 100 ms, in one call or in many."""
    clock = Clock()
    watch = Watch("slow", "column 'c'", Told(), monotonic=clock)
    assert {watch.run(clock.taking(seconds)) for seconds in calls} == {"done"}
    assert [message.split("for ")[1].split(" within")[0] for message in caplog.messages] == said
    assert all(record.levelno == logging.WARNING for record in caplog.records)


def test_calls_that_are_far_apart_are_not_added_up(caplog: pytest.LogCaptureFixture) -> None:
    clock = Clock()
    watch = Watch("slow", "column 'c'", Told(), monotonic=clock)
    for _ in range(10):
        watch.run(clock.taking(0.06))
        clock.now += 2
    assert not caplog.records


def test_panels_come_in_their_order_and_those_without_content_are_left_out() -> None:
    panels = [
        ("a", TaskPanel("last", "Last", lambda task: task.name, order=200)),
        ("b", TaskPanel("none", "None", lambda task: None)),
        ("c", TaskPanel("first", "First", lambda task: {"Runtime": task.runtime, "Queue": task.queue}, order=5)),
    ]
    drawn = TaskPanels(panels, nothing, Told(), {}).drawn(TASK, {})
    assert drawn == [
        DrawnPanel("first", "First", facts=[("Runtime", "0.5"), ("Queue", "")]),
        DrawnPanel("last", "Last", text="shop.add"),
    ]


def test_a_panel_that_raises_is_left_out_and_marks_its_plugin(caplog: pytest.LogCaptureFixture) -> None:
    told, fails = Told(), Fails(range(1, 100))
    panels = TaskPanels(
        [("bad", TaskPanel("bad", "Bad", fails)), ("good", TaskPanel("good", "Good", lambda task: "fine"))],
        nothing,
        told,
        {},
    )
    for _ in range(8):
        assert [panel.slug for panel in panels.drawn(TASK, {})] == ["good"]
    assert fails.calls == 5
    assert told == [("bad", "panel 'bad' raised ValueError; after 5 times in a row it is off")]
    assert len(caplog.records) == 2


def test_a_template_that_raises_costs_its_panel(tmp_path: Path) -> None:
    (tmp_path / "p.html").write_text("")

    def render(template: str, names: Mapping[str, Any]) -> str:
        if names["broken"]:
            raise LookupError(template)
        return f"{template} {names['task'].uuid} {names['visit']}"

    told = Told()
    panel = TaskPanel("p", "P", lambda task: {"broken": task.state == "FAILURE"}, template="p.html")
    panels = TaskPanels([("acme", panel)], render, told, {"acme": [None, tmp_path]})
    assert panels.drawn(FakeTask("x", state="FAILURE"), {"visit": "v"}) == []
    assert panels.drawn(TASK, {"visit": "v"}) == [DrawnPanel("p", "P", html="p.html a v")]
    assert [plugin for plugin, _ in told] == ["acme"]


def test_a_template_is_looked_for_in_the_plugins_own_folders_at_the_start(tmp_path: Path) -> None:
    (tmp_path / "p.html").write_text("")
    told = Told()
    panel = TaskPanel("p", "P", template="p.html")
    assert TaskPanels([("acme", panel)], nothing, told, {"other": [tmp_path]}).drawn(TASK, {}) == []
    assert told == [("acme", "panel 'p' names the template 'p.html', which its assets do not have")]
