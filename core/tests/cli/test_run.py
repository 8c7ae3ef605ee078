"""The phases of a start, with plugins and server standing by as plain functions."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from celery import Celery
from celery import __version__ as celery_version

from flower import __version__
from flower.cli import run
from flower.settings import Early, EffectiveSettings
from flower_plugins import Assets, ConfigurationError, Option, PluginReport


class Installed:
    """Plugins as the registry shows them."""

    def options(self) -> Sequence[tuple[str, Option]]:
        logging.getLogger("flower.plugins").warning("Plugin broken failed")
        return [("auth_basic", Option("basic_auth", default=(), multiple=True, secret=True, claims=True))]

    def assets(self) -> Sequence[tuple[str, Assets]]:
        return []

    def reports(self) -> Sequence[PluginReport]:
        return [
            PluginReport("auth_basic", "flower-auth-basic", "3.0.0", "active", hooks=("flower_options",)),
            PluginReport("broken", "flower-broken", "1", "failed", error="ImportError:\nno such thing"),
        ]


class Start:
    """Runs a command line and keeps what reached the plugins and the server."""

    def __init__(self) -> None:
        self.app = Celery("proj", broker="redis://app", set_as_current=False)
        self.early: Early | None = None
        self.settings: EffectiveSettings | None = None
        self.quiet: bool | None = None

    def __call__(self, *words: str, code: int = 0, quiet: bool = False, env: dict[str, str] | None = None) -> int:
        def discover(early: Early) -> Installed:
            self.early = early
            if "missing" in early.disabled:
                raise ConfigurationError("No plugin is named 'missing'")
            return Installed()

        def serve(app: Any, settings: EffectiveSettings, plugins: Any, quiet: bool) -> int:
            self.app, self.settings, self.quiet = app, settings, quiet
            return code

        return run(self.app, words, quiet=quiet, environ=env or {}, discover=discover, serve=serve)


@pytest.fixture(name="start")
def _start(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Start]:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("CELERY_BROKER_URL", "")
    root, others = (
        logging.getLogger(),
        [logging.getLogger(name) for name in ("tornado.access", "kombu.transport.redis")],
    )
    level, handlers = root.level, list(root.handlers)
    yield Start()
    root.setLevel(level)
    for other in others:
        other.setLevel(logging.NOTSET)
    for handler in set(root.handlers) - set(handlers):
        root.removeHandler(handler)
        handler.close()


@pytest.mark.parametrize("code", [0, 1, 3])
def test_the_server_s_exit_code_is_the_program_s(start: Start, code: int) -> None:
    assert start("--port=0", "--basic_auth=a:b", code=code, quiet=True) == code
    assert start.settings is not None
    assert (start.settings["port"], start.settings["basic_auth"], start.quiet) == (0, ("a:b",), True)


@pytest.mark.parametrize(
    ("words", "line"),
    [
        (
            ["--basic_auht=a:b"],
            "flower: unknown option --basic_auht (command line). Did you mean --basic_auth?\n{broken}",
        ),
        (["--a\nb"], "flower: unknown option --a b (command line). celery flower --help lists all of them\n{broken}"),
        (["--disable-plugin=missing"], "flower: No plugin is named 'missing'\n"),
        (["--conf=none.py"], "flower: there is no file {cwd}/none.py (command line). Correct the path of conf\n"),
        (
            ["--plugins=yaml"],
            "flower: plugins: 'yaml' is not one of text, json (command line). {another}, or leave plugins out\n",
        ),
        (
            ["--log_file_prefix=/none/x"],
            "flower: cannot write the log file /none/x: No such file or directory (command line)\n{broken}",
        ),
    ],
)
def test_a_configuration_error_is_one_line_and_exit_code_2(
    start: Start, capsys: pytest.CaptureFixture[str], words: list[str], line: str
) -> None:
    """Plugins that failed are named as well: an option may be unknown because of that."""
    broken = "flower: plugin broken failed: ImportError: no such thing\n"
    assert start(*words) == 2
    assert start.settings is None
    captured = capsys.readouterr()
    assert (captured.out, captured.err) == (
        "",
        line.format(cwd=Path.cwd(), another="Give another value", broken=broken),
    )


def test_help_prints_options_of_core_and_plugins(start: Start, capsys: pytest.CaptureFixture[str]) -> None:
    assert start("--help", "--bogus") == 0
    captured = capsys.readouterr()
    assert "--port=N" in captured.out
    assert "--basic_auth=TEXT,…" in captured.out
    assert captured.err == ""
    assert start.settings is None


def test_the_version_is_printed_and_nothing_starts(start: Start, capsys: pytest.CaptureFixture[str]) -> None:
    Path("flowerconfig.py").write_text("1/0")
    assert start("--version", "--port=x") == 0
    captured = capsys.readouterr()
    assert (captured.out, captured.err) == (f"Flower {__version__} (Celery {celery_version})\n", "")
    assert (start.early, start.settings) == (None, None)


def test_plugins_are_listed_as_text(start: Start, capsys: pytest.CaptureFixture[str]) -> None:
    assert start("--plugins") == 0
    assert capsys.readouterr().out.splitlines() == [
        "plugin      state   version  from               hooks",
        "auth_basic  active  3.0.0    flower-auth-basic  flower_options",
        "broken      failed  1        flower-broken",
        "    ImportError: no such thing",
    ]


def test_plugins_are_listed_as_json(start: Start, capsys: pytest.CaptureFixture[str]) -> None:
    assert start("--plugins=json") == 0
    listed = json.loads(capsys.readouterr().out)
    assert [(one["name"], one["state"], one["hooks"]) for one in listed] == [
        ("auth_basic", "active", ["flower_options"]),
        ("broken", "failed", []),
    ]


def test_plugins_learn_of_file_and_switches(start: Start) -> None:
    Path("flowerconfig.py").write_text("def flower_routes(host): ...\nplugins_allowed = ['auth_basic']")
    start("--disable_plugin", "one,two")
    assert start.early is not None
    assert (start.early.disabled, start.early.allowed) == (("one", "two"), ("auth_basic",))
    assert start.early.file.path == str(Path.cwd() / "flowerconfig.py")
    assert "flower_routes" in start.early.file.globals


def test_the_app_reaches_the_server_configured(start: Start) -> None:
    Path("flowerconfig.py").write_text("task_default_queue = 'q'\ndef format_task(task): return task")
    start("--broker=redis://line")
    assert (start.app.conf.broker_url, start.app.conf.task_default_queue) == ("redis://line", "q")
    assert start.settings is not None
    assert start.settings["format_task"].__name__ == "format_task"


def test_warnings_wait_for_logging(start: Start) -> None:
    Path("flowerconfig.py").write_text("")
    start("--log_file_prefix=out.log", "--loglevel=INFO", env={"FLOWER_XYZZY": "1"})
    lines = Path("out.log").read_text().splitlines()
    assert [line.partition("] ")[2] for line in lines[:2]] == [
        f"Settings from {Path.cwd()}/flowerconfig.py",
        "Plugin broken failed",
    ]
    assert "Ignored --loglevel after flower" in lines[2]
    assert "FLOWER_XYZZY" in lines[3]
    assert len(lines) == 4


def test_a_quiet_start_says_no_more_than_warnings(start: Start) -> None:
    Path("flowerconfig.py").write_text("")
    start("--log_file_prefix=out.log", quiet=True)
    assert [line.partition("] ")[2] for line in Path("out.log").read_text().splitlines()] == ["Plugin broken failed"]


@pytest.mark.parametrize(
    ("words", "level"),
    [
        ([], logging.INFO),
        (["--logging=WARNING"], logging.WARNING),
        (["--debug"], logging.DEBUG),
        (["--debug", "--logging=error"], logging.ERROR),
    ],
)
def test_the_level_is_as_asked(start: Start, words: list[str], level: int) -> None:
    start(*words)
    assert logging.getLogger().level == level


def test_logging_none_leaves_logging_alone(start: Start) -> None:
    root = logging.getLogger()
    before = (root.level, list(root.handlers))
    start("--logging=none", "--log_file_prefix=out.log")
    assert (root.level, root.handlers) == before
    assert not Path("out.log").exists()


@pytest.mark.parametrize(("words", "logged"), [([], False), (["--debug"], True)])
def test_requests_are_logged_in_debug_mode_alone(start: Start, words: list[str], logged: bool) -> None:
    start(*words)
    assert logging.getLogger("tornado.access").isEnabledFor(logging.ERROR) is logged


@pytest.mark.parametrize(("words", "logged"), [([], False), (["--debug"], True)])
def test_what_kombu_says_of_each_unreadable_message_is_logged_in_debug_mode_alone(
    start: Start, words: list[str], logged: bool
) -> None:
    """R06"""
    start(*words)
    assert logging.getLogger("kombu.transport.redis").isEnabledFor(logging.WARNING) is logged


def test_a_log_file_may_rotate_by_time(start: Start) -> None:
    start("--log_file_prefix=out.log", "--log-rotate-mode=time", "--log-rotate-when=h")
    assert any(type(handler).__name__ == "TimedRotatingFileHandler" for handler in logging.getLogger().handlers)
