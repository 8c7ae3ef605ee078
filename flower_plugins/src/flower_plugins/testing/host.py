"""A host over plain dicts: what a plugin's own tests run against."""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import math
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence
from typing import Any, TypeVar
from urllib.parse import urlencode

from flower_plugins.brokers import QueueStats
from flower_plugins.calls import TaskCall, TaskResult
from flower_plugins.columns import TaskColumn
from flower_plugins.errors import Forbidden, InvalidParameter, NotFound, Offline, QueryError, Unavailable
from flower_plugins.host import Gap, PluginReport, QueueReport
from flower_plugins.metrics import MetricFamily
from flower_plugins.offers import Broker, OfferContext
from flower_plugins.options import Option
from flower_plugins.pages import Banner, NavItem
from flower_plugins.panels import DrawnPanel, TaskPanel
from flower_plugins.queries import Page, TaskQuery
from flower_plugins.records import Task
from flower_plugins.rollups import Problem
from flower_plugins.routes import Route
from flower_plugins.testing.records import TASK_FIELDS, FakeTask, FakeWorker
from flower_plugins.testing.rollups import FakeRollups

__all__ = [
    "FakeControl",
    "FakeHost",
    "FakeInspect",
    "FakeQueues",
    "FakeResults",
    "FakeSettings",
    "FakeStatus",
    "FakeStream",
    "FakeTasks",
    "FakeWorkers",
    "offer_context",
]

T = TypeVar("T")


class FakeSettings:
    """Settings from a dict; options not named have their declared defaults."""

    def __init__(self, options: Iterable[Option] = (), **values: Any) -> None:
        self.values = {option.name: option.default for option in options}
        self.values.update(values)
        self._given = set(values)

    def __getitem__(self, name: str) -> Any:
        return self.values[name]

    def given(self, name: str) -> bool:
        return name in self._given

    def origin(self, name: str) -> str:
        return "test" if name in self._given else "default"


def offer_context(*options: Option, broker_url: str = "memory://", **values: Any) -> OfferContext:
    """Return what an offered class is made with."""
    broker = Broker(broker_url, broker_url.partition("://")[0], broker_url, {})
    return OfferContext(FakeSettings(options, **values), broker, logging.getLogger("flower.test"))


class FakeTasks:
    """Tasks in a dict; filters by state, worker, name, queue and plain substring search.

    The cursors of a page are the ids of its last and first row. `lost` holds the ids of tasks whose worker is
    gone, `restarted` of those whose worker is another process now. `prepared` counts calls of `prepare_search`.
    """

    def __init__(self, tasks: Iterable[FakeTask] = ()) -> None:
        self.lost: set[str] = set()
        self.restarted: set[str] = set()
        self.items = {task.uuid: task for task in tasks}
        self.version = 1
        self.queries: list[TaskQuery] = []
        self.prepared = 0

    def __len__(self) -> int:
        return len(self.items)

    def get(self, uuid: str) -> FakeTask | None:
        return self.items.get(uuid)

    async def query(self, query: TaskQuery) -> Page:
        self.queries.append(query)
        if query.sort_by and query.sort_by not in TASK_FIELDS:
            raise QueryError(f"Invalid sort_by {query.sort_by!r}")
        if query.search.count('"') % 2:
            raise QueryError("Unterminated quoted phrase at position 0.")
        rows = [task for task in reversed(self.items.values()) if self._matches(task, query)]
        if query.sort_by:
            rows.sort(key=lambda t: (str(getattr(t, query.sort_by) or ""), t.uuid), reverse=query.descending)
        matching = len(rows)
        if query.after:
            places = [place for place, task in enumerate(rows) if task.uuid == query.after]
            if not places:
                raise QueryError("The cursor cannot be read: pass `next` of the page before, as it is.")
            rows = rows[places[0] + 1 :]
        if query.before:
            place = next((place for place, task in enumerate(rows) if task.uuid == query.before), 0)
            first = max(0, place - (query.limit or 0))
            shown = rows[first:place]
            return Page(
                shown, matching, len(self.items), shown[-1].uuid if shown else "", shown[0].uuid if first else ""
            )
        end = len(rows) if query.limit is None else query.offset + max(query.limit, 0)
        shown = rows[query.offset : end]
        return Page(
            shown,
            matching,
            len(self.items),
            shown[-1].uuid if shown and end < len(rows) else "",
            shown[0].uuid if shown and (query.after or query.offset) else "",
        )

    def prepare_search(self) -> None:
        self.prepared += 1

    def loss(self, task: Task) -> str:
        return "lost" if task.uuid in self.lost else "restarted" if task.uuid in self.restarted else ""

    def names(self) -> Sequence[str]:
        return sorted({task.name for task in self.items.values() if task.name})

    def counts(self, field: str = "state") -> Mapping[str, int]:
        if field not in ("state", "name", "worker", "queue"):
            raise QueryError(f"Invalid field {field!r}")
        values = (getattr(task, field) for task in self.items.values())
        return Counter(value for value in values if isinstance(value, str))

    def _matches(self, task: FakeTask, query: TaskQuery) -> bool:
        text = " ".join(str(value) for value in task.fields().values()).lower()
        if query.search == "is:lost":
            return self.loss(task) != ""
        return (
            (not query.state or task.state.lower() == query.state.lower())
            and (not query.worker or (task.worker or "").lower() == query.worker.lower())
            and (not query.name or (task.name or "").lower() == query.name.lower())
            and (not query.queue or (task.queue or "").lower() == query.queue.lower())
            and query.search.lower() in text
        )


