"""Tasks as a file: streamed in pieces, so that a million of them fill no memory and hold up nobody."""

from __future__ import annotations

import asyncio
import csv
import io
from collections.abc import AsyncIterator, Sequence
from datetime import datetime, timezone
from typing import Any

from msgspec.structs import replace
from tornado.iostream import StreamClosedError

from flower_dashboard.formats import Clock, text
from flower_dashboard.pages.bulk import chosen_ids
from flower_dashboard.views.selection import Selection
from flower_dashboard.views.sorting import split
from flower_plugins import Forbidden, InvalidParameter, Page, QueryError, Task, TaskColumn, TaskQuery
from flower_plugins.web import Handler

__all__ = ["COLUMNS", "ExportTasks", "csv_cell"]

_TIMES = ("sent", "received", "started", "succeeded", "failed", "retried", "revoked", "rejected")
COLUMNS = (
    *("uuid", "name", "state", "worker", "queue"),
    *_TIMES,
    *("runtime", "retries", "args", "kwargs", "result", "exception", "eta", "expires"),
    *("exchange", "routing_key", "root_id", "parent_id"),
)
"""The columns of a CSV file; the objects of a JSON file have all that the API shows, and the queue.

In both, the columns that plugins add come behind them.
"""

_PIECE = 100
_PAGE = 1000
_SEARCH_PAGE = 20_000  # each page of a search is a search
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20")
"""OWASP's list for CSV injection; the last four are full-width forms, which some spreadsheets take for the others."""
_TYPES = {"csv": "text/csv; charset=UTF-8", "json": "application/json; charset=UTF-8"}


class ExportTasks(Handler):
    """`/tasks/export`: POST as well, for many ids do not fit into a URL."""

    async def get(self) -> None:
        if self.foreign:
            raise Forbidden("Cross-site request forbidden")
        chosen = chosen_ids(self)
        query = self._query()
        try:
            page = await self.host.tasks.query(replace(query, limit=0) if chosen else query)
        except QueryError as error:  # refused before anything is sent
            raise InvalidParameter(error.message) from None
        self._open()
        is_csv = self.params["format"] == "csv"
        added = self.host.task_columns()
        self.write(_csv_line((*COLUMNS, *(column.slug for column in added))) if is_csv else "[")
        write = self._csv if is_csv else self._json
        began = False
        try:
            async for piece in self._chosen(chosen) if chosen else self._matching(query, page):
                self.write(write(piece, added, began))
                began = True
                await self.flush()
                await asyncio.sleep(0)  # a socket that takes all at once makes no pause
        except StreamClosedError:  # the reader has seen enough
            return
        self.finish("" if is_csv else "\n]\n")

    post = get

    def head(self) -> None:
        """Answer with the headers alone; there is no body to read tasks for."""
        self._open()

    def _open(self) -> None:
        kind = self.params["format"]
        stamp = datetime.now(timezone.utc).strftime("%Y%m%d-%H%M%S")
        self.set_header("Content-Type", _TYPES[kind])
        self.set_header("Content-Disposition", f'attachment; filename="tasks-{stamp}.{kind}"')
        self.set_header("Cache-Control", "no-store")

    async def _chosen(self, uuids: Sequence[str]) -> AsyncIterator[Sequence[Task]]:
        found = [task for uuid in uuids if (task := self.host.tasks.get(uuid)) is not None]
        for piece in _cut(found):
            yield piece

    async def _matching(self, query: TaskQuery, page: Page) -> AsyncIterator[Sequence[Task]]:
        """Yield a page and those behind it in pieces; a cursor leads on, whatever comes in meanwhile."""
        while True:
            for piece in _cut(page.rows):
                yield piece
            if not page.next:
                return
            page = await self.host.tasks.query(replace(query, after=page.next))

    def _query(self) -> TaskQuery:
        selection = Selection.read(self.params)
        field, descending = split(selection.sort_by)
        size = _SEARCH_PAGE if selection.search else _PAGE
        down = descending if field == "received" else True  # the order that has cursors
        return selection.first.query(sort_by="received", descending=down, limit=size)

    def _csv(self, tasks: Sequence[Task], added: Sequence[TaskColumn], began: bool) -> str:
        clock = Clock(self.host.timezone)
        return "".join(
            _csv_line([*(_field(task, name, clock) for name in COLUMNS), *(_read(task, each, clock) for each in added)])
            for task in tasks
        )

    def _json(self, tasks: Sequence[Task], added: Sequence[TaskColumn], began: bool) -> bytes:
        rows = [
            self.host.json(
                {**task.fields(), "queue": task.queue, **{column.slug: column.read(task) for column in added}}
            )
            for task in tasks
        ]
        return (b",\n" if began else b"\n") + b",\n".join(rows)


def csv_cell(value: Any) -> str:
    """Return a value as the text of a cell that no spreadsheet takes for a formula; numbers are none."""
    words = text(value)
    return f"'{words}" if isinstance(value, str) and words.startswith(_FORMULA) else words


def _field(task: Task, name: str, clock: Clock) -> Any:
    value = getattr(task, name)
    return _moment(value, clock) if name in _TIMES else value


def _read(task: Task, column: TaskColumn, clock: Clock) -> Any:
    value = column.read(task)
    return _moment(value, clock) if column.kind == "time" else value


def _moment(value: Any, clock: Clock) -> Any:
    stamp = clock.stamp(value)
    return stamp.iso if stamp else value


def _csv_line(values: Sequence[Any]) -> str:
    line = io.StringIO()
    csv.writer(line).writerow([csv_cell(value) for value in values])
    return line.getvalue()


def _cut(rows: Sequence[Task]) -> Sequence[Sequence[Task]]:
    return [rows[first : first + _PIECE] for first in range(0, len(rows), _PIECE)]
