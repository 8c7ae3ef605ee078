"""What may be meant by a half-written search: fields, and the values that kept tasks have in them."""

from __future__ import annotations

import heapq
import re
from collections.abc import Iterable, Mapping

from msgspec import Struct

from flower_dashboard.formats import text
from flower_dashboard.states import CHIPS
from flower_plugins import Host

__all__ = ["Suggestion", "Word", "suggest", "word_at"]

FIELDS = (
    ("state", "in exactly that state"),
    ("name", "part of the task's name"),
    ("worker", "part of the worker's name"),
    ("queue", "part of the queue's name"),
    ("args", "part of the arguments"),
    ("kwargs", "part of the keyword arguments, or key=value"),
    ("result", "part of the result"),
    ("exception", "part of the exception"),
    ("traceback", "part of the traceback"),
    ("runtime", "such as >1.5 or <=250ms"),
    ("retries", "such as >0 or 1..3"),
    ("age", "time since it was received, such as <5m"),
    ("received", "such as 2026-01-31 or >=2026-01-31T10:00"),
    ("started", "such as 2026-01-31"),
    ("is", "lost: nobody works on it any more"),
    ("uuid", "part of the id"),
    ("root", "id of the first task of its workflow"),
    ("parent", "id of the task that called it"),
)

_EXAMPLES = {
    "runtime": (">1s", ">1m", "<=250ms"),
    "retries": (">0", "1..3"),
    "age": ("<5m", "<1h", ">1d"),
    "is": ("lost",),
}
_COUNTED = ("state", "name", "worker", "queue")
_MOST = 8
_LONGEST = 200
_WORD = re.compile(r'(?:"(?:\\.|[^"\\])*(?:"|$)|[^\s()"])+')
_PLAIN = re.compile(r'[^\s()"\\]+')


class Word(Struct, frozen=True):
    """The word of a search that the caret stands in: its place, and its text up to the caret."""

    start: int
    end: int
    text: str


class Suggestion(Struct, frozen=True):
    """`insert` takes the word's place; `hint` says what it is, or how many kept tasks have it."""

    insert: str
    label: str
    hint: str


def word_at(search: str, caret: int) -> Word:
    """Return the word around a place, without a leading minus; an empty one between words."""
    caret = min(max(caret, 0), len(search))
    for match in _WORD.finditer(search):
        start = match.start() + (match.group().startswith("-") and len(match.group()) > 1)
        if start <= caret <= match.end():
            return Word(start, match.end(), search[start:caret])
    return Word(caret, caret, "")


def suggest(host: Host, word: Word) -> list[Suggestion]:
    """Return at most eight suggestions; the work grows with the number of different values, not with that of tasks."""
    field, colon, value = word.text.partition(":")
    field = field.casefold()
    if colon:
        return _values(host, field, value.replace('"', "").casefold())
    wanted = word.text.replace('"', "").casefold()
    found = [Suggestion(f"{name}:", f"{name}:", hint) for name, hint in FIELDS if name.startswith(wanted)]
    if len(wanted) > 1:
        found += [suggestion for name in ("name", "worker", "state") for suggestion in _values(host, name, wanted)]
    return found[:_MOST]


def _values(host: Host, field: str, wanted: str) -> list[Suggestion]:
    if field in _EXAMPLES:
        return [Suggestion(f"{field}:{value} ", value, "") for value in _EXAMPLES[field] if value.startswith(wanted)]
    if field not in _COUNTED:
        return []
    best = heapq.nlargest(_MOST, _ranked(_known(host, field).items(), wanted))
    found = [(text(value), total) for _, total, value in best]
    return [Suggestion(f"{field}:{_quoted(value)} ", value[:_LONGEST], f"{total:,}") for value, total in found]


def _ranked(values: Iterable[tuple[str, int]], wanted: str) -> Iterable[tuple[bool, int, str]]:
    """Yield what contains the wanted text: first what begins with it, then what is most frequent."""
    for value, total in values:
        folded = value.casefold()
        if wanted in folded:
            yield folded.startswith(wanted), total, value


def _known(host: Host, field: str) -> Mapping[str, int]:
    known = dict.fromkeys((word for word, _ in CHIPS), 0) if field == "state" else {}
    if field == "queue":
        known.update(dict.fromkeys(host.queues.names(), 0))
    if field == "worker":
        known.update((text(worker.hostname), 0) for worker in host.workers.all())
    known.update(host.tasks.counts(field))
    return known


def _quoted(value: str) -> str:
    if _PLAIN.fullmatch(value):
        return value
    return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'