class FakeWorkers:
    """Workers in a dict; `hidden` names those that are purged."""

    def __init__(self, workers: Iterable[FakeWorker] = ()) -> None:
        self.items = {worker.hostname: worker for worker in workers}
        self.hidden: set[str] = set()
        self.version = 1

    def get(self, hostname: str) -> FakeWorker | None:
        return self.items.get(hostname)

    def all(self, *, purged: bool = False) -> Sequence[FakeWorker]:
        return [self.items[name] for name in sorted(self.items) if purged or name not in self.hidden]

    def forget(self, hostname: str) -> None:
        worker = self.items.get(hostname)
        if worker is None:
            raise NotFound(f"Unknown worker {hostname!r}")
        if worker.online:
            raise Forbidden(f"{hostname!r} is online")
        del self.items[hostname]


class FakeInspect:
    """Inspect replies in a dict; counts the refreshes asked for.

    `held` is what `query_task` returns, by task id; `reports` and `memory` are by worker.
    """

    def __init__(self, replies: Mapping[str, Mapping[str, Any]] | None = None) -> None:
        self.replies = dict(replies or {})
        self.enabled = True
        self.older: dict[str, dict[str, float]] = {}
        """Times by host name and method, where they are not the reply's own."""
        self.refreshed: list[str | None] = []
        self.held: dict[str, dict[str, dict[str, Any]]] = {}
        self.reports: dict[str, str] = {}
        self.memory: dict[str, str | None] = {}

    def info(self, hostname: str) -> Mapping[str, Any] | None:
        return self.replies.get(hostname)

    def snapshot(self) -> Mapping[str, Mapping[str, Any]]:
        return self.replies

    def times(self, hostname: str) -> Mapping[str, float]:
        reply = self.replies.get(hostname, {})
        times = {method: reply["timestamp"] for method in reply if method != "timestamp" and "timestamp" in reply}
        return {**times, **self.older.get(hostname, {})}

    async def refresh(self, hostname: str | None = None) -> None:
        self.refreshed.append(hostname)

    async def query_task(self, uuid: str) -> Mapping[str, Mapping[str, Any]]:
        return self.held.get(uuid, {})

    async def report(self, hostname: str) -> str:
        if hostname not in self.reports:
            raise NotFound(f"Unknown worker '{hostname}'")
        return self.reports[hostname]

    async def memsample(self, hostname: str) -> str | None:
        if hostname not in self.memory:
            raise NotFound(f"Unknown worker '{hostname}'")
        return self.memory[hostname]


