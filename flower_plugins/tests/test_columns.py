from __future__ import annotations

from typing import Any

import pytest

from flower_plugins import ColumnKind, TaskColumn
from flower_plugins.testing import FakeTask


class Loud(str):
    def __str__(self) -> str:
        return "<b>loud</b>"

    def __html__(self) -> str:
        return "<b>loud</b>"


@pytest.mark.parametrize(
    ("kind", "value", "read"),
    [
        ("text", "acme", "acme"),
        ("text", None, None),
        ("text", 7, 7),
        ("text", "x" * 2000, "x" * 1000),
        ("number", 1.5, 1.5),
        ("number", "1.50 €", "1.50 €"),
        ("number", float("nan"), None),
        ("time", 1_700_000_000, 1_700_000_000),
        ("time", float("inf"), None),
    ],
)
def test_a_column_reads_a_bounded_value(kind: ColumnKind, value: Any, read: Any) -> None:
    assert TaskColumn("c", "C", lambda task: value, kind).read(FakeTask("a")) == read


def test_a_text_with_a_will_of_its_own_is_read_as_the_text_it_is() -> None:
    read = TaskColumn("c", "C", lambda task: Loud("quiet")).read(FakeTask("a"))
    assert (type(read), read) == (str, "quiet")


@pytest.mark.parametrize(("kind", "value"), [("text", ["a"]), ("text", True), ("time", "12:00"), ("number", b"1")])
def test_another_type_is_an_error(kind: ColumnKind, value: Any) -> None:
    with pytest.raises(TypeError, match=f"column 'c' of kind '{kind}' got {type(value).__name__}"):
        TaskColumn("c", "C", lambda task: value, kind).read(FakeTask("a"))
