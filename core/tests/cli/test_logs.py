"""What stands in the log: one line per record, whoever chose the words."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from typing import Any

import pytest

from flower.cli import logs
from flower.cli.logs import LineFormatter
from flower.settings import load

HOSTILE = "a\n[E 260101 00:00:00 forged:1] b\r\x1b[2J\u2028c\x85d\u202ee\ud800f\x00"


def record(message: object, *values: object, **more: Any) -> logging.LogRecord:
    made = logging.makeLogRecord({"msg": message, "args": values, "name": "x", "levelno": 20, "levelname": "INFO"})
    made.__dict__.update(more)
    return made


@pytest.mark.parametrize("made", [record("said %s", HOSTILE), record(HOSTILE), record("%s", ValueError(HOSTILE))])
def test_what_others_say_is_one_line_without_codes(made: logging.LogRecord) -> None:
    """S52"""
    before = dict(made.__dict__)
    line = LineFormatter(color=False).format(made)
    assert line.isprintable()
    assert r"a\n[E 260101 00:00:00 forged:1] b\r\x1b[2J\u2028c\x85d\u202ee\ud800f\x00" in line
    assert made.__dict__ == before


def test_a_traceback_is_indented_and_without_codes() -> None:
    """S52"""
    try:
        raise ValueError(HOSTILE)
    except ValueError as error:
        made = record("failed", exc_info=(ValueError, error, error.__traceback__), exc_text=HOSTILE)
    first, *lines = LineFormatter(color=False).format(made).split("\n")
    assert first.endswith("failed")
    assert all(line.startswith("    ") and line.isprintable() for line in lines)
    assert any("raise ValueError(HOSTILE)" in line for line in lines)


def test_texts_of_our_own_keep_their_lines_and_terminals_their_colours() -> None:
    formatter = LineFormatter(color=False)
    assert formatter.format(record("a\n%s", "b", lines=True)).endswith("a\n    b")
    assert formatter.format(record("grün %d %s", 1, "日本")).endswith("grün 1 日本")


def test_a_message_that_cannot_be_formed_is_shown_as_it_is() -> None:
    line = LineFormatter(color=False).format(record("%d", "x\ny"))
    assert "Bad message (TypeError(" in line
    assert line.isprintable()


@pytest.fixture
def restored() -> Iterator[None]:
    """Leave the loggers as they were."""
    names = ("", "tornado.access", "tornado.general", "kombu.transport.redis")
    before = [(logger := logging.getLogger(name), logger.level, list(logger.filters)) for name in names]
    yield
    for logger, level, filters in before:
        logger.setLevel(level)
        logger.filters[:] = filters


@pytest.mark.usefixtures("restored")
@pytest.mark.parametrize("level", ["info", "none"])
def test_what_is_not_http_is_not_quoted(caplog: pytest.LogCaptureFixture, level: str) -> None:
    """S35: a header that is none may hold a password."""
    logs.configure(load([f"--logging={level}", "--log_to_stderr=no"], options=(), environ={}, cwd="/"))
    general = logging.getLogger("tornado.general")
    general.setLevel(logging.INFO)
    general.info("Malformed HTTP message from %s: %s", "203.0.113.7", "Invalid header value 'Basic canary'")
    general.info("Other %s", "words")
    assert [record.getMessage() for record in caplog.records] == [
        "Malformed HTTP message from 203.0.113.7",
        "Other words",
    ]
