"""What core and plugins never use: formats and calls that run what they read (S40), and a heavy `flower.command`."""

from __future__ import annotations

import ast
import json
import subprocess
import sys
from pathlib import Path

import pytest
from dists import ROOT

MODULES = {"pickle", "shelve", "marshal", "cPickle", "cloudpickle", "dill", "jsonpickle", "dbm"}
CALLS = {"eval", "exec", "__import__"}
EXECUTES_THE_CONFIG_FILE = "core/flower/settings/configfile.py"
PRODUCT = ("core/flower/**/*.py", "flower_plugins/src/**/*.py", "plugins/*/src/**/*.py")


def dangers(root: Path) -> list[str]:
    """Return every use of a forbidden module or call."""
    found = []
    for path in sorted(file for pattern in PRODUCT for file in root.glob(pattern)):
        name = path.relative_to(root).as_posix()
        allowed = {"exec"} if name == EXECUTES_THE_CONFIG_FILE else set()
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            words = [word for word in dangers_of(node) if word not in allowed]
            found += [f"{name}:{getattr(node, 'lineno', 0)}: {word}" for word in words]
    return found


def dangers_of(node: ast.AST) -> list[str]:
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names if alias.name.partition(".")[0] in MODULES]
    if isinstance(node, ast.ImportFrom) and node.module:
        return [node.module] if node.module.partition(".")[0] in MODULES else []
    if isinstance(node, ast.Call):
        func = node.func
        if isinstance(func, ast.Name) and func.id in CALLS:
            return [func.id]
        if isinstance(func, ast.Attribute) and func.attr in CALLS:
            return [func.attr] if isinstance(func.value, ast.Name) and func.value.id == "builtins" else []
        if isinstance(func, ast.Attribute) and func.attr == "import_module" and node.args:
            first = node.args[0]
            return [first.value] if isinstance(first, ast.Constant) and first.value in MODULES else []
    return []


def test_nothing_runs_what_it_reads() -> None:
    found = dangers(ROOT)
    assert not found, "\n".join(found)


@pytest.mark.parametrize(
    ("path", "code", "word"),
    [
        ("core/flower/a.py", "import pickle", "pickle"),
        ("core/flower/a.py", "def f():\n    from shelve import open", "shelve"),
        ("core/flower/a.py", "eval('1')", "eval"),
        ("core/flower/a.py", "exec('1')", "exec"),
        ("core/flower/a.py", "builtins.exec('1')", "exec"),
        ("core/flower/a.py", "importlib.import_module('marshal')", "marshal"),
        ("core/flower/settings/configfile.py", "eval('1')", "eval"),
        ("flower_plugins/src/flower_plugins/a.py", "import marshal", "marshal"),
        ("plugins/store_sqlite/src/flower_store_sqlite/a.py", "import dbm.gnu", "dbm.gnu"),
    ],
)
def test_a_dangerous_call_is_found(tmp_path: Path, path: str, code: str, word: str) -> None:
    file = tmp_path / path
    file.parent.mkdir(parents=True)
    file.write_text(code)
    (found,) = dangers(tmp_path)
    assert found.endswith(f": {word}")


def test_executing_the_config_file_is_allowed(tmp_path: Path) -> None:
    file = tmp_path / EXECUTES_THE_CONFIG_FILE
    file.parent.mkdir(parents=True)
    file.write_text("exec(code, {})\nconnection.exec('x')")
    assert dangers(tmp_path) == []


SEEN = (
    "import json, sys; before = set(sys.modules); import {module}; print(json.dumps(sorted(set(sys.modules) - before)))"
)
HEAVY = {"tornado", "msgspec", "jinja2", "pluggy", "prometheus_client", "flower_plugins", "asyncio"}


def loaded_by(module: str) -> list[str]:
    """Return what importing a module loads beyond what Celery's own command line loads."""
    code = "import click, celery.bin.base\n" + SEEN.format(module=module)
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)
    return list(json.loads(done.stdout))


def heavy(modules: list[str]) -> list[str]:
    """Return what a worker should not have to load."""
    light = {"flower", "flower.command"}
    mine = [name for name in modules if name.partition(".")[0] == "flower" and name not in light]
    return mine + [name for name in modules if name.partition(".")[0] in HEAVY]


def test_the_command_costs_a_worker_nothing() -> None:
    assert heavy(loaded_by("flower.command")) == []


def test_a_heavy_import_is_found() -> None:
    assert heavy(loaded_by("tornado.web"))
    assert heavy(["flower", "flower.command", "flower.app"]) == ["flower.app"]
