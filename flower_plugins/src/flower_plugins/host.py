"""The host: everything a plugin may ask of the running Flower, and nothing else."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence
from typing import Any, Protocol, TypeVar

from msgspec import Struct, field

from flower_plugins.brokers import QueueStats
from flower_plugins.calls import TaskCall, TaskResult
from flower_plugins.columns import TaskColumn
from flower_plugins.metrics import MetricFamily
from flower_plugins.offers import Broker
from flower_plugins.options import Settings
from flower_plugins.pages import Banner, NavItem
from flower_plugins.panels import DrawnPanel
from flower_plugins.queries import Page, TaskQuery
from flower_plugins.records import Task, Worker
from flower_plugins.rollups import Problem, Rollups
from flower_plugins.routes import Route

__all__ = [
    "Control",
    "Gap",
    "Host",
    "Inspect",
    "PluginReport",
    "QueueReport",
    "Queues",
    "Results",
    "Status",
    "Stream",
    "Tasks",
    "Workers",
]

T = TypeVar("T")


class Tasks(Protocol):
    """The tasks in memory."""

    @property
    def version(self) -> int:
        """Grows with every change; equal versions mean equal contents."""

    def __len__(self) -> int: ...

    def get(self, uuid: str) -> Task | None:
        """Return the task, or None."""

    async def query(self, query: TaskQuery) -> Page:
        """Return a page of tasks. Raise QueryError for a sort field or search text that cannot be read."""

    def prepare_search(self) -> None:
        """Begin to make what searches need, because somebody is about to search. Return at once."""

    def loss(self, task: Task) -> str:
        """Tell whether nobody works on a task any more that has not ended.

        "lost" when its worker is gone, "restarted" when the worker is a new process that does not hold it, else "".
        """

    def names(self) -> Sequence[str]:
        """Return every task name seen since the start, sorted, also of tasks no longer kept."""

    def counts(self, field: str = "state") -> Mapping[str, int]:
        """Return how many kept tasks have each value of `field`: state, name, worker or queue.

        The work grows with the number of different values, not with that of tasks. Raise QueryError for another field.
        """


class Workers(Protocol):
    """The workers in memory."""

    @property
    def version(self) -> int:
        """Grows with every change, heartbeats included."""

    def get(self, hostname: str) -> Worker | None:
        """Return the worker, or None."""

    def all(self, *, purged: bool = False) -> Sequence[Worker]:
        """Return the workers to show, sorted by name; with `purged` also those hidden for being offline too long."""

    def forget(self, hostname: str) -> None:
        """Drop a worker that is offline, with its counts. Raise NotFound, or Forbidden for one that is online."""


class Inspect(Protocol):
    """What workers said of themselves when asked; cached, secrets masked."""

    @property
    def enabled(self) -> bool:
        """False when Flower was told to ask nobody (`inspect`)."""

    def info(self, hostname: str) -> Mapping[str, Any] | None:
        """Return the replies by method (stats, active_queues, registered, conf …) and `timestamp`, or None."""

    def snapshot(self) -> Mapping[str, Mapping[str, Any]]:
        """Return `info` of every worker that has answered."""

    def times(self, hostname: str) -> Mapping[str, float]:
        """Return when the worker last answered, by method, seconds since the epoch: answers may be of different age."""

    async def refresh(self, hostname: str | None = None) -> None:
        """Ask one worker for everything, or all workers for the basics; returns when answered or timed out."""

    async def query_task(self, uuid: str) -> Mapping[str, Mapping[str, Any]]:
        """Return, by worker that holds the task, its `state` there (active, reserved, scheduled) and its `request`.

        Questions of the same second are asked together. Raise Unavailable without a broker.
        """

    async def report(self, hostname: str) -> str:
        """Return what the worker reports of its software and settings, secrets masked.

        Raise like the orders of `Control` that wait for an answer; so does `memsample`.
        """

    async def memsample(self, hostname: str) -> str | None:
        """Return the worker's resident memory in its own words, None when it cannot tell (it needs psutil)."""


