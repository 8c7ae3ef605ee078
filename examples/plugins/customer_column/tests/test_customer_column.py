from __future__ import annotations

import pytest
from flower_customer_column import plugin
from flower_customer_column.plugin import Argument

from flower_plugins import TaskColumn
from flower_plugins.testing import FakeTask, PluginContract, TaskColumnContract


class TestPlugin(PluginContract):
    plugin = plugin


class TestColumn(TaskColumnContract):
    def make(self) -> TaskColumn:
        (column,) = TestPlugin().call("flower_task_columns")
        return column


@pytest.mark.parametrize(
    ("kwargs", "value"),
    [
        ("{'order': 7, 'customer': 'acme'}", "acme"),
        ("{'customer': 12, 'order': 7}", "12"),
        ("""{'customer': "O'Hara"}""", "O'Hara"),
        ("{'customer': 'cut off...", None),
        (r"{'customer': 'O\'Hara & \\Söhne', 'order': 7}", "O'Hara & \\Söhne"),
        (r"{'customer': 'no \x escape'}", None),
        ("{}", None),
        (None, None),
    ],
)
def test_the_column_shows_the_argument(kwargs: str | None, value: str | None) -> None:
    assert Argument("customer").of(FakeTask("a", kwargs=kwargs)) == value
