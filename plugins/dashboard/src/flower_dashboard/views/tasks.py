"""The tasks page: one query, written as a search text, as chips and facets, and as a table."""

from __future__ import annotations

import re
import shlex
from collections.abc import Sequence

from msgspec import Struct
from msgspec.structs import replace

from flower_dashboard import columns, search_text
from flower_dashboard.formats import count
from flower_dashboard.markup import Html
from flower_dashboard.params import DEFAULT_SORT
from flower_dashboard.views.facets import Chip, Facet, chips, facets, lost_chip
from flower_dashboard.views.paging import SIZES, Pager
from flower_dashboard.views.selection import Selection
from flower_dashboard.views.sorting import Heading, heading, split
from flower_dashboard.views.task_rows import RowWriter
from flower_plugins import Host, Page, QueryError

__all__ = ["Filter", "Mistake", "TasksView", "tasks_view"]

_AT = re.compile(r" at position (\d+)\.$")
_AROUND = 30
_API_SORTS = frozenset(("name", "received", "started", "state"))


class Filter(Struct, frozen=True):
    """A filter in force, and the link that takes it away."""

    field: str
    label: str
    value: str
    href: str


class Mistake(Struct, frozen=True):
    """Where in the search text something is wrong."""

    before: str
    there: str
    after: str


class TasksView(Struct, frozen=True):
    """What the tasks page shows. `live` says that rows may come and go without anybody's click.

    `columns` are all there are, those shown first, each with whether it is. `curl` is the query as a command, ""
    where there is no API to ask.
    """

    headings: Sequence[Heading]
    columns: Sequence[tuple[columns.Column, bool]]
    rows: Html
    pager: Pager
    chips: Sequence[Chip]
    facets: Sequence[Facet]
    filters: Sequence[Filter]
    selection: Selection
    text: str
    kept: int
    error: str
    mistake: Mistake | None
    live: bool
    reset: str
    curl: str
    announcement: str


async def tasks_view(host: Host, selection: Selection, origin: str = "", own: str = "") -> TasksView:
    """Return the page of a selection; a query that cannot be read shows as `error`, with no rows.

    `origin` is scheme and host that the page was asked by, `own` the columns that the browser keeps.
    """
    there = columns.every(host)
    shown = columns.chosen(selection.columns or own or host.settings["tasks_columns"], there)
    page, error, selection = await _ask(host, selection)
    writer = RowWriter(host, shown, natural=bool(host.settings["natural_time"]))
    return TasksView(
        headings=[_heading(host, selection, column) for column in shown],
        columns=[(column, True) for column in shown] + [(other, False) for other in there if other not in shown],
        rows=writer.rows(page.rows),
        pager=_pager(host, selection, page),
        chips=[*chips(host, selection), *await lost_chip(host, selection)],
        facets=facets(host, selection),
        filters=_filters(host, selection),
        selection=selection,
        text=selection.typed if error else selection.text,
        kept=page.kept,
        error=error,
        mistake=_mistake(selection.search, error),
        live=bool(host.settings["auto_refresh"]) and selection.is_first and selection.sort_by == DEFAULT_SORT,
        reset=host.url("/tasks"),
        curl="" if error else _curl(host, selection, origin),
        announcement=error or f"{count(page.matching)} tasks match",
    )


async def _ask(host: Host, selection: Selection) -> tuple[Page, str, Selection]:
    """Return the page, what is wrong with the query, and the selection that they belong to."""
    try:
        page = await host.tasks.query(selection.query())
        if selection.before and not page.previous:
            # Nothing is in front of it any more, and it may be short: the first page is what is meant.
            page = await host.tasks.query(selection.first.query())
            selection = replace(selection, offset=0)
        return page, "", selection
    except QueryError as problem:
        nothing = Page((), 0, len(host.tasks))
        written = selection.as_typed
        if written == selection:
            return nothing, problem.message, selection
        selection = written  # its places are those that the reader sees
        try:
            await host.tasks.query(selection.query(limit=0))
        except QueryError as same:
            problem = same
        return nothing, problem.message, selection


def _pager(host: Host, selection: Selection, page: Page) -> Pager:
    """Lead on by cursors, which neither skip nor repeat tasks while others come in; else by offsets."""
    shown, limit, offset = len(page.rows), selection.limit, selection.offset
    following = previous = ""
    if page.next:
        following = selection.link(host, after=page.next, offset=offset + shown)
    elif not selection.after and offset + shown < page.matching and shown:
        following = selection.link(host, offset=offset + shown)
    if page.previous:
        previous = selection.link(host, before=page.previous, offset=max(offset - limit, 0))
    elif offset and not selection.before:
        previous = selection.link(host, offset=max(offset - limit, 0))
    return Pager(
        first=offset + 1 if shown else 0,
        last=offset + shown,
        total=page.matching,
        newest="" if selection.is_first else selection.link(host),
        previous=previous,
        next=following,
        sizes=[(size, selection.link(host, limit=size), size == limit) for size in sorted({*SIZES, limit})],
    )


def _filters(host: Host, selection: Selection) -> list[Filter]:
    named = (
        ("search", "Text", selection.search),
        ("state", "State", selection.state),
        ("name", "Task", selection.name),
        ("queue", "Queue", selection.queue),
        ("worker", "Worker", selection.worker),
    )
    return [Filter(field, label, value, selection.link(host, **{field: ""})) for field, label, value in named if value]


def _heading(host: Host, selection: Selection, column: columns.Column) -> Heading:
    if not column.sortable:
        return Heading(column.slug, column.title, column.kind)
    return heading(
        column.slug, column.title, column.kind, selection.sort_by, lambda order: selection.link(host, sort_by=order)
    )


def _mistake(search: str, error: str) -> Mistake | None:
    """Return the text around the place that an error names."""
    found = _AT.search(error)
    if found is None or not (place := int(found[1])) < len(search):
        return None
    rest = search[place:]
    there = rest.split(maxsplit=1)[0] if rest.strip() else rest
    start = search[:place]
    return Mistake(
        "…" + start[-_AROUND:] if len(start) > _AROUND else start, there[:_AROUND], rest[len(there) :][:_AROUND]
    )


def _curl(host: Host, selection: Selection, origin: str) -> str:
    """Return a command that asks the API the same, "" without an API."""
    if not any(route.pattern.startswith("/api/tasks") for route in host.routes()):
        return ""
    field, _ = split(selection.sort_by)
    url = host.url(
        "/api/tasks",
        search=search_text.combine(selection.search, queue=selection.queue) or None,
        state=selection.state or None,
        workername=selection.worker or None,
        taskname=selection.name or None,
        sort_by=selection.sort_by if field in _API_SORTS else None,
        limit=selection.limit,
    )
    login = "--user NAME " if any(each.startswith("Basic") for each in host.challenges()) else ""
    return f"curl {login}{shlex.quote(origin + url)}"