class Control(Protocol):
    """Orders to workers and tasks to run.

    Every order raises Forbidden in read-only mode, InvalidParameter for what makes no sense, and
    Unavailable without a broker. Orders that name a worker raise like `check_worker`; those that return
    text wait for the worker's answer and raise Forbidden with its words, or NoReply. Each order leaves
    its trace in the audit record of the request that gives it, or a record of its own.
    """

    def check_worker(self, hostname: str) -> None:
        """Raise NotFound for a worker nobody has heard of, Offline for one that is gone."""

    def check_task(self, name: str, hostname: str | None = None) -> None:
        """Raise NotFound unless the Celery app, or that worker by its own word, has the task."""

    async def send_task(self, call: TaskCall) -> str:
        """Publish a task of any name and return its id."""

    async def apply_task(self, call: TaskCall) -> str:
        """Publish a task of the Celery app, its arguments checked against its signature, and return its id."""

    async def revoke(self, uuids: Sequence[str], *, terminate: bool = False, signal: str = "SIGTERM") -> None:
        """Have workers drop these tasks; with `terminate` also kill the process that runs one."""

    def revoked_at(self, uuid: str) -> float | None:
        """Return when the newest order to drop this task went out from here, in seconds since the epoch, else None.

        A worker tells of it only once it comes to the task, which may be hours later.
        """

    async def revoke_by_stamps(
        self, stamps: Mapping[str, Sequence[str]], *, terminate: bool = False, signal: str = "SIGTERM"
    ) -> None:
        """Have workers drop the tasks that carry one of these values in one of these stamped headers."""

    async def shutdown(self, hostname: str) -> None:
        """Ask a worker to end after its running tasks."""

    async def pool_restart(self, hostname: str) -> str:
        """Restart the pool's processes."""

    async def pool_grow(self, hostname: str, n: int = 1) -> str:
        """Add n processes, 1 to 1000."""

    async def pool_shrink(self, hostname: str, n: int = 1) -> str:
        """Remove n processes, 1 to 1000, never the last one."""

    async def autoscale(self, hostname: str, minimum: int, maximum: int) -> str:
        """Keep the pool between two sizes; the worker must have been started with autoscaling."""

    async def add_consumer(self, hostname: str, queue: str) -> str:
        """Have the worker consume from a queue, which is made when it does not exist."""

    async def cancel_consumer(self, hostname: str, queue: str) -> str:
        """Have the worker no longer consume from a queue."""

    async def time_limit(
        self, hostname: str, task: str, *, soft: float | None = None, hard: float | None = None
    ) -> str:
        """Limit a task's runtime, in seconds; 0 removes a limit, None leaves it, and None for both removes both."""

    async def rate_limit(self, hostname: str, task: str, limit: str) -> str:
        """Limit how often a worker runs a task, such as "10/m"; "0" removes the limit."""


class Results(Protocol):
    """What the result backend knows of tasks. Every method raises Unavailable without one that answers."""

    @property
    def configured(self) -> bool:
        """Tell whether the Celery app has a result backend."""

    async def get(self, uuid: str) -> TaskResult:
        """Return the task's state and, when it is ready, its result."""

    async def wait(self, uuid: str, seconds: float) -> TaskResult:
        """Return the same once the task is ready or the time is over; holds no thread, and may be cancelled."""

    async def abort(self, uuid: str) -> None:
        """Mark a task as aborted, for tasks made to look at that. Raise Forbidden in read-only mode."""


class QueueReport(Struct, frozen=True):
    """Queue statistics with their age in seconds; `error` says why they are stale or missing.

    `supported` is False where nobody knows how to ask this kind of broker.
    """

    queues: Sequence[QueueStats] = ()
    age: float = 0.0
    stale: bool = False
    error: str = ""
    supported: bool = True


class Queues(Protocol):
    """The broker's queues."""

    def names(self) -> Sequence[str]:
        """Return the queues workers consume from, else those the app declares."""

    async def report(self, *, watched: bool = False) -> QueueReport:
        """Return statistics, at most a second old unless marked stale. Never raises for a broker's fault.

        With `watched` also of queues that tasks were sent to lately, while they hold messages, whoever consumes.
        """


class Gap(Struct, frozen=True):
    """A stretch of time whose events were not received; `end` is None while it lasts. Seconds since the epoch."""

    start: float
    end: float | None
    reason: str