class FakeControl:
    """Records orders; knows the workers of the host, and which are online.

    `task_names` are the tasks of the app. `refusals` maps the name of an order, or (name, worker), to the
    error it ends with. `calls` are the tasks that were sent.
    """

    def __init__(self, workers: FakeWorkers) -> None:
        self.workers = workers
        self.orders: list[tuple[Any, ...]] = []
        self.calls: list[TaskCall] = []
        self.task_names: set[str] = set()
        self.refusals: dict[Any, Exception] = {}
        self.revoked: dict[str, float] = {}

    def check_worker(self, hostname: str) -> None:
        worker = self.workers.get(hostname)
        if worker is None:
            raise NotFound(f"Unknown worker '{hostname}'")
        if not worker.online:
            raise Offline(f"Worker '{hostname}' is offline")

    def check_task(self, name: str, hostname: str | None = None) -> None:
        if name not in self.task_names:
            raise NotFound(f"Unknown task '{name}'")

    async def send_task(self, call: TaskCall) -> str:
        return self._send("send_task", call)

    async def apply_task(self, call: TaskCall) -> str:
        self.check_task(call.name)
        return self._send("apply_task", call)

    async def revoke(self, uuids: Sequence[str], *, terminate: bool = False, signal: str = "SIGTERM") -> None:
        self._record("revoke", tuple(uuids), terminate, signal)
        self.revoked.update(dict.fromkeys(uuids, time.time()))

    def revoked_at(self, uuid: str) -> float | None:
        return self.revoked.get(uuid)

    async def revoke_by_stamps(
        self, stamps: Mapping[str, Sequence[str]], *, terminate: bool = False, signal: str = "SIGTERM"
    ) -> None:
        self._record("revoke_by_stamps", {name: tuple(values) for name, values in stamps.items()}, terminate, signal)

    async def shutdown(self, hostname: str) -> None:
        self._order("shutdown", hostname)

    async def pool_restart(self, hostname: str) -> str:
        self._order("pool_restart", hostname)
        return f"Restarting '{hostname}' worker's pool"

    async def pool_grow(self, hostname: str, n: int = 1) -> str:
        self._order("pool_grow", hostname, n)
        return f"Growing '{hostname}' worker's pool by {n}"

    async def pool_shrink(self, hostname: str, n: int = 1) -> str:
        self._order("pool_shrink", hostname, n)
        return f"Shrinking '{hostname}' worker's pool by {n}"

    async def autoscale(self, hostname: str, minimum: int, maximum: int) -> str:
        self._order("autoscale", hostname, minimum, maximum)
        return f"Autoscaling '{hostname}' worker (min={minimum}, max={maximum})"

    async def add_consumer(self, hostname: str, queue: str) -> str:
        self._order("add_consumer", hostname, queue)
        return f"add consumer {queue}"

    async def cancel_consumer(self, hostname: str, queue: str) -> str:
        self._order("cancel_consumer", hostname, queue)
        return f"no longer consuming from {queue}"

    async def time_limit(
        self, hostname: str, task: str, *, soft: float | None = None, hard: float | None = None
    ) -> str:
        self._order("time_limit", hostname, task, soft, hard)
        return "time limits set successfully"

    async def rate_limit(self, hostname: str, task: str, limit: str) -> str:
        self._order("rate_limit", hostname, task, limit)
        return "new rate limit set successfully"

    def _order(self, name: str, hostname: str, *args: Any) -> None:
        self.check_worker(hostname)
        self._record(name, hostname, *args)

    def _record(self, name: str, target: Any, *args: Any) -> None:
        for key in (name, (name, str(target))):
            if key in self.refusals:
                raise self.refusals[key]
        self.orders.append((name, target, *args))

    def _send(self, name: str, call: TaskCall) -> str:
        self._record(name, call.name)
        self.calls.append(call)
        return call.task_id or f"task-{len(self.calls)}"


class FakeResults:
    """Results in a dict; whoever waits for one that is not ready does so until `put` or the time is over."""

    def __init__(self, results: Iterable[TaskResult] = (), *, configured: bool = True) -> None:
        self.items = {result.uuid: result for result in results}
        self.configured = configured
        self.aborted: list[str] = []
        self.waiting = 0
        self._news = asyncio.Event()

    def put(self, result: TaskResult) -> None:
        """Store a result."""
        self.items[result.uuid] = result
        self._news.set()

    async def get(self, uuid: str) -> TaskResult:
        return await self.wait(uuid, 0)

    async def wait(self, uuid: str, seconds: float) -> TaskResult:
        if not self.configured:
            raise Unavailable("No result backend is configured")
        if not 0 <= seconds < 1e6:
            raise InvalidParameter(f"Invalid timeout '{seconds}'")
        loop = asyncio.get_running_loop()
        deadline = loop.time() + seconds
        self.waiting += 1
        try:
            while not (found := self.items.get(uuid, TaskResult(uuid, "PENDING"))).ready and loop.time() < deadline:
                self._news.clear()
                with contextlib.suppress(asyncio.TimeoutError):
                    await asyncio.wait_for(self._news.wait(), deadline - loop.time())
            return found
        finally:
            self.waiting -= 1

    async def abort(self, uuid: str) -> None:
        if not self.configured:
            raise Unavailable("No result backend is configured")
        self.aborted.append(uuid)


class FakeQueues:
    """A fixed report; with an error it is a stale one."""

    def __init__(
        self, queues: Sequence[QueueStats] = (), error: str = "", *, age: float = 0.0, supported: bool = True
    ) -> None:
        self.queues, self.error, self.age, self.supported = queues, error, age, supported

    def names(self) -> Sequence[str]:
        return [queue.name for queue in self.queues]

    async def report(self, *, watched: bool = False) -> QueueReport:
        return QueueReport(self.queues, self.age, bool(self.error), self.error, self.supported)


