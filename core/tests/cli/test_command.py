"""The command as Celery runs it, and what importing it costs every other Celery command."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

APPS = {
    "proj.py": "from celery import Celery\napp = Celery('proj', broker='memory://')\n",
    "preload.py": """
import click
from celery import Celery, signals

app = Celery("preload", broker="memory://")
app.user_options["preload"].add(click.Option(["--template"]))

@signals.user_preload_options.connect
def told(options, **_):
    print(options)
""",
}

# Runs command lines one after the other in one process: importing Celery's commands is what takes long.
DRIVER = """
import contextlib, io, json, os, sys
import flower.cli
from celery.bin.celery import main as celery
from flower.command import main as alone

def stand_in(app, words, *, quiet, alone):
    print(app.main, list(words), quiet, alone)
    return 7

home, real, results = os.getcwd(), flower.cli.run, []
for line in json.loads(sys.argv[1]):
    flower.cli.run = real if "--conf=none.py" in line else stand_in
    os.chdir(home)
    out, err, code = io.StringIO(), io.StringIO(), None
    sys.argv = line
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        try:
            alone() if line[0] == "flower" else celery()
        except SystemExit as error:
            code = error.code
    results.append([out.getvalue(), err.getvalue(), code])
print(json.dumps(results))
"""

CASES = {
    "celery flower -A proj redis://h --debug no -l info": (
        "default ['-A', 'proj', 'redis://h', '--debug', 'no', '-l', 'info'] False False"
    ),
    "celery flower \N{EN DASH}auth=x": "default ['\N{EN DASH}auth=x'] False False",
    "flower -A proj --port=1": "default ['-A', 'proj', '--port=1'] False True",
    # From here on the app that was loaded last is Celery's current one.
    "celery -A proj flower": "proj [] False False",
    "celery -q -A proj -C flower --port=1": "proj ['--port=1'] True False",
    "celery -A proj flower -port=5 --help": "proj ['-port=5', '--help'] False False",
    "celery --workdir elsewhere -A there flower": "there [] False False",
    # An app's own options for all commands stay with the commands for good.
    "celery -A preload flower --template x --port=1": "{'template': 'x'}\npreload ['--port=1'] False False",
}
REFUSED = "celery flower --conf=none.py"
HELP = "celery --help"
LINES = [REFUSED, HELP, *CASES]


def _python(code: str, *arguments: str, cwd: Path) -> Any:
    env = {name: value for name, value in os.environ.items() if not name.startswith(("CELERY", "FLOWER"))}
    command = [sys.executable, "-c", code, *arguments]
    done = subprocess.run(command, cwd=cwd, env=env, text=True, capture_output=True, timeout=100, check=False)
    assert done.stderr == ""
    return json.loads(done.stdout)


@pytest.fixture(name="project", scope="module")
def _project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("project")
    for name, content in APPS.items():
        (folder / name).write_text(content)
    (folder / "elsewhere").mkdir()
    (folder / "elsewhere" / "there.py").write_text(APPS["proj.py"].replace("proj", "there"))
    return folder


@pytest.fixture(name="results", scope="module")
def _results(project: Path) -> dict[str, tuple[str, str, int]]:
    found = _python(DRIVER, json.dumps([line.split() for line in LINES]), cwd=project)
    return dict(zip(LINES, map(tuple, found), strict=True))


@pytest.mark.parametrize("line", CASES)
def test_every_word_reaches_flower_and_its_exit_code_comes_back(
    results: dict[str, tuple[str, str, int]], line: str
) -> None:
    assert results[line] == (CASES[line] + "\n", "", 7)


def test_celery_lists_the_command(results: dict[str, tuple[str, str, int]]) -> None:
    assert "Watch and steer the cluster" in results[HELP][0]


def test_an_error_is_one_line_and_exit_code_2(results: dict[str, tuple[str, str, int]], project: Path) -> None:
    message = f"flower: there is no file {project}/none.py (command line). Correct the path of conf\n"
    assert results[REFUSED] == ("", message, 2)


@pytest.fixture(name="imported", scope="module")
def _imported(project: Path) -> Any:
    code = (
        "import celery.bin.base, click, json, sys\nbefore = set(sys.modules)\nimport flower.command\n"
        "print(json.dumps([sorted(set(sys.modules) - before), sorted(sys.modules)]))"
    )
    return _python(code, cwd=project)


def test_importing_the_command_adds_itself_alone(imported: list[list[str]]) -> None:
    assert imported[0] == ["flower", "flower.command"]


@pytest.mark.parametrize("package", ["tornado", "msgspec", "pluggy", "flower_plugins", "flower.cli"])
def test_a_worker_does_not_pay_for_flower(imported: list[list[str]], package: str) -> None:
    assert "flower.command" in imported[1]
    assert package not in imported[1]
