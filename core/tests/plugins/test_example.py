from __future__ import annotations

import sys
from collections.abc import Callable
from importlib.metadata import EntryPoint
from pathlib import Path

import pytest

from flower.plugins import Registry

EXAMPLE = Path(__file__).parents[3] / "examples/plugins/hello_page"


def test_the_example_plugin_works_as_its_entry_point_says(
    load: Callable[..., Registry], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(EXAMPLE / "src")
    declared = (EXAMPLE / "pyproject.toml").read_text()
    assert 'hello_page = "flower_hello_page.plugin"' in declared
    registry = load(EntryPoint("hello_page", "flower_hello_page.plugin", "flower_plugins"))
    assert registry.has_option("hello_greeting")
    assert [(plugin, route.name) for plugin, route in registry.contributions("flower_routes", host=None)] == [
        ("hello_page", "hello")
    ]
    assert [item.path for _, item in registry.contributions("flower_nav_items", host=None)] == ["/hello"]
    assert {report.state for report in registry.reports()} == {"active"}
    for module in [name for name in sys.modules if name.startswith("flower_hello_page")]:
        del sys.modules[module]
