"""Runs task formatters where data comes in, so that what they hide is kept, indexed and shown nowhere."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from types import TracebackType
from typing import Any, NamedTuple

from flower.state.literals import read_mapping
from flower.state.tasks import TaskRecord
from flower_plugins import EditableTask, TaskFormatter

__all__ = ["HIDDEN", "HIDDEN_BY_FAILURE", "Data", "Formatters", "KwargsMapping", "KwargsText", "hide"]

HIDDEN = "(hidden)"
HIDDEN_BY_FAILURE = "(hidden: formatter failed)"

_FIELDS = ("args", "kwargs", "result", "exception", "traceback")
_MAX_CHARACTERS = 65_536
_LOG_INTERVAL = 60.0
_log = logging.getLogger(__name__)


class Data(NamedTuple):
    """The texts of a record that formatters decide about."""

    args: str | None
    kwargs: str | None
    result: str | None
    exception: str | None
    traceback: str | None

    @classmethod
    def of(cls, record: TaskRecord) -> Data:
        """Take the texts as they are now."""
        return cls(record.args, record.kwargs, record.result, record.exception, record.traceback)


class KwargsMapping(dict[Any, Any]):
    """Keyword arguments that could be read: taking out what is not there is harmless."""

    def pop(self, key: Any, default: Any = None) -> Any:
        """Remove a key and return its value, or the default."""
        return super().pop(key, default)

    def __delitem__(self, key: Any) -> None:
        super().pop(key, None)


class KwargsText(str):
    """Keyword arguments that could not be read: changing any of them hides the whole text."""

    hidden = False

    def pop(self, key: Any, default: Any = None) -> Any:
        """Hide the text and return the default."""
        self.hidden = True
        return default

    def __setitem__(self, key: Any, value: Any) -> None:
        self.hidden = True

    def __delitem__(self, key: Any) -> None:
        self.hidden = True


class Formatters:
    """The formatters in use, in the order they were added, each seeing what the one before left."""

    def __init__(self, *, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._formatters: list[TaskFormatter] = []
        self._failed: dict[int, Callable[[str], None]] = {}
        self._monotonic = monotonic
        self._logged_at = float("-inf")
        self.in_use = False
        """Whether there is any: a plain attribute, because it is read for every event."""
        self.failures = 0
        """How many records were hidden because a formatter raised."""

    def add(self, formatter: TaskFormatter, failed: Callable[[str], None] | None = None) -> None:
        """Use a formatter for whatever comes in from now on; `failed` is told in words when it first raises."""
        self._formatters.append(formatter)
        self.in_use = True
        if failed is not None:
            self._failed[id(formatter)] = failed

    def apply(self, record: TaskRecord, before: Data) -> None:
        """Replace the texts that an event has just brought; `before` are those the record had.

        Texts formatted earlier are shown to the formatter and kept as they are, never formatted twice.
        """
        brought = [
            field
            for field, old in zip(_FIELDS, before, strict=True)
            if (value := getattr(record, field)) is not None and value is not old
        ]
        if not brought:
            return
        for formatter in self._formatters:
            if not self._ran(formatter, record, brought):
                return

    def _ran(self, formatter: TaskFormatter, record: TaskRecord, brought: list[str]) -> bool:
        try:
            _run(formatter, record, brought)
        except (Exception, SystemExit) as error:  # the plugin boundary: whatever it raises, raw data must not stay
            self.failures += 1
            hide(record)
            self._report(formatter, record, error)
            failed = self._failed.pop(id(formatter), None)
            if failed is not None:
                failed(f"the task formatter raised {type(error).__name__}; what it should have formatted is hidden")
            return False
        return True

    def _report(self, formatter: TaskFormatter, record: TaskRecord, error: BaseException) -> None:
        """Log at a bounded rate, and never the exception's text: it may quote what was to be hidden."""
        now = self._monotonic()
        if now - self._logged_at < _LOG_INTERVAL:
            return
        self._logged_at = now
        _log.error(
            "Task formatter %s failed with %s at %s; the data of task %r is hidden (%d such tasks so far)",
            type(formatter).__qualname__,
            type(error).__name__,
            _place(error.__traceback__),
            record.uuid,
            self.failures,
        )


def hide(record: TaskRecord) -> None:
    """Replace every text that formatters decide about."""
    for field in _FIELDS:
        if getattr(record, field) is not None:
            setattr(record, field, HIDDEN_BY_FAILURE)


def _run(formatter: TaskFormatter, record: TaskRecord, brought: list[str]) -> None:
    kwargs = _kwargs(record.kwargs)
    task = EditableTask(record, kwargs=kwargs)
    returned = formatter.format(task)
    chosen = task if returned is None else returned
    texts = {field: _text(getattr(chosen, field)) for field in brought}
    if isinstance(kwargs, KwargsText) and kwargs.hidden and "kwargs" in texts:
        texts["kwargs"] = HIDDEN
    for field, text in texts.items():
        setattr(record, field, text)


def _kwargs(text: str | None) -> KwargsMapping | KwargsText:
    if text is None:
        return KwargsMapping()
    mapping = read_mapping(text)
    return KwargsText(text) if mapping is None else KwargsMapping(mapping)


def _text(value: Any) -> str | None:
    """Turn what a formatter left into plain text that is safe to keep, store and send."""
    if value is None:
        return None
    text = str.__str__(value) if isinstance(value, str) else repr(value)
    if len(text) > _MAX_CHARACTERS:
        text = text[: _MAX_CHARACTERS - 1] + "…"
    return text.encode("utf-8", "replace").decode("utf-8")


def _place(traceback: TracebackType | None) -> str:
    while traceback is not None and traceback.tb_next is not None:
        traceback = traceback.tb_next
    return "an unknown place" if traceback is None else f"{traceback.tb_frame.f_code.co_filename}:{traceback.tb_lineno}"
