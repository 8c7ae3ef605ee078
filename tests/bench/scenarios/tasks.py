"""Memory per task, and the time of every list and page, as the number of tasks grows."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from urllib.parse import quote

from tests.bench.figures import Figure, Quantity, exponent
from tests.bench.probe import Latency
from tests.bench.publisher import Publisher
from tests.bench.servers import PEER, Server
from tests.bench.traffic import NAMES, WORKERS, marker_uuid, task_uuid
from tests.bench.trial import LAG, TIME, Scale, Scenario, Trial

__all__ = ["TASKS", "endpoints"]

_PER_TASK = Quantity("per task", "bytes")
_GROWTH = Quantity("growth", "exponent")
_EVENTS_PER_TASK = 4.15
_WINDOW = {"ours": 20_000, "peer": 4_000}
_PEER_LIMIT = 100_000
_WHOLE_LIMIT = 100_000
_SLACK = 1.25
_REST = 1.0


def endpoints(size: int, uuid: str) -> dict[str, str]:
    """Return path by group and name of what is asked when `size` tasks are in memory; `uuid` is one of them."""
    api = "/api/tasks?limit=100"
    column = "name uuid state args kwargs result received started runtime worker".split()

    def table(start: int, order: str, direction: str = "desc", search: str = "") -> str:
        number = column.index(order)
        return (
            f"/tasks/datatable?draw=1&start={start}&length=100&order%5B0%5D%5Bcolumn%5D={number}"
            f"&columns%5B{number}%5D%5Bdata%5D={order}&order%5B0%5D%5Bdir%5D={direction}"
            f"&search%5Bvalue%5D={quote(search)}"
        )

    lists = {
        "newest": api,
        "in the middle": f"{api}&offset={size // 2}",
        "by received": f"{api}&sort_by=received",
        "by received, descending": f"{api}&sort_by=-received",
        "by started, descending": f"{api}&sort_by=-started",
        "by name": f"{api}&sort_by=name",
        "by state": f"{api}&sort_by=state",
        "state": f"{api}&state=FAILURE",
        "task name": f"{api}&taskname={NAMES[7]}",
        "worker": f"{api}&workername={quote(WORKERS[3])}",
        "received since": f"{api}&received_start={quote('2020-01-01 00:00')}",
        "table, first page": table(0, "received"),
        "table, page in the middle": table(size // 2, "received"),
        "table, by name": table(0, "name", "asc"),
        "table, by runtime": table(0, "runtime"),
        "table, by worker": table(0, "worker", "asc"),
        "table, one state": table(0, "received", search="state:FAILURE"),
    }
    searches = {
        "common word": f"{api}&search=customer",
        "rare word": f"{api}&search=order-{size // 2}",
        "no match": f"{api}&search=nowhere-to-be-found",
        "id": f"{api}&search={uuid[:23]}",
        "field": f"{api}&search={quote('name:payments.check args:order-1')}",
        "keyword argument": f"{api}&search={quote('kwargs:user=7')}",
        "either": f"{api}&search={quote('(state:FAILURE OR state:RETRY) Timeout')}",
        "table": table(0, "received", search=f"order-{size // 2}"),
    }
    single = {
        "task info": f"/api/task/info/{uuid}",
        "workers JSON": "/workers?json=1",
        "task types": "/api/task/types",
        "API workers": "/api/workers",
        "metrics": "/metrics",
    }
    pages = {
        "workers page": "/",
        "tasks page": "/tasks",
        "task page": f"/task/{uuid}",
        "worker page": f"/worker/{quote(WORKERS[3])}",
    }
    groups = {"list": lists, "search": searches, "single": single, "page": pages}
    if size <= _WHOLE_LIMIT:
        groups["whole"] = {"all tasks": "/api/tasks"}
    return {f"{group}: {name}": path for group, paths in groups.items() for name, path in paths.items()}


def _measure(trial: Trial) -> Iterator[Figure]:
    sizes = [size for size in trial.scale.sizes if trial.side != PEER or size <= _PEER_LIMIT]
    if not sizes:
        return
    medians: dict[str, list[tuple[float, float]]] = {}
    with trial.server(f"--max_tasks={max(sizes)}") as (server, publisher):
        empty, held = server.pss(), 0
        for size in sizes:
            held = server.absorb(publisher, int((size - held) * _EVENTS_PER_TASK), window=_WINDOW[trial.side])
            time.sleep(_REST)
            yield Figure("memory", _PER_TASK, (server.pss() - empty) / _kept(server), part=_part(size))
            for name, path in endpoints(size, task_uuid(held - size // 2)).items():
                for figure in _latency(server, _part(size), name, path, trial.scale.page_seconds):
                    if figure.quantity is TIME:
                        medians.setdefault(name, []).append((size, figure.value))
                    yield figure
            if trial.scale.page_rate and size in (sizes[-1], _PEER_LIMIT):
                yield from _busy(server, publisher, trial.scale, size)
    for name, points in medians.items():
        if len(points) > 1:
            yield Figure(name, _GROWTH, exponent(points), part="growth with the number of tasks")


def _busy(server: Server, publisher: Publisher, scale: Scale, size: int) -> Iterator[Figure]:
    """Ask again while events arrive, and so push the oldest tasks out."""
    rate, seconds = scale.page_rate, scale.page_seconds
    for name in endpoints(size, ""):
        if name.startswith("whole"):
            continue
        # A task that began just now will not be pushed out before it was asked for.
        newest = publisher.prepare(1, heartbeats=False)
        publisher.send()
        server.await_markers(newest.run, newest.markers)
        path = endpoints(size, marker_uuid(newest.run, 0))[name]
        publisher.prepare(int(rate * seconds * _SLACK) + rate)
        publisher.begin(rate)
        yield from _latency(server, f"{_part(size)} at {rate:,} events/s", name, path, seconds)
        publisher.stop()
        publisher.finish()


def _latency(server: Server, part: str, name: str, path: str, seconds: float) -> Iterator[Figure]:
    latency = server.client.latency(path, seconds)
    if isinstance(latency, Latency):
        yield Figure(name, TIME, latency.p50 * 1000, part=part)
        yield Figure(name, LAG, latency.p99 * 1000, part=part)


def _kept(server: Server) -> int:
    """Return how many tasks the server says it holds."""
    table = "/tasks/datatable?draw=1&start=0&length=1&order%5B0%5D%5Bcolumn%5D=0&search%5Bvalue%5D="
    return int(json.loads(server.client.get(table).body)["recordsTotal"])


def _part(size: int) -> str:
    return f"{size:,} tasks"


TASKS = Scenario(
    "tasks",
    "Memory and answers as tasks grow",
    "Memory is what the server grew by since the first events, over the tasks it holds. Answers are taken by one "
    "client on one kept-alive connection; growth is the exponent b of time = a·n^b over the sizes, 0 where the number "
    "of tasks does not matter. Sizes above 100,000 are for ours alone.",
    _measure,
    brokers=("redis",),
    quick=("redis",),
    repeat=1,
)
