"""Failures, grouped by the type of their exception and the shape of its message."""

from __future__ import annotations

import re
from collections import OrderedDict
from collections.abc import Sequence

from flower_plugins import FailureGroup

__all__ = ["Failures", "shape"]

_MAX_GROUPS = 200
_MAX_TEXTS = 1000
_MAX_NAMES = 500
_MAX_TEXT = 400
_MAX_MESSAGE = 200

_CALL = re.compile(r"(?P<type>[A-Za-z_][\w.]*)(?:\((?P<message>.*)\)?)?", re.DOTALL)
_VARYING = re.compile(
    r"""(?<!\w)(?P<quote>\\?["'`])(?:(?!(?P=quote)).){0,200}(?P=quote)"""
    r"|<[^<>]{0,200}>"
    r"|\b0x[0-9a-fA-F]+|\b[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}|\b(?=[a-fA-F]*\d)[0-9a-fA-F]{8,}\b"
    r"|[-+]?\d+(?:[.,:_]\d+)*",
    re.DOTALL,
)
_NO_DIGITS = str.maketrans("", "", "0123456789")


class _Group:
    __slots__ = ("count", "exception", "first", "last", "message", "task", "uuid")

    def __init__(self, exception: str, message: str, at: float) -> None:
        self.exception, self.message = exception, message
        self.count = 0
        self.first = self.last = at
        self.task: str | None = None
        self.uuid = ""


class Failures:
    """The last 200 groups, told of every failure; and when each task name failed last."""

    def __init__(self) -> None:
        self._groups: OrderedDict[tuple[str, str], _Group] = OrderedDict()
        self._texts: dict[str, tuple[str, str]] = {}
        """Groups by text without its digits: most texts differ in nothing else."""
        self._names: OrderedDict[str, float] = OrderedDict()

    def note(self, exception: str | None, at: float, task: str | None, uuid: str) -> None:
        """Count a failure; `exception` is the text that is shown of it."""
        text = (exception or "")[:_MAX_TEXT]
        bare = text.translate(_NO_DIGITS)
        key = self._texts.get(bare)
        if key is None:
            if len(self._texts) >= _MAX_TEXTS:
                self._texts.clear()
            key = self._texts[bare] = shape(text)
        group = self._groups.get(key)
        if group is None:
            group = self._groups[key] = _Group(*key, at)
            if len(self._groups) > _MAX_GROUPS:
                self._groups.popitem(last=False)
        else:
            self._groups.move_to_end(key)
        group.count += 1
        group.last = max(group.last, at)
        group.task, group.uuid = task, uuid
        if task:
            self._names[task] = at
            self._names.move_to_end(task)
            if len(self._names) > _MAX_NAMES:
                self._names.popitem(last=False)

    def last_of(self, name: str) -> float | None:
        """Return when a task of this name failed last; "" is any."""
        if name:
            return self._names.get(name)
        return next(reversed(self._names.values()), None)

    def groups(self, limit: int) -> Sequence[FailureGroup]:
        """Return groups, the last one seen first."""
        newest = list(self._groups.values())[: -max(limit, 0) - 1 : -1]
        return [
            FailureGroup(each.exception, each.message, each.count, each.first, each.last, each.task, each.uuid)
            for each in newest
        ]


def shape(text: str) -> tuple[str, str]:
    """Return the type of an exception, given as its `repr`, and its message with what varies replaced by "…"."""
    match = _CALL.match(text)
    if match is None:
        return "", _same(text)
    if match["message"] is None:
        return match["type"], _same(text[match.end() :].lstrip(": "))
    return match["type"], _same(_unquoted(match["message"].removesuffix(")").rstrip(",")))


def _unquoted(message: str) -> str:
    """Take the quotes off a message that is the exception's only argument: they enclose all of it."""
    quote = message[:1]
    if quote in ("'", '"') and len(message) > 1 and message.find(quote, 1) in (-1, len(message) - 1):
        return message[1:].removesuffix(quote)
    return message


def _same(message: str) -> str:
    return _VARYING.sub("…", message)[:_MAX_MESSAGE]
