"""What to ask of the tasks, and what comes back."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import Struct

from flower_plugins.records import Task

__all__ = ["Page", "TaskQuery"]


class TaskQuery(Struct, frozen=True):
    """Filters are joined by AND; an empty one lets everything pass.

    `state`, `worker`, `name` and `queue` are exact, regardless of case. Times are seconds since the epoch,
    inclusive; tasks without that time do not pass. `search` is the search language of the tasks page.
    `sort_by` is a task field, "" for order of change, newest first. `limit` None means all. `after` is
    `Page.next` of the page before: unlike an offset, it goes on behind that page's last row however many
    tasks have come since. It works for the default order and for `sort_by` "received". `before` is `Page.previous`
    of a page, and leads to the page in front of it, in the order by "received" alone.
    """

    state: str = ""
    worker: str = ""
    name: str = ""
    queue: str = ""
    received_start: float | None = None
    received_end: float | None = None
    started_start: float | None = None
    started_end: float | None = None
    search: str = ""
    sort_by: str = ""
    descending: bool = False
    offset: int = 0
    limit: int | None = 100
    after: str = ""
    before: str = ""


class Page(Struct, frozen=True):
    """The rows asked for, how many match in all, and how many tasks are kept.

    `next` is the cursor for the page behind this one, "" where there is none or the order has no cursors;
    `previous` is the one for the page in front of it.
    """

    rows: Sequence[Task]
    matching: int
    kept: int
    next: str = ""
    previous: str = ""
