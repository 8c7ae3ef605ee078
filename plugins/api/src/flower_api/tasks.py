"""Reading tasks."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import tzinfo
from typing import Any

from tornado.iostream import StreamClosedError

from flower_api.params import SORT_FIELDS
from flower_api.times import moment, zone
from flower_plugins import Host, InvalidParameter, NotFound, Page, QueryError, Task, TaskQuery
from flower_plugins.web import Handler

__all__ = ["TaskInfoHandler", "TaskTypesHandler", "TasksHandler"]

_PIECE = 200
_MOST = 2**53  # as good as all, and short of what slices and counters can hold
_MINUTES = "%Y-%m-%d %H:%M"


class TasksHandler(Handler):
    """Lists tasks."""

    async def get(self) -> None:
        """Answer with the tasks that match, keyed by id in the order asked for."""
        query = self._query()
        try:
            page = await self.host.tasks.query(query)
        except QueryError as error:
            self.set_status(400)
            self.send_json({"error": error.message})
            return
        self.set_header("X-Total-Count", str(page.matching))
        following = self._following(query, page)
        if following:
            self.set_header("Link", f'<{following}>; rel="next"')
        await self._send(page.rows)

    def compute_etag(self) -> str | None:
        """Return a tag that changes with any task; ages change without one, so searches for them have none."""
        if "age:" in (self.params["search"] or ""):
            return None
        return f'"{self.route.options["epoch"]}-{self.host.tasks.version}"'

    async def _send(self, tasks: Sequence[Task]) -> None:
        """Send the tasks piece by piece, so that many of them hold up nobody and fill no memory."""
        self.set_header("Content-Type", "application/json; charset=UTF-8")
        if len(tasks) <= _PIECE:
            self.finish(self.host.json(self._listed(tasks)))
            return
        self.set_etag_header()
        if self.check_etag_header():
            self.set_status(304)
            return
        self.write(b"{")
        for first in range(0, len(tasks), _PIECE):
            piece = self.host.json(self._listed(tasks[first : first + _PIECE]))
            self.write((b", " if first else b"") + piece[1:-1])
            try:
                await self.flush()
                await asyncio.sleep(0)  # a socket that takes all at once makes no pause
            except StreamClosedError:  # the reader has seen enough
                return
        self.finish(b"}")

    def _listed(self, tasks: Sequence[Task]) -> dict[str, dict[str, Any]]:
        """Return tasks by id as lists show them: the worker last, and only when it is known."""
        listed, loss = {}, self.host.tasks.loss
        for task in tasks:
            fields = task.fields()
            worker = fields.pop("worker", None)
            if lost := loss(task):
                fields[f"worker_{lost}"] = True
            if worker is not None:
                fields["worker"] = worker
            listed[task.uuid] = fields
        return listed

    def _following(self, query: TaskQuery, page: Page) -> str:
        """Return the URL of the next page, "" where there is none: by cursor, else by offset (RFC 8288)."""
        names = [param.name for param in self.route.params if param.name in self.request.query_arguments]
        asked = {name: self.get_query_argument(name) for name in names}
        if page.next:
            return self.host.url("/api/tasks", **{**asked, "offset": None, "after": page.next})
        behind = query.offset + len(page.rows)
        if query.after or not page.rows or query.limit is None or behind >= page.matching:
            return ""
        return self.host.url("/api/tasks", **{**asked, "offset": behind})

    def _query(self) -> TaskQuery:
        params = self.params
        sort_by, descending = _sort(params["sort_by"])
        home = zone(self.host.timezone)
        received = [_time(params[name], home, "received") for name in ("received_start", "received_end")]
        started = [_time(params[name], home, "started") for name in ("started_start", "started_end")]
        return TaskQuery(
            state=_filter(params["state"]),
            worker=_filter(params["workername"]),
            name=_filter(params["taskname"]),
            received_start=received[0],
            received_end=received[1],
            started_start=started[0],
            started_end=started[1],
            search=params["search"] or "",
            sort_by=sort_by,
            descending=descending,
            offset=_bounded(params["offset"]),
            limit=None if params["limit"] is None else _bounded(params["limit"]),
            after=params["after"] or "",
        )


class TaskInfoHandler(Handler):
    """Shows one task."""

    def get(self) -> None:
        """Answer with every field of the task."""
        uuid = self.path["id"]
        task = self.host.tasks.get(uuid)
        if task is None:
            raise NotFound(f"Unknown task '{uuid}'")
        self.send_json({**task.fields(), "task-id": uuid, **_loss_fields(self.host, task)})


class TaskTypesHandler(Handler):
    """Lists task names."""

    def get(self) -> None:
        """Answer with every name seen, sorted."""
        self.send_json({"task-types": list(self.host.tasks.names())})


def _loss_fields(host: Host, task: Task) -> dict[str, bool]:
    """Return what is said of a task that nobody works on any more: a field, of all others none."""
    loss = host.tasks.loss(task)
    return {f"worker_{loss}": True} if loss else {}


def _bounded(number: int) -> int:
    return min(max(number, 0), _MOST)


def _filter(value: str | None) -> str:
    return "" if value is None or value == "All" else value


def _sort(text: str | None) -> tuple[str, bool]:
    if text is None:
        return "", False
    field = text.lstrip("-")
    if field not in SORT_FIELDS:
        raise InvalidParameter(f"Invalid sort_by {text!r}, expected one of {', '.join(SORT_FIELDS)}")
    return field, text.startswith("-")


def _time(text: str | None, home: tzinfo, field: str) -> float | None:
    """Return seconds since the epoch; a time without a zone is in the app's."""
    if not text:
        return None
    try:
        return moment(text, _MINUTES, home).timestamp()
    except (ValueError, OverflowError):
        expected = "expected format 'YYYY-MM-DD HH:MM' or ISO 8601"
        raise InvalidParameter(f"Invalid {field}_start or {field}_end, {expected}") from None
