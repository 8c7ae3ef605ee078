"""Celery's settings in flowerconfig.py, and Celery's options after `flower`."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from datetime import timezone
from pathlib import Path
from typing import Any

import pytest
from celery import Celery
from celery._state import _set_current_app, get_current_app

from flower.cli.celery_app import celery_settings, configured
from flower.settings import CORE, EffectiveSettings, load
from flower.settings.names import FIRST_PARTY, RESERVED
from flower_plugins import ConfigurationError


@pytest.fixture(autouse=True)
def _clean(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[None]:
    for name in ("CELERY_BROKER_URL", "CELERY_RESULT_BACKEND"):
        monkeypatch.setenv(name, "")  # so that monkeypatch puts back what the code under test sets
        os.environ.pop(name)
    monkeypatch.chdir(tmp_path)
    path, current = list(sys.path), get_current_app()
    yield
    sys.path[:] = path
    sys.modules.pop("projx", None)
    _set_current_app(current)


def _settings(*words: str, file: str = "") -> EffectiveSettings:
    Path("flowerconfig.py").write_text(file)
    return load(words, options=(), environ={}, cwd=str(Path.cwd()))


def test_no_option_is_also_a_celery_setting() -> None:
    names = {option.name for option in CORE} | FIRST_PARTY.keys() | RESERVED.keys()
    assert celery_settings(dict.fromkeys(names, 1)) == {}


@pytest.mark.parametrize(
    ("globals_", "settings"),
    [
        ({"broker_url": "x", "port": 1}, {"broker_url": "x"}),
        ({"BROKER_URL": "x"}, {"broker_url": "x"}),
        ({"CELERY_TASK_SERIALIZER": "json"}, {"task_serializer": "json"}),
        ({"CELERY_TIMEZONE": "Europe/Paris"}, {"timezone": "Europe/Paris"}),
        ({"BROKER_URL": "old", "broker_url": "new"}, {"broker_url": "new"}),
        ({"broker_transport_options": {"a": 1}}, {"broker_transport_options": {"a": 1}}),
        ({"timezone": timezone, "include": os, "nothing": 1}, {}),
    ],
)
def test_celery_settings_are_picked_in_both_spellings(globals_: dict[str, Any], settings: dict[str, Any]) -> None:
    assert celery_settings(globals_) == settings


def _app(**conf: object) -> Any:
    app = Celery("proj", set_as_current=False)
    app.conf.update(conf)
    return app


def _lazy_old_style() -> Any:
    app = Celery("proj", set_as_current=False)
    app.config_from_object({"BROKER_URL": "amqp://app", "CELERY_TASK_SERIALIZER": "json", "CELERY_TIMEZONE": "UTC"})
    return app


def _lazy_prefixed() -> Any:
    app = Celery("proj", set_as_current=False)
    app.config_from_object({"CELERY_BROKER_URL": "amqp://app", "CELERY_TIMEZONE": "UTC"}, namespace="CELERY")
    return app


APPS = {
    "updated": lambda: _app(broker_url="amqp://app", timezone="UTC"),
    "untouched": _app,
    "argument": lambda: Celery("proj", broker="amqp://app", set_as_current=False),
    "old style": _lazy_old_style,
    "prefixed": _lazy_prefixed,
}


@pytest.mark.parametrize("make", APPS.values(), ids=APPS)
@pytest.mark.parametrize("file", ["broker_url = 'amqp://file'", "BROKER_URL = 'amqp://file'"])
def test_the_file_overrides_the_app_however_it_was_configured(make: Any, file: str) -> None:
    app = configured(make(), _settings(file=f"{file}\ntimezone = 'Europe/Paris'"))
    assert app.conf.broker_url == "amqp://file"
    assert app.conf.timezone == "Europe/Paris"
    assert app.connection().hostname == "file"


@pytest.mark.parametrize("make", APPS.values(), ids=APPS)
def test_the_command_line_overrides_the_file(make: Any) -> None:
    settings = _settings("--broker=amqp://line", "--result-backend=rpc://", file="broker_url = 'amqp://file'")
    app = configured(make(), settings)
    assert app.conf.broker_url == "amqp://line"
    assert app.conf.result_backend == "rpc://"
    assert app.connection().hostname == "line"


def test_an_app_named_after_flower_is_loaded() -> None:
    Path("projx.py").write_text("from celery import Celery\napp = Celery('projx', broker='amqp://app')")
    app = configured(_app(), _settings("-A", "projx"))
    assert (app.main, app.conf.broker_url) == ("projx", "amqp://app")


def test_the_broker_wins_over_an_app_named_after_flower() -> None:
    Path("projx.py").write_text("from celery import Celery\napp = Celery('projx', broker='amqp://app')")
    assert configured(_app(), _settings("-Aprojx", "-b", "amqp://line")).conf.broker_url == "amqp://line"


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (None, "cannot load the Celery app 'projx': ModuleNotFoundError: No module named 'projx' (command line)."),
        ("1/0", "cannot load the Celery app 'projx': ZeroDivisionError: division by zero (command line)."),
        ("raise SystemExit(3)", "cannot load the Celery app 'projx': SystemExit: 3 (command line)."),
    ],
)
def test_an_app_that_cannot_be_loaded_is_one_sentence(content: str | None, sentence: str) -> None:
    if content:
        Path("projx.py").write_text(content)
    with pytest.raises(ConfigurationError) as caught:
        configured(_app(), _settings("-A", "projx"))
    assert caught.value.message == f"{sentence} Name the module, or module:attribute, as for celery -A"


def test_an_app_is_left_alone_without_reason_to_change_it() -> None:
    app = _app(broker_url="amqp://app")
    assert configured(app, _settings(file="port = 1")) is app
    assert app.conf.broker_url == "amqp://app"
