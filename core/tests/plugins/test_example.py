"""The example plugins load as their entry points say, and their own tests pass."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from importlib.metadata import EntryPoint
from pathlib import Path
from typing import Any

import pytest

from flower.plugins import Registry, load_class
from flower_plugins import AuthProvider, BrokerInspector, EventSource, HistoryStore, Renderer
from flower_plugins.testing import FakeHost

ROOT = Path(__file__).parents[3] / "examples" / "plugins"
EXAMPLES = sorted(file.parent for file in ROOT.glob("*/pyproject.toml"))

OFFERS: dict[str, type[Any]] = {
    "flower_auth_providers": AuthProvider,
    "flower_broker_inspectors": BrokerInspector,
    "flower_event_sources": EventSource,
    "flower_history_stores": HistoryStore,
    "flower_renderers": Renderer,
}
MOST_LINES = 60


@pytest.fixture(params=EXAMPLES, ids=lambda folder: folder.name)
def example(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    folder: Path = request.param
    monkeypatch.syspath_prepend(folder / "src")
    yield folder
    for module in [name for name in sys.modules if name.startswith(f"flower_{folder.name}")]:
        del sys.modules[module]


def test_an_example_plugin_loads_as_its_entry_point_says(load: Callable[..., Registry], example: Path) -> None:
    module = f"flower_{example.name}.plugin"
    assert f'{example.name} = "{module}"' in (example / "pyproject.toml").read_text()
    registry = load(EntryPoint(example.name, module, "flower_plugins"))
    host = FakeHost(options=[option for _, option in registry.options()])
    (report,) = [report for report in registry.reports() if report.name == example.name]
    for hook in report.hooks:
        answers: list[tuple[str, Any]]
        if hook == "flower_options":
            answers = list(registry.options())
        else:
            answers = list(registry.offers(hook)) if hook in OFFERS else registry.contributions(hook, host=host)
        mine = [item for plugin, item in answers if plugin == example.name]
        assert mine, hook
        if hook in OFFERS:
            assert load_class(mine[0], OFFERS[hook])
    assert {report.state for report in registry.reports()} == {"active"}


def test_an_example_plugins_own_tests_pass(example: Path) -> None:
    words = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--rootdir", str(example), str(example)]
    environment = {**os.environ, "PYTHONPATH": str(example / "src")}
    ended = subprocess.run(words, check=False, env=environment, cwd=example, capture_output=True, text=True, timeout=60)
    assert ended.returncode == 0, ended.stdout + ended.stderr


def test_an_example_plugin_is_short(example: Path) -> None:
    for file in (example / "src").rglob("*.py"):
        assert len(file.read_text().splitlines()) <= MOST_LINES, file
