"""The example plugins load as their entry points say, and their own tests pass."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from importlib.metadata import EntryPoint
from pathlib import Path

import pytest

from flower.plugins import Registry

EXAMPLES = sorted((Path(__file__).parents[3] / "examples" / "plugins").iterdir())


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
    contributed = [
        plugin
        for hook in ("flower_routes", "flower_task_formatters")
        for plugin, _ in registry.contributions(hook, host=None)
    ]
    assert contributed == [example.name]
    assert {report.state for report in registry.reports()} == {"active"}


def test_an_example_plugins_own_tests_pass(example: Path) -> None:
    words = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--rootdir", str(example), str(example)]
    environment = {**os.environ, "PYTHONPATH": str(example / "src")}
    ended = subprocess.run(words, check=False, env=environment, cwd=example, capture_output=True, text=True, timeout=60)
    assert ended.returncode == 0, ended.stdout + ended.stderr
