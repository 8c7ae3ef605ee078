"""The command as Celery runs it, and what importing it costs every other Celery command."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

# Stands in for the plugins and the server, and says what reached them.
STAND_IN = """
import sys
from flower.cli import run as module

def stand_in(app, words, *, quiet, alone):
    print(app.main, list(words), quiet, alone)
    return 7

sys.modules["flower.cli"].run = stand_in
"""


def _python(code: str, *arguments: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    env = {name: value for name, value in os.environ.items() if not name.startswith(("CELERY", "FLOWER"))}
    return subprocess.run(
        [sys.executable, "-c", code, *arguments],
        cwd=cwd,
        env=env,
        text=True,
        capture_output=True,
        timeout=60,
        check=False,
    )


@pytest.fixture(name="project")
def _project(tmp_path: Path) -> Path:
    (tmp_path / "proj.py").write_text(
        "import click\nfrom celery import Celery, signals\napp = Celery('proj', broker='memory://')\n"
    )
    (tmp_path / "preload.py").write_text(
        "import click\nfrom celery import Celery, signals\napp = Celery('preload', broker='memory://')\n"
        "app.user_options['preload'].add(click.Option(['--template']))\n"
        "@signals.user_preload_options.connect\n"
        "def told(options, **_): print(options)\n"
    )
    return tmp_path


@pytest.mark.parametrize(
    ("arguments", "printed"),
    [
        (["-A", "proj", "flower"], "proj [] False False"),
        (["-q", "-A", "proj", "-C", "flower", "--port=1"], "proj ['--port=1'] True False"),
        (["-A", "proj", "flower", "-port=5", "--help"], "proj ['-port=5', '--help'] False False"),
        (
            ["flower", "-A", "proj", "redis://h", "--debug", "no", "-l", "info", "\N{EN DASH}auth=x"],
            "default ['-A', 'proj', 'redis://h', '--debug', 'no', '-l', 'info', '\N{EN DASH}auth=x'] False False",
        ),
        (
            ["-A", "preload", "flower", "--template", "x", "--port=1"],
            "{'template': 'x'}\npreload ['--port=1'] False False",
        ),
        (["-A", "preload", "flower"], "{'template': None}\npreload [] False False"),
    ],
)
def test_celery_hands_every_word_on(project: Path, arguments: list[str], printed: str) -> None:
    code = f"{STAND_IN}\nfrom celery.bin.celery import main\nmain()"
    done = _python(code, *arguments, cwd=project)
    assert (done.stdout.strip(), done.stderr, done.returncode) == (printed, "", 7)


def test_workdir_is_left_to_celery(project: Path) -> None:
    (project / "elsewhere").mkdir()
    code = f"{STAND_IN}\nfrom celery.bin.celery import main\nmain()"
    done = _python(code, "--workdir", str(project), "-A", "proj", "flower", cwd=project / "elsewhere")
    assert (done.stdout.strip(), done.returncode) == ("proj [] False False", 7)


def test_the_console_script_equals_celery_flower(project: Path) -> None:
    done = _python(f"{STAND_IN}\nfrom flower.command import main\nmain()", "-A", "proj", "--port=1", cwd=project)
    assert (done.stdout.strip(), done.returncode) == ("default ['-A', 'proj', '--port=1'] False True", 7)


def test_celery_lists_the_command(project: Path) -> None:
    done = _python("from celery.bin.celery import main\nmain()", "--help", cwd=project)
    assert "flower" in done.stdout
    assert "Watch and steer the cluster" in done.stdout


def test_an_error_is_one_line_and_exit_code_2(project: Path) -> None:
    code = "from celery.bin.celery import main\nmain()"
    done = _python(code, "-A", "proj", "flower", "--conf=none.py", cwd=project)
    message = f"flower: there is no file {project}/none.py (command line). Correct the path of conf\n"
    assert (done.stdout, done.stderr, done.returncode) == ("", message, 2)


def test_importing_the_command_loads_nothing_of_flower(project: Path) -> None:
    code = (
        "import celery.bin.base, click, sys\nbefore = set(sys.modules)\nimport flower.command\n"
        "print(sorted(set(sys.modules) - before))"
    )
    done = _python(code, cwd=project)
    assert done.stderr == ""
    assert done.stdout.strip() == "['flower', 'flower.command']"


@pytest.mark.parametrize("package", ["tornado", "msgspec", "pluggy", "flower_plugins"])
def test_importing_the_command_spares_every_command(project: Path, package: str) -> None:
    done = _python(f"import flower.command, sys\nprint({package!r} in sys.modules)", cwd=project)
    assert done.stdout.strip() == "False"
