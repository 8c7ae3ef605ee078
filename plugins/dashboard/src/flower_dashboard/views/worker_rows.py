"""The rows of the workers page as HTML: a thousand of them, twice a second, are too many for a template.

Every value goes through `escaped`; tests/test_hostile_data.py holds that against hostile ones.
"""

from __future__ import annotations

import time
from collections.abc import Iterable
from urllib.parse import quote_plus

from flower_dashboard.formats import Clock, count
from flower_dashboard.links import path
from flower_dashboard.markup import MISSING, Html, escaped
from flower_dashboard.views.worker_row import WorkerRow
from flower_plugins import Host

__all__ = ["WorkerRowWriter"]


class WorkerRowWriter:
    """Writes the rows of one page."""

    def __init__(self, host: Host) -> None:
        self._clock, self._now = Clock(host.timezone), time.time()
        self._worker, self._tasks = escaped(host.url("/worker")), escaped(host.url("/tasks"))
        icons = escaped(host.asset("dashboard", "icons.svg"))
        self._online = _badge("ok", icons, "check", "Online")
        self._offline = _badge("bad", icons, "cross", "Offline")

    def rows(self, rows: Iterable[WorkerRow]) -> Html:
        """Return the table rows of some workers."""
        return Html("\n".join([self._row(row) for row in rows]))

    def _row(self, row: WorkerRow) -> str:
        name = escaped(row.name)
        offline = "" if row.online else ' class="worker-offline"'
        href = f"{self._tasks}?worker={quote_plus(row.name)}"
        return (
            f'<tr role="row" id="worker-{name}"{offline}>'
            f'<td role="cell" class="pick"><input type="checkbox" id="pick-{name}" name="worker" value="{name}" '
            f'aria-label="Choose {name}"></td>'
            f'<th role="rowheader" scope="row" class="primary">'
            f'<a href="{self._worker}{escaped(path(row.name))}" data-row>{name}</a></th>'
            f'<td role="cell" data-label="Status">{self._status(row)}</td>'
            f"{_number('Active', row.active, f'{href}&amp;state=STARTED')}"
            f"{_number('Processed', row.processed, href)}"
            f"{_number('Failed', row.failed, f'{href}&amp;state=FAILURE', bad=True)}"
            f"{_number('Succeeded', row.succeeded, f'{href}&amp;state=SUCCESS')}"
            f'<td role="cell" data-label="Load Average" class="num">{_load(row)}</td></tr>'
        )

    def _status(self, row: WorkerRow) -> str:
        if row.online:
            return self._online + (f' <span class="muted">clock {escaped(row.skew)}</span>' if row.skew else "")
        return f'{self._offline} <span class="muted">{self._seen(row.last_seen)}</span>'

    def _seen(self, at: float | None) -> str:
        stamp = self._clock.stamp(at)
        if stamp is None:
            return "never seen"
        ago = self._clock.ago(at, self._now)
        return f'last seen <time datetime="{stamp.iso}" title="{escaped(stamp.absolute)}" data-relative>{ago}</time>'


def _badge(tone: str, icons: str, icon: str, word: str) -> str:
    return (
        f'<span class="state state-{tone}"><svg class="icon" aria-hidden="true" focusable="false">'
        f'<use href="{icons}#{icon}"></use></svg><span class="state-word">{word}</span></span>'
    )


def _number(title: str, value: int, href: str, *, bad: bool = False) -> str:
    tone = " tone-bad" if bad and value else ""
    shown = f'<a href="{href}">{count(value)}</a>' if value else "0"
    return f'<td role="cell" data-label="{title}" class="num{tone}">{shown}</td>'


def _load(row: WorkerRow) -> str:
    return " ".join([f"{part:.2f}" for part in row.load]) if row.online and row.load else MISSING
