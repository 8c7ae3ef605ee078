"""What a worker is doing now, as its events tell, and what it did lately."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from msgspec import Struct

from flower_dashboard.charts import Chart, bars
from flower_dashboard.clocks import skew
from flower_dashboard.events import ENDED, type_look
from flower_dashboard.formats import number, text, visible
from flower_dashboard.params import SPANS
from flower_dashboard.views.spans import telling_span
from flower_dashboard.views.usual import Usual, is_slow, usual
from flower_plugins import Host, Series, Task, TaskQuery, Worker

__all__ = ["History", "Now", "Running", "history", "now_view"]


class Running(Struct, frozen=True):
    """A task that runs: since when and for how many seconds, None where that cannot be known.

    `slow` means that it takes far longer than is `usual` for its name. `known` says whether its page can be shown.
    """

    uuid: str
    name: str
    args: str
    started: float | None
    elapsed: float | None
    usual: Usual | None
    slow: bool
    known: bool


class Now(Struct, frozen=True):
    """The tasks that run, the longest first, and how many there are in all; `slow` counts those of them shown."""

    running: Sequence[Running]
    total: int
    slow: int


class History(Struct, frozen=True):
    """How tasks ended; `words` say in which time: the last …"""

    chart: Chart
    words: str


async def now_view(host: Host, worker: Worker, limit: int) -> Now:
    """Return what runs, `limit` tasks at most: by events, then what only the worker itself told of."""
    if not worker.online:
        return Now([], 0, 0)
    query = TaskQuery(state="STARTED", worker=worker.hostname, sort_by="started", limit=limit)
    page = await host.tasks.query(query)
    kept = [task for task in page.rows if not host.tasks.loss(task)]
    unheard = list(_unheard(host, worker))
    names = {text(task.name) for task in kept} | {_name(request) for request in unheard}
    known = {name: found for name in names if (found := usual(host, name)) is not None}
    now = None if skew(worker) else time.time()  # by another clock than ours, nobody knows for how long
    running = [_of_task(task, known, now) for task in kept]
    running += [_of_request(request, known, now) for request in unheard]
    running.sort(key=lambda each: (-(each.elapsed or 0.0), each.uuid))
    shown = running[:limit]
    lost = len(page.rows) - len(kept)
    return Now(shown, max(page.matching - lost, len(kept)) + len(unheard), sum(each.slow for each in shown))


def history(host: Host, worker: Worker) -> History:
    """Return how the tasks of a worker ended in the last hour, or as long as something is known, as stacked bars."""
    words, span = SPANS[telling_span(host)]
    series = host.rollups.counts(span, worker=worker.hostname, types=ENDED)
    ordered = {kind: series.values[kind] for kind in ENDED if any(series.values.get(kind, ()))}
    chart = bars(Series(series.start, series.step, ordered, series.incomplete), type_look)
    return History(chart, words.removeprefix("1 "))


def _unheard(host: Host, worker: Worker) -> Iterator[Mapping[str, Any]]:
    """Yield the tasks that the worker said it runs and of which no event came, as it told of them."""
    info = host.inspect.info(worker.hostname) or {}
    active = info.get("active")
    for request in active if isinstance(active, (list, tuple)) else ():
        if isinstance(request, Mapping) and request.get("id") and host.tasks.get(text(request["id"])) is None:
            yield request


def _of_task(task: Task, known: Mapping[str, Usual], now: float | None) -> Running:
    started, name = number(task.started), text(task.name)
    return _running(text(task.uuid), name, visible(task.args), started, known.get(name), now, known=True)


def _of_request(request: Mapping[str, Any], known: Mapping[str, Usual], now: float | None) -> Running:
    name, started = _name(request), number(request.get("time_start"))
    return _running(text(request["id"]), name, visible(request.get("args")), started, known.get(name), now, known=False)


def _name(request: Mapping[str, Any]) -> str:
    return text(request.get("name") or request.get("type"))


def _running(
    uuid: str, name: str, args: str, started: float | None, usually: Usual | None, now: float | None, *, known: bool
) -> Running:
    elapsed = None if started is None or now is None else max(now - started, 0.0)
    return Running(uuid, name, args, started, elapsed, usually, is_slow(elapsed, usually), known)
