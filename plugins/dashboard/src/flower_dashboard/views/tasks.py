"""The tasks page: one query, written as a search text, as chips and as a table."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from flower_dashboard import columns, search_text
from flower_dashboard.formats import count, text, whole
from flower_dashboard.params import DEFAULT_LIMIT, DEFAULT_SORT
from flower_dashboard.states import CHIPS, Look, look
from flower_dashboard.views.paging import Pager, pager
from flower_dashboard.views.sorting import Heading, heading, split
from flower_plugins import Host, Page, QueryError, Task, TaskQuery

__all__ = ["Chip", "Filter", "Selection", "TaskRow", "TasksView", "tasks_view"]

_LOST = "is:lost"
_CELL = 160
_OTHER_STATES = 5


@dataclass(frozen=True, slots=True)
class Selection:
    """What the URL asks for; `search` holds no state of its own once `state` is set from it."""

    search: str = ""
    state: str = ""
    worker: str = ""
    name: str = ""
    sort_by: str = DEFAULT_SORT
    offset: int = 0
    limit: int = DEFAULT_LIMIT

    @classmethod
    def read(cls, params: Mapping[str, Any]) -> Selection:
        """Return the selection of a request's parameters."""
        found = cls(**{key: params[key] for key in ("search", "state", "worker", "name", "sort_by", "offset", "limit")})
        found = replace(found, offset=max(found.offset, 0), sort_by=found.sort_by or DEFAULT_SORT)
        if not found.state:
            state, rest = search_text.lift_state(found.search)
            found = replace(found, state=state, search=rest)
        return found

    @property
    def text(self) -> str:
        """The whole query in the words of the search language."""
        return search_text.combine(self.search, state=self.state, worker=self.worker, name=self.name)

    def query(self) -> TaskQuery:
        """Return the query for the tasks in memory."""
        field, descending = split(self.sort_by)
        return TaskQuery(
            state=self.state,
            worker=self.worker,
            name=self.name,
            search=self.search,
            sort_by=field,
            descending=descending,
            offset=self.offset,
            limit=self.limit,
        )

    def link(self, host: Host, **changes: Any) -> str:
        """Return the page's URL with some of the selection changed, back at its beginning unless `offset` is given."""
        other = replace(self, **{"offset": 0, **changes})
        return host.url(
            "/tasks",
            search=other.search or None,
            state=other.state or None,
            worker=other.worker or None,
            name=other.name or None,
            sort_by=None if other.sort_by == DEFAULT_SORT else other.sort_by,
            offset=other.offset or None,
            limit=None if other.limit == DEFAULT_LIMIT else other.limit,
        )


@dataclass(frozen=True, slots=True)
class Chip:
    """A state to filter by; `total` is how many kept tasks are in it."""

    label: str
    look: Look | None
    total: int
    href: str
    chosen: bool


@dataclass(frozen=True, slots=True)
class Filter:
    """A filter in force that is no chip, and the link that takes it away."""

    name: str
    value: str
    href: str


@dataclass(frozen=True, slots=True)
class TaskRow:
    """One task; `cells` go with the page's headings, long values are cut. `loss` says why nobody works on it."""

    uuid: str
    name: str
    state: Look
    cells: Sequence[Any]
    loss: str = ""


@dataclass(frozen=True, slots=True)
class TasksView:
    """What the tasks page shows. `live` says that rows may come and go without anybody's click."""

    headings: Sequence[Heading]
    rows: Sequence[TaskRow]
    pager: Pager
    chips: Sequence[Chip]
    filters: Sequence[Filter]
    selection: Selection
    kept: int
    error: str
    live: bool
    reset: str
    announcement: str


async def tasks_view(host: Host, selection: Selection) -> TasksView:
    """Return the page of a selection; a query that cannot be read shows as `error`, with no rows."""
    shown = columns.chosen(host.settings["tasks_columns"])
    error = ""
    try:
        page = await host.tasks.query(selection.query())
    except QueryError as problem:
        page, error = Page((), 0, len(host.tasks)), problem.message
    rows = [_row(task, shown, host.tasks.loss(task)) for task in page.rows]
    return TasksView(
        headings=[_heading(host, selection, column) for column in shown],
        rows=rows,
        pager=pager(
            lambda at, size: selection.link(host, offset=at, limit=size),
            offset=selection.offset,
            limit=selection.limit,
            shown=len(rows),
            total=page.matching,
        ),
        chips=[*_chips(host, selection), *await _lost_chip(host, selection)],
        filters=[
            Filter(label, value, selection.link(host, **{field: ""}))
            for field, label, value in (("worker", "Worker", selection.worker), ("name", "Name", selection.name))
            if value
        ],
        selection=selection,
        kept=page.kept,
        error=error,
        live=bool(host.settings["auto_refresh"]) and selection.offset == 0 and selection.sort_by == DEFAULT_SORT,
        reset=host.url("/tasks"),
        announcement=error or f"{count(page.matching)} tasks match",
    )


def _row(task: Task, shown: Sequence[columns.Column], loss: str) -> TaskRow:
    return TaskRow(
        uuid=text(task.uuid),
        name=text(task.name),
        state=look(task.state),
        cells=[_cell(getattr(task, column.slug), column) for column in shown],
        loss=loss,
    )


def _cell(value: Any, column: columns.Column) -> Any:
    if column.kind in ("time", "duration"):
        return value
    words = text(value)
    return words if len(words) <= _CELL else words[: _CELL - 1] + "…"


def _heading(host: Host, selection: Selection, column: columns.Column) -> Heading:
    if not column.sortable:
        return Heading(column.slug, column.title, column.kind)
    return heading(
        column.slug, column.title, column.kind, selection.sort_by, lambda order: selection.link(host, sort_by=order)
    )


def _chips(host: Host, selection: Selection) -> list[Chip]:
    counts = {text(state): whole(total) for state, total in host.tasks.counts().items()}
    usual = dict(CHIPS)
    others = sorted((state for state in counts if state not in usual), key=lambda state: (-counts[state], state))
    chosen = selection.state.upper()
    wanted = [*usual, *others[:_OTHER_STATES]]
    if chosen and chosen not in wanted:
        wanted.append(selection.state)
    chips = [Chip("All", None, sum(counts.values()), selection.link(host, state=""), not chosen)]
    chips += [
        Chip(
            usual.get(state, state[:40]),
            look(state),
            counts.get(state, 0),
            selection.link(host, state=state),
            state.upper() == chosen,
        )
        for state in wanted
    ]
    return chips


async def _lost_chip(host: Host, selection: Selection) -> list[Chip]:
    """Return the filter for tasks whose worker is gone, where there are any."""
    chosen = _LOST in selection.search.split()
    total = (await host.tasks.query(TaskQuery(search=_LOST, limit=0))).matching
    if not chosen and not total:
        return []
    look_of_lost = Look("Worker lost", "warn", "alert")
    other = " ".join(word for word in selection.search.split() if word != _LOST) if chosen else _LOST
    return [Chip("Worker lost", look_of_lost, total, selection.link(host, search=other), chosen)]
