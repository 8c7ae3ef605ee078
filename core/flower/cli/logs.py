"""Logging as Tornado's options describe it, and what is logged before those options are known."""

from __future__ import annotations

import copy
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from types import SimpleNamespace, TracebackType
from typing import TypeAlias

from tornado.log import LogFormatter, enable_pretty_logging

from flower.quiet import escaped
from flower_plugins import ConfigurationError, Settings

__all__ = ["Held", "LineFormatter", "configure", "held_back"]

_OPTIONS = (
    "logging",
    "log_to_stderr",
    "log_file_prefix",
    "log_file_max_size",
    "log_file_num_backups",
    "log_rotate_mode",
    "log_rotate_when",
    "log_rotate_interval",
)

_ExceptionInfo: TypeAlias = "tuple[type[BaseException], BaseException, TracebackType | None] | tuple[None, None, None]"


class LineFormatter(LogFormatter):
    """Writes each record as one line: what people, workers and brokers send cannot begin a line or move the cursor.

    The lines of a traceback are indented. A record made with `extra={"lines": True}` keeps its line ends, for texts
    that are our own.
    """

    def format(self, record: logging.LogRecord) -> str:
        """Return the line."""
        shown = copy.copy(record)
        try:
            message = record.getMessage()
        except Exception as error:  # guards the log against whatever a plugin logs
            message = f"Bad message ({error!r}): {record.msg!r} {record.args!r}"
        shown.msg, shown.args = escaped(message, "\n" if getattr(record, "lines", False) else ""), ()
        if record.exc_info:
            shown.exc_text = None  # another handler may have written it in its own way
        elif record.exc_text:
            shown.exc_text = escaped(record.exc_text, "\n")
        return super().format(shown)

    def formatException(self, ei: _ExceptionInfo) -> str:  # noqa: N802  # logging names it so
        """Return the traceback."""
        return escaped(super().formatException(ei), "\n")


class Held(logging.Handler):
    """Keeps records until logging is set up."""

    def __init__(self) -> None:
        super().__init__()
        self._records: list[logging.LogRecord] = []

    def emit(self, record: logging.LogRecord) -> None:
        """Keep the record."""
        self._records.append(record)

    def warnings(self) -> list[str]:
        """Return what was warned of."""
        return [record.getMessage() for record in self._records if record.levelno >= logging.WARNING]

    def replay(self) -> None:
        """Log what was kept."""
        for record in self._records:
            logger = logging.getLogger(record.name)
            if logger.isEnabledFor(record.levelno):
                logger.handle(record)
        self._records.clear()


@contextmanager
def held_back() -> Iterator[Held]:
    """Keep what Flower logs while the block runs."""
    logger, held = logging.getLogger("flower"), Held()
    propagate, level = logger.propagate, logger.level
    logger.addHandler(held)
    logger.setLevel(logging.DEBUG)  # which level counts is known later, when the records are replayed
    logger.propagate = False
    try:
        yield held
    finally:
        logger.propagate = propagate
        logger.setLevel(level)
        logger.removeHandler(held)


def configure(settings: Settings) -> None:
    """Set up the root logger. Raise ConfigurationError when the log file cannot be written.

    Requests are logged in debug mode alone, which also lowers the default level to debug.
    """
    logging.getLogger("tornado.general").addFilter(_without_quotes)
    options = SimpleNamespace(**{name: settings[name] for name in _OPTIONS})
    if settings["debug"] and options.logging == "info":
        options.logging = "debug"
    try:
        enable_pretty_logging(options)
    except OSError as error:
        raise ConfigurationError(
            f"cannot write the log file {options.log_file_prefix}: {error.strerror}",
            where=settings.origin("log_file_prefix"),
        ) from None
    for handler in logging.getLogger().handlers:
        if type(handler.formatter) is LogFormatter:
            handler.setFormatter(LineFormatter(color=not isinstance(handler, logging.FileHandler)))
    if options.logging != "none" and not settings["debug"]:
        logging.getLogger("tornado.access").setLevel(logging.CRITICAL)
        # Has a traceback for each message it cannot read; the event gateway counts and reports those.
        logging.getLogger("kombu.transport.redis").setLevel(logging.ERROR)


def _without_quotes(record: logging.LogRecord) -> bool:
    """Keep what a client sent out of the log: Tornado quotes a header that is none, and it may hold a password."""
    message = "Malformed HTTP message from %s"
    if isinstance(record.args, tuple) and str(record.msg).startswith(message):
        record.msg, record.args = message, record.args[:1]
    return True
