from __future__ import annotations

from typing import Any

import pytest

from flower.state.rollups.failures import Failures, shape
from flower_plugins import TaskFormatter


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("ValueError('order 12 of 7')", ("ValueError", "order … of …")),
        ("ValueError('order 13 of 9')", ("ValueError", "order … of …")),
        ("Timeout('gateway3', 10)", ("Timeout", "…, …")),
        ("KeyError('customer')", ("KeyError", "customer")),
        ("OSError(2, 'No such file')", ("OSError", "…, …")),
        ("RuntimeError(\"can't open '/tmp/x' at 0x7f3a\")", ("RuntimeError", "can't open … at …")),
        ("DoesNotExist('User 3f2a8c1e-77aa-4b1c-9a55-0123456789ab is gone')", ("DoesNotExist", "User … is gone")),
        ("shop.errors.Refused()", ("shop.errors.Refused", "")),
        ("Refused", ("Refused", "")),
        ("", ("", "")),
        ("<weird>", ("", "…")),
        ("ValueError('cut off in the mid", ("ValueError", "cut off in the mid")),
    ],
)
def test_a_message_loses_what_varies(text: str, expected: tuple[str, str]) -> None:
    assert shape(text) == expected


def test_a_hostile_text_takes_no_time() -> None:
    failures = Failures()
    for text in ("'" * 5000, "(" * 5000, "E('" + "\\'" * 3000, "a" * 10_000, "<" * 5000):
        failures.note(text, 1.0, None, "t")
    assert all(len(group.message) <= 200 for group in failures.groups(10))


def test_failures_of_one_shape_are_one_group(machine: Any) -> None:
    machine.see("task-failed", exception="ValueError('order 12')")
    machine.pass_time(5)
    machine.see("task-failed", exception="ValueError('order 99')", name="shop.mail")
    machine.see("task-retried", exception="ValueError('order 1')")
    machine.see("task-failed", exception="KeyError('x')")
    newest, older = machine.rollups.failures()
    assert (newest.exception, newest.message, newest.count) == ("KeyError", "x", 1)
    assert (older.exception, older.message, older.count, older.task) == ("ValueError", "order …", 2, "shop.mail")
    assert older.last_seen - older.first_seen == 5
    assert machine.state.tasks.get(older.uuid).exception == "ValueError('order 99')"
    assert machine.rollups.failures(1) == [newest]
    assert machine.rollups.failures(0) == []


def test_groups_show_what_formatters_left(machine: Any) -> None:
    class Hide(TaskFormatter):
        def format(self, task: Any) -> None:
            task.exception = "Hidden('secret')"

    machine.state.add_formatter(Hide())
    machine.see("task-failed", exception="ValueError('password hunter two')")
    assert [(group.exception, group.message) for group in machine.rollups.failures()] == [("Hidden", "secret")]


def test_the_newest_200_groups_are_kept_r18() -> None:
    failures = Failures()
    for number in range(5000):
        kind = "".join(chr(97 + int(digit)) for digit in str(number))
        failures.note(f"E{kind}('x')", float(number), f"task{number}", f"t{number}")
    groups = failures.groups(1000)
    assert len(groups) == 200
    assert [group.uuid for group in groups[:2]] == ["t4999", "t4998"]
    assert failures.last_of("task4999") == 4999
    assert failures.last_of("task1") is None
    assert failures.last_of("") == 4999
