"""Which tasks a URL asks for, and the URLs that lead to others."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from flower_dashboard import search_text
from flower_dashboard.params import DEFAULT_LIMIT, DEFAULT_SORT
from flower_dashboard.views.sorting import split
from flower_plugins import Host, TaskQuery

__all__ = ["FILTERS", "Selection"]

FILTERS = ("search", "state", "name", "queue", "worker")

_READ = (*FILTERS, "sort_by", "offset", "limit", "after", "before", "columns")


class Selection(Struct, frozen=True):
    """What the URL asks for; `search` holds no state of its own once `state` is set from it.

    `typed` is the search as it came. With a cursor, `after` or `before`, `offset` is only how many rows were
    passed over to get there.
    """

    search: str = ""
    state: str = ""
    worker: str = ""
    name: str = ""
    queue: str = ""
    sort_by: str = DEFAULT_SORT
    offset: int = 0
    limit: int = DEFAULT_LIMIT
    after: str = ""
    before: str = ""
    columns: str = ""
    typed: str = ""

    @classmethod
    def read(cls, params: Mapping[str, Any]) -> Selection:
        """Return the selection of a request's parameters, of those that its route has."""
        found = cls(**{key: params[key] for key in _READ if key in params})
        found = replace(
            found, offset=max(found.offset, 0), sort_by=found.sort_by or DEFAULT_SORT, typed=found.search.strip()
        )
        if not found.state:
            state, rest = search_text.lift_state(found.search)
            found = replace(found, state=state, search=rest)
        return found

    @property
    def text(self) -> str:
        """The whole query in the words of the search language."""
        return search_text.combine(self.search, state=self.state, worker=self.worker, name=self.name, queue=self.queue)

    @property
    def filters(self) -> dict[str, str]:
        """What narrows the tasks, by the names that the URL has for it."""
        return {name: value for name in FILTERS if (value := getattr(self, name))}

    @property
    def as_typed(self) -> Selection:
        """The same selection with the state back in the search, where it was written."""
        lifted = self.typed != self.search
        return replace(self, search=self.typed, state="") if lifted else self

    @property
    def first(self) -> Selection:
        """The first page of the same tasks."""
        return replace(self, after="", before="", offset=0)

    @property
    def is_first(self) -> bool:
        """Whether nothing is in front of the page that is asked for."""
        return not (self.offset or self.after or self.before)

    def query(self, **changes: Any) -> TaskQuery:
        """Return the query for the tasks in memory, with some of it changed."""
        field, descending = split(self.sort_by)
        cursors = self.after or self.before
        query = TaskQuery(
            state=self.state,
            worker=self.worker,
            name=self.name,
            queue=self.queue,
            search=self.search,
            sort_by=field,
            descending=descending,
            offset=0 if cursors else self.offset,
            limit=self.limit,
            after=self.after,
            before=self.before,
        )
        return replace(query, **changes) if changes else query

    def link(self, host: Host, **changes: Any) -> str:
        """Return the page's URL with some of the selection changed, back at its beginning unless that says where."""
        other = replace(self, **{"offset": 0, "after": "", "before": "", **changes})
        return host.url(
            "/tasks",
            search=other.search or None,
            state=other.state or None,
            worker=other.worker or None,
            name=other.name or None,
            queue=other.queue or None,
            sort_by=None if other.sort_by == DEFAULT_SORT else other.sort_by,
            after=other.after or None,
            before=other.before or None,
            offset=other.offset or None,
            limit=None if other.limit == DEFAULT_LIMIT else other.limit,
            columns=other.columns or None,
        )