class Status(Protocol):
    """How trustworthy the picture is."""

    @property
    def up(self) -> bool:
        """True while the event stream is connected."""

    @property
    def reason(self) -> str:
        """Why it is not, without secrets."""

    @property
    def last_event(self) -> float | None:
        """When the last event was applied, seconds since the epoch."""

    @property
    def events(self) -> int:
        """Events applied since the start."""

    @property
    def dropped(self) -> Mapping[str, int]:
        """Messages dropped by reason."""

    @property
    def rejected(self) -> Mapping[str, int]:
        """Events rejected as malformed, by reason."""

    @property
    def backlog(self) -> int:
        """Bytes received and not yet applied."""

    def gaps(self) -> Sequence[Gap]:
        """Return known gaps, oldest first, bounded in number."""


class Stream(Protocol):
    """Notifications for live pages: topics that changed, at most twice a second each."""

    def subscribe(self, topics: Iterable[str]) -> AsyncIterator[frozenset[str]]:
        """Yield the topics that changed since the last yield; a first yield names all of them."""

    def notify(self, topic: str) -> None:
        """Mark a topic as changed."""


class PluginReport(Struct, frozen=True):
    """One plugin: `state` is "active", "disabled" or "failed", `error` says why it failed."""

    name: str
    dist: str
    version: str
    state: str
    error: str = ""
    hooks: Sequence[str] = field(default=())


class Host(Protocol):
    """The running Flower, as plugins see it. Use it on the event loop only, unless a method says otherwise."""

    @property
    def settings(self) -> Settings: ...
    @property
    def broker(self) -> Broker: ...
    @property
    def tasks(self) -> Tasks: ...
    @property
    def workers(self) -> Workers: ...
    @property
    def inspect(self) -> Inspect: ...
    @property
    def control(self) -> Control: ...
    @property
    def results(self) -> Results: ...
    @property
    def queues(self) -> Queues: ...
    @property
    def status(self) -> Status: ...
    @property
    def stream(self) -> Stream: ...
    @property
    def rollups(self) -> Rollups: ...
    @property
    def version(self) -> str: ...
    @property
    def timezone(self) -> str:
        """Name of the Celery app's time zone, "UTC" by default."""

    @property
    def celery(self) -> Any:
        """The Celery app itself: an escape hatch that carries no promise of stability."""

    def plugins(self) -> Sequence[PluginReport]:
        """Return every plugin found, failed ones included."""

    def nav_items(self) -> Sequence[NavItem]:
        """Return the navigation, in order."""

    def task_columns(self) -> Sequence[TaskColumn]:
        """Return the columns that plugins add to the list of tasks. Their `value` never raises: what fails is None."""

    def task_panels(self, task: Task, **names: Any) -> Sequence[DrawnPanel]:
        """Draw the panels that plugins add to the page of a task, in order; one that fails is left out.

        `names` are given to the panels' templates, `task` aside.
        """

    def banners(self) -> Sequence[Banner]:
        """Return what every page must say now: insecure configuration, gaps, drops."""

    def problems(self) -> Sequence[Problem]:
        """Return what somebody should look at, worst first; facts already at hand, nobody is asked for them."""

    def metrics(self) -> Iterable[MetricFamily]:
        """Collect the families of every metric source."""

    def routes(self) -> Sequence[Route]:
        """Return every route that is served, core's own included; none while plugins are still asked for theirs."""

    def challenges(self) -> Sequence[str]:
        """Return the WWW-Authenticate challenges of the configured logins, which must all be met; none without any."""

    def url(self, path: str, **query: object) -> str:
        """Return `path`, which begins with a slash and is percent-encoded, under the url prefix.

        `query` becomes the query string; None values are left out.
        """

    def asset(self, plugin: str, file: str) -> str:
        """Return the URL of a static file, with its content hash."""

    def json(self, value: Any) -> bytes:
        """Return strict JSON; NaN and infinities become null."""

    def render(self, template: str, context: Mapping[str, Any]) -> str | None:
        """Return a template as HTML, or None when no renderer is installed."""

    async def run_blocking(self, call: Callable[..., T], *args: Any, timeout: float = 5.0) -> T:
        """Run a blocking call on core's executor; raises TimeoutError after `timeout` seconds."""