class FakeStatus:
    """A stream that is up, unless told otherwise."""

    def __init__(self) -> None:
        self.up, self.reason = True, ""
        self.last_event: float | None = None
        self.events = self.backlog = 0
        self.dropped: dict[str, int] = {}
        self.rejected: dict[str, int] = {}
        self.gap_list: list[Gap] = []

    def gaps(self) -> Sequence[Gap]:
        return self.gap_list


class FakeStream:
    """Delivers what `notify` is given to every subscriber at once."""

    def __init__(self) -> None:
        self._queues: list[tuple[frozenset[str], asyncio.Queue[str]]] = []

    async def subscribe(self, topics: Iterable[str]) -> AsyncIterator[frozenset[str]]:
        wanted = frozenset(topics)
        entry = (wanted, asyncio.Queue[str]())
        self._queues.append(entry)
        try:
            yield wanted
            while True:
                yield frozenset((await entry[1].get(),))
        finally:
            self._queues.remove(entry)

    def notify(self, topic: str) -> None:
        for wanted, queue in self._queues:
            if topic in wanted:
                queue.put_nowait(topic)


class FakeHost:
    """Satisfies `flower_plugins.Host`; every part can be replaced by assignment."""

    version = "3.0.0"
    timezone = "UTC"
    celery: Any = None

    def __init__(
        self,
        *,
        tasks: Iterable[FakeTask] = (),
        workers: Iterable[FakeWorker] = (),
        options: Iterable[Option] = (),
        url_prefix: str = "",
        **settings: Any,
    ) -> None:
        self.settings = FakeSettings(options, **settings)
        self.broker = Broker("memory://", "memory", "memory://", {})
        self.tasks = FakeTasks(tasks)
        self.workers = FakeWorkers(workers)
        self.inspect = FakeInspect()
        self.control = FakeControl(self.workers)
        self.results = FakeResults()
        self.queues = FakeQueues()
        self.status = FakeStatus()
        self.stream = FakeStream()
        self.rollups = FakeRollups()
        self.url_prefix = url_prefix
        self.plugin_reports: list[PluginReport] = []
        self.navigation: list[NavItem] = []
        self.columns: list[TaskColumn] = []
        self.panels: list[TaskPanel] = []
        self.banner_list: list[Banner] = []
        self.problem_list: list[Problem] = []
        self.families: list[MetricFamily] = []
        self.route_list: list[Route] = []
        self.challenge_list: list[str] = []
        self.renderer: Callable[[str, Mapping[str, Any]], str] | None = None

    def plugins(self) -> Sequence[PluginReport]:
        return self.plugin_reports

    def nav_items(self) -> Sequence[NavItem]:
        return self.navigation

    def task_columns(self) -> Sequence[TaskColumn]:
        return self.columns

    def task_panels(self, task: Task, **names: Any) -> Sequence[DrawnPanel]:
        drawn = (panel.draw(task, self.render, names) for panel in sorted(self.panels, key=lambda each: each.order))
        return [panel for panel in drawn if panel is not None]

    def banners(self) -> Sequence[Banner]:
        return self.banner_list

    def problems(self) -> Sequence[Problem]:
        return self.problem_list

    def metrics(self) -> Iterable[MetricFamily]:
        return self.families

    def routes(self) -> Sequence[Route]:
        return self.route_list

    def challenges(self) -> Sequence[str]:
        return self.challenge_list

    def url(self, path: str, **query: object) -> str:
        text = urlencode({key: value for key, value in query.items() if value is not None})
        return self.url_prefix + path + (f"?{text}" if text else "")

    def asset(self, plugin: str, file: str) -> str:
        return self.url(f"/static/{plugin}/{file}")

    def json(self, value: Any) -> bytes:
        return json.dumps(_finite(value), allow_nan=False, default=str).encode()

    def render(self, template: str, context: Mapping[str, Any]) -> str | None:
        return None if self.renderer is None else self.renderer(template, context)

    async def run_blocking(self, call: Callable[..., T], *args: Any, timeout: float = 5.0) -> T:
        return await asyncio.wait_for(asyncio.to_thread(call, *args), timeout)


def _finite(value: Any) -> Any:
    """Return a copy in which NaN and infinities are None."""
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, Mapping):
        return {key: _finite(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_finite(item) for item in value]
    return value
