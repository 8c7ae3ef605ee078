"""The rows of the tasks page as HTML.

A page may have a hundred rows of seventeen columns, twice a second for every viewer. A template takes two
microseconds for each value that it escapes, and has five in a cell; written here, a row costs a fifth of that. Every
value goes through `escaped`; tests/test_hostile_data.py holds that against hostile ones.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from operator import attrgetter
from typing import Any

from flower_dashboard.columns import Column
from flower_dashboard.formats import Clock, duration, text, visible
from flower_dashboard.links import path
from flower_dashboard.markup import MISSING, Html, escaped
from flower_dashboard.states import look
from flower_plugins import Host, Task

__all__ = ["RowWriter"]

_CELL = 160
_TO_THE_ROW = " data-row"
"""Marks the link that stands for the whole row: the keyboard goes from one to the next."""


class RowWriter:
    """Writes the rows of one page; long values are cut."""

    def __init__(self, host: Host, shown: Sequence[Column], *, natural: bool) -> None:
        self._host, self._natural, self._now = host, natural, time.time()
        self._clock = Clock(host.timezone)
        self._task, self._worker = escaped(host.url("/task")), escaped(host.url("/worker"))
        self._icons = escaped(host.asset("dashboard", "icons.svg"))
        self._workers: dict[str, str] = {}
        forms: dict[str, Callable[[Any], str]] = {
            "name": self._name,
            "uuid": self._uuid,
            "state": self._state,
            "time": self._time,
            "duration": _duration,
            "worker": self._of_worker,
            "code": _code,
        }
        self._columns = [
            (
                f'<td role="cell" class="kind-{column.kind}" data-label="{escaped(column.title)}">',
                column.read or attrgetter(column.slug),
                forms.get(column.kind, _plain),
            )
            for column in shown
        ]
        self._rest = _TO_THE_ROW

    _at: Task

    def rows(self, tasks: Iterable[Task]) -> Html:
        """Return the table rows of some tasks."""
        return Html("\n".join([self._row(task) for task in tasks]))

    def _row(self, task: Task) -> str:
        uuid, name = escaped(text(task.uuid)), escaped(text(task.name))
        self._at, self._rest = task, _TO_THE_ROW
        cells = [f"{start}{form(read(task))}</td>" for start, read, form in self._columns]
        return (
            f'<tr role="row" id="task-{uuid}" data-task><td role="cell" class="pick"><input type="checkbox" '
            f'form="bulk" name="ids" value="{uuid}" aria-label="Select {name or "task"} {uuid}"></td>'
            f"{''.join(cells)}</tr>"
        )

    def _name(self, value: Any) -> str:
        words = _cut(value)
        return self._link("", words, self._at.uuid) if words else MISSING

    def _uuid(self, value: Any) -> str:
        return self._link(' class="uuid"', text(value)[:8], value)

    def _link(self, attributes: str, words: str, uuid: Any) -> str:
        rest, self._rest = self._rest, ""
        href = self._task + escaped(path(uuid))
        return f'<a{attributes} href="{href}" title="{escaped(text(uuid))}"{rest}>{escaped(words)}</a>'

    def _state(self, value: Any) -> str:
        seen = look(value)
        loss = self._host.tasks.loss(self._at)
        return self._badge(seen.tone, seen.icon, seen.word[:40]) + (
            f" {self._badge('warn', 'alert', f'Worker {loss}')}" if loss else ""
        )

    def _badge(self, tone: str, icon: str, word: str) -> str:
        return (
            f'<span class="state state-{tone}"><svg class="icon" aria-hidden="true" focusable="false">'
            f'<use href="{self._icons}#{icon}"></use></svg><span class="state-word">{escaped(word)}</span></span>'
        )

    def _of_worker(self, value: Any) -> str:
        words = _cut(value)
        link = self._workers.get(words)
        if link is None:
            href = self._worker + escaped(path(value))
            link = self._workers[words] = f'<a href="{href}">{escaped(words)}</a>' if words else MISSING
        return link

    def _time(self, value: Any) -> str:
        stamp = self._clock.stamp(value)
        if stamp is None:
            return _plain(value)
        start = f'<time datetime="{stamp.iso}" title="{escaped(stamp.absolute)}"'
        if self._natural:
            return f"{start} data-time>{self._clock.ago(value, self._now)}</time>"
        return f'{start} data-time><span class="day">{stamp.day}</span> {stamp.time}</time>'


def _duration(value: Any) -> str:
    return duration(value) or _plain(value)


def _code(value: Any) -> str:
    words = _cut(visible(value))
    return f"<code>{escaped(words)}</code>" if words else MISSING


def _plain(value: Any) -> str:
    return escaped(_cut(visible(value))) or MISSING


def _cut(value: Any) -> str:
    words = text(value)
    return words if len(words) <= _CELL else words[: _CELL - 1] + "…"
