"""The guide for plugin authors is true: a heading per hook with its signature, examples that load and answer."""

from __future__ import annotations

import inspect
import re
import sys
from collections.abc import Callable
from importlib.metadata import EntryPoint
from pathlib import Path
from typing import Any

import pytest

import flower_plugins
from flower.plugins import Registry, load_class
from flower.plugins.discover import HOOKS
from flower_plugins import hooks

GUIDE = (Path(__file__).parents[3] / "docs/plugins.md").read_text()
SECTIONS = dict(re.findall(r"(?ms)^### (flower_\w+\(.*?\))\n(.*?)(?=^##|\Z)", GUIDE))
BASES = {
    "flower_auth_providers": "AuthProvider",
    "flower_broker_inspectors": "BrokerInspector",
    "flower_event_sources": "EventSource",
    "flower_history_stores": "HistoryStore",
    "flower_renderers": "Renderer",
}


def heading(hook: str) -> str:
    return f"{hook}({', '.join(inspect.signature(getattr(hooks, hook)).parameters)})"


def test_the_guide_has_a_heading_with_the_signature_of_every_hook_and_no_other() -> None:
    assert sorted(SECTIONS) == sorted(map(heading, HOOKS))


@pytest.mark.parametrize("hook", HOOKS)
def test_the_example_of_every_hook_loads_and_answers(
    hook: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, load: Callable[..., Registry]
) -> None:
    (source,) = re.findall(r"(?s)```python\n(.*?)```", SECTIONS[heading(hook)])
    (tmp_path / "my_plugin.py").write_text(source)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "my_plugin", raising=False)
    registry = load(EntryPoint("my_plugin", "my_plugin", "flower_plugins"))
    answers: list[tuple[str, Any]]
    if hook == "flower_options":
        answers = list(registry.options())
    elif hook in BASES:
        answers = list(registry.offers(hook))
    else:
        answers = registry.contributions(hook, host=None)
    mine = [item for plugin, item in answers if plugin == "my_plugin"]
    assert mine, registry.reports()
    if hook in BASES:
        assert load_class(mine[0], getattr(flower_plugins, BASES[hook]))
    monkeypatch.delitem(sys.modules, "my_plugin")
