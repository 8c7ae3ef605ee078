"""One worker's page: what it said of itself when it was last asked, in sections."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from itertools import islice
from typing import Any

from msgspec import Struct

from flower_dashboard.formats import duration, label, moment, number, rough, text, visible, whole
from flower_dashboard.views.worker_row import WorkerRow, worker_row
from flower_plugins import Host, Worker

__all__ = ["Cut", "Fact", "QueueRow", "Request", "TaskLimits", "WorkerView", "worker_view"]

_SHOWN_ELSEWHERE = frozenset(("total", "pool", "broker", "rusage", "autoscaler", "pid", "prefetch_count", "uptime"))
_OLDER_SECONDS = 30.0
_SECONDS = frozenset(("utime", "stime", "uptime"))


class Fact(Struct, frozen=True):
    """A name and a value in words."""

    name: str
    value: str


class Request(Struct, frozen=True):
    """A task as its worker tells of it; `eta` is its text, `due` the same and `started` seconds since the epoch."""

    uuid: str
    name: str
    args: str
    kwargs: str
    acknowledged: str
    pid: str
    started: float | None
    eta: str
    due: float | None


class TaskLimits(Struct, frozen=True):
    """A task that the worker knows, and the rate it keeps to, "" for none."""

    name: str
    rate: str


class QueueRow(Struct, frozen=True):
    """A queue the worker consumes from."""

    name: str
    exchange: str
    routing_key: str
    durable: str
    exclusive: str
    auto_delete: str
    no_ack: str
    alias: str
    arguments: str
    bindings: str


class Cut(Struct, frozen=True):
    """The beginning of a list, and how long it is; None as `shown` means the worker never said."""

    shown: Sequence[Any] | None
    total: int = 0


class WorkerView(Struct, frozen=True):
    """What the page shows. `asked` is when the worker answered last, None if it never did; `asks` is False where
    nobody is asked. `older` holds, by method, when it gave those answers that are noticeably older than its last.
    """

    row: WorkerRow
    system: str
    asked: float | None
    asks: bool
    older: Mapping[str, float]
    uptime: str
    concurrency: str
    pool: Sequence[Fact]
    broker: Sequence[Fact]
    queues: Cut
    processed: Sequence[tuple[str, int]]
    active: Cut
    scheduled: Cut
    reserved: Cut
    revoked: Cut
    limits: Cut
    autoscale: tuple[str, str]
    autoscaler: Sequence[Fact]
    conf: Sequence[Fact]
    rusage: Sequence[Fact]
    other: Sequence[Fact]

    @property
    def name(self) -> str:
        """The worker's name."""
        return self.row.name


def worker_view(host: Host, worker: Worker, limit: int) -> WorkerView:
    """Return the page of a worker; lists are cut to `limit` entries."""
    info = host.inspect.info(worker.hostname) or {}
    stats = _mapping(info.get("stats"))
    pool = _mapping(stats.get("pool"))
    conf = _mapping(info.get("conf"))
    total = _mapping(stats.get("total"))
    autoscaler = _mapping(stats.get("autoscaler"))
    return WorkerView(
        row=worker_row(worker),
        system=" · ".join(
            part for part in (f"{text(worker.sw_ident)} {text(worker.sw_ver)}".strip(), text(worker.sw_sys)) if part
        ),
        asked=number(info.get("timestamp")),
        asks=host.inspect.enabled,
        older=_older(host.inspect.times(worker.hostname), number(info.get("timestamp"))),
        uptime=rough(stats.get("uptime")),
        concurrency=text(pool.get("max-concurrency")),
        pool=[
            *_facts(pool),
            *_facts({key: stats[source] for key, source in _POOL_EXTRAS if source in stats}),
        ],
        broker=_facts(_mapping(stats.get("broker"))),
        queues=_cut(info.get("active_queues"), _queue, limit),
        processed=sorted(((text(name), whole(n)) for name, n in total.items()), key=lambda item: (-item[1], item[0])),
        active=_cut(info.get("active"), _request, limit),
        scheduled=_cut(info.get("scheduled"), _request, limit),
        reserved=_cut(info.get("reserved"), _request, limit),
        revoked=_cut(info.get("revoked"), text, limit),
        limits=_cut(info.get("registered"), _limited, limit),
        autoscale=(text(autoscaler.get("min")), text(autoscaler.get("max"))),
        autoscaler=_facts(autoscaler),
        conf=[Fact(text(key), text(value)) for key, value in sorted(conf.items(), key=_by_name) if value is not None],
        rusage=_facts(_mapping(stats.get("rusage"))),
        other=_facts({key: value for key, value in stats.items() if key not in _SHOWN_ELSEWHERE}),
    )


_POOL_EXTRAS = (("worker_pid", "pid"), ("prefetch_count", "prefetch_count"))


def _older(times: Mapping[str, float], last: float | None) -> dict[str, float]:
    return {method: at for method, at in times.items() if last is not None and last - at > _OLDER_SECONDS}


def _facts(values: Mapping[str, Any]) -> list[Fact]:
    return [
        Fact(label(key), duration(value) if key in _SECONDS and number(value) is not None else text(value))
        for key, value in values.items()
        if value is not None
    ]


def _cut(value: Any, make: Callable[[Any], Any], limit: int) -> Cut:
    if value is None:
        return Cut(None)
    if not isinstance(value, (list, tuple)):
        return Cut([], 0)
    return Cut([made for item in islice(value, limit) if (made := make(item)) is not None], len(value))


def _request(value: Any) -> Request | None:
    outer = _mapping(value)
    inner = _mapping(outer.get("request")) or outer
    if not inner:
        return None
    return Request(
        uuid=text(inner.get("id")),
        name=text(inner.get("name") or inner.get("type")),
        args=visible(inner.get("args")),
        kwargs=visible(inner.get("kwargs")),
        acknowledged=_yes_no(inner.get("acknowledged")),
        pid=text(inner.get("worker_pid")),
        started=number(inner.get("time_start")),
        eta=(eta := text(outer.get("eta") or inner.get("eta"))),
        due=moment(eta),
    )


def _queue(value: Any) -> QueueRow | None:
    queue = _mapping(value)
    if not queue:
        return None
    exchange = queue.get("exchange")
    return QueueRow(
        name=text(queue.get("name")),
        exchange=text(_mapping(exchange).get("name") if isinstance(exchange, Mapping) else exchange),
        routing_key=text(queue.get("routing_key")),
        durable=_yes_no(queue.get("durable")),
        exclusive=_yes_no(queue.get("exclusive")),
        auto_delete=_yes_no(queue.get("auto_delete")),
        no_ack=_yes_no(queue.get("no_ack")),
        alias=text(queue.get("alias")),
        arguments=text(queue.get("queue_arguments")),
        bindings=text(queue.get("binding_arguments")),
    )


def _limited(value: Any) -> TaskLimits | None:
    """Read what `inspect registered` says: `name [rate_limit=10/m]`, or the name alone."""
    name, _, rest = text(value).partition(" [")
    found = re.search(r"(?:^| )rate_limit=(\S+?)(?:\]| |$)", rest)
    return TaskLimits(name, found.group(1) if found else "") if name else None


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _by_name(item: tuple[Any, Any]) -> str:
    return text(item[0])


def _yes_no(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return text(value)
