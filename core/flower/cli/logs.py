"""Logging as Tornado's options describe it, and what is logged before those options are known."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from types import SimpleNamespace

from tornado.log import enable_pretty_logging

from flower_plugins import ConfigurationError, Settings

__all__ = ["Held", "configure", "held_back"]

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


class Held(logging.Handler):
    """Keeps records until logging is set up."""

    def __init__(self) -> None:
        super().__init__()
        self._records: list[logging.LogRecord] = []

    def emit(self, record: logging.LogRecord) -> None:
        """Keep the record."""
        self._records.append(record)

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
    if options.logging != "none" and not settings["debug"]:
        logging.getLogger("tornado.access").setLevel(logging.CRITICAL)
        # Has a traceback for each message it cannot read; the event gateway counts and reports those.
        logging.getLogger("kombu.transport.redis").setLevel(logging.ERROR)
