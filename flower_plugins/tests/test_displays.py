"""The contracts of columns and panels refuse what core would."""

from __future__ import annotations

from typing import Any

import pytest

from flower_plugins import TaskColumn, TaskPanel
from flower_plugins.testing import FakeHost, FakeTask, TaskColumnContract, TaskPanelContract


def failures(contract: Any) -> list[str]:
    """Return the names of the contract's tests that fail."""
    failed = []
    for name in dir(contract):
        if name.startswith("test_"):
            try:
                getattr(contract, name)()
            except Exception:
                failed.append(name)
    return failed


def column(made: TaskColumn) -> TaskColumnContract:
    return type("Mine", (TaskColumnContract,), {"make": lambda self: made})()


def panel(made: TaskPanel) -> TaskPanelContract:
    return type("Mine", (TaskPanelContract,), {"make": lambda self: made})()


@pytest.mark.parametrize(
    ("made", "failed"),
    [
        (TaskColumn("parts", "Parts", lambda task: len(task.kwargs or "")), []),
        (TaskColumn("parts", "Parts", lambda task: len(task.kwargs)), ["value"]),  # type: ignore[arg-type]
        (TaskColumn("parts", "Parts", lambda task: [task.uuid]), ["value"]),  # type: ignore[arg-type, return-value]
        (TaskColumn("due", "Due", lambda task: "12:00", "time"), ["value"]),
        (TaskColumn("runtime", "Runtime", lambda task: 1), ["name"]),
        (TaskColumn("My Column", "Mine", lambda task: 1), ["name"]),
        (TaskColumn("mine", "", lambda task: 1), ["name"]),
    ],
)
def test_a_column_that_core_would_refuse_fails_its_contract(made: TaskColumn, failed: list[str]) -> None:
    found = failures(column(made))
    assert len(found) == len(failed)
    assert all(word in name for word, name in zip(failed, found, strict=True))


@pytest.mark.parametrize(
    ("made", "failed"),
    [
        (TaskPanel("cost", "Cost", lambda task: {"Name": task.name}), 0),
        (TaskPanel("cost", "Cost", template="cost.html"), 0),
        (TaskPanel("cost", "Cost", lambda task: task.runtime), 1),  # type: ignore[arg-type, return-value]
        (TaskPanel("cost", "Cost", lambda task: "text", "cost.html"), 1),
        (TaskPanel("my cost", "Cost", lambda task: None), 1),
    ],
)
def test_a_panel_that_core_would_refuse_fails_its_contract(made: TaskPanel, failed: int) -> None:
    assert len(failures(panel(made))) == failed


def test_the_fake_host_draws_panels_in_their_order() -> None:
    host = FakeHost()
    host.panels = [
        TaskPanel("b", "B", lambda task: task.name, order=2),
        TaskPanel("none", "None", lambda task: None),
        TaskPanel("a", "A", lambda task: {"Id": task.uuid}, order=1),
    ]
    drawn = host.task_panels(FakeTask("id-1"))
    assert [(each.slug, each.text, list(each.facts)) for each in drawn] == [
        ("a", "", [("Id", "id-1")]),
        ("b", "shop.add", []),
    ]
