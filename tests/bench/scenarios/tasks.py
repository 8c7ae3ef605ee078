"""Memory per task, and the time of every list and page, as the number of tasks grows."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from statistics import median
from urllib.parse import quote

from tests.bench.figures import Figure, Quantity, exponent
from tests.bench.probe import Latency
from tests.bench.publisher import Publisher
from tests.bench.servers import BOTH, OURS, PEER, Server
from tests.bench.traffic import EVENTS_PER_TASK, NAMES, WORKERS, marker_uuid, task_uuid
from tests.bench.trial import LAG, TIME, Scale, Scenario, Trial

__all__ = ["BESIDE", "TASKS", "endpoints"]

BESIDE = "100,000 tasks, by turns with 1,000,000"
"""The part of what a small server of ours answers beside a large one."""

_PER_TASK = Quantity("per task", "bytes")
_GROWTH = Quantity("growth", "exponent")
_WINDOW = {"ours": 20_000, "peer": 4_000}
_PEER_LIMIT = 100_000
_WHOLE_LIMIT = 100_000
_SLACK = 1.25
_REST = 1.0
_ROUNDS = 8
_CLOSE_ROUNDS = 24
"""Where both take about the same, noise decides between them unless there are many."""


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


@dataclass
class _Subject:
    """One of the servers that are asked by turns; `held` counts the tasks that it has seen."""

    side: str
    server: Server
    publisher: Publisher
    empty: int
    held: int = 0

    def grow(self, size: int) -> None:
        """Feed tasks until there are so many."""
        events = int((size - self.held) * EVENTS_PER_TASK)
        self.held = self.server.absorb(self.publisher, events, window=_WINDOW[self.side])

    def path(self, name: str, size: int) -> str:
        """Return what to ask for, of a server that holds `size` tasks."""
        return endpoints(size, task_uuid(self.held - size // 2))[name]


def _measure(trial: Trial) -> Iterator[Figure]:
    sizes = trial.scale.sizes
    medians: dict[tuple[str, str], dict[int, list[float]]] = {}
    with ExitStack() as stack:
        ours = _serve(stack, trial.of(OURS, 0), max(sizes))
        peer = _serve(stack, trial.of(PEER, 1), min(max(sizes), _PEER_LIMIT))
        for size in sizes:
            compared = [ours, peer] if size <= _PEER_LIMIT else [ours]
            for subject in compared:
                subject.grow(size)
            time.sleep(_REST)
            for subject in compared:
                taken = (subject.server.pss() - subject.empty) / _kept(subject.server)
                yield Figure("memory", _PER_TASK, taken, part=_part(size), side=subject.side)
            if size > _PEER_LIMIT:
                # A server that stayed small, to be asked by turns: the machine is not equally fast at all times.
                small = _serve(stack, trial.of(OURS, 2), _PEER_LIMIT)
                small.grow(_PEER_LIMIT)
                time.sleep(_REST)
                turns = [(ours, size, _part(size)), (small, _PEER_LIMIT, BESIDE)]
            else:
                turns = [(subject, size, _part(size)) for subject in compared]
            for figure in _by_turns(turns, trial.scale):
                if figure.quantity is TIME and figure.part != BESIDE:
                    medians.setdefault((figure.subject, figure.side), {}).setdefault(size, []).append(figure.value)
                yield figure
            if trial.scale.page_rate and size in (sizes[-1], _PEER_LIMIT):
                yield from _busy(compared, trial.scale, size)
    for (name, side), points in medians.items():
        if len(points) > 1:
            growth = exponent((size, median(values)) for size, values in points.items())
            yield Figure(name, _GROWTH, growth, part="growth with the number of tasks", side=side)


def _serve(stack: ExitStack, trial: Trial, most: int) -> _Subject:
    server, publisher = stack.enter_context(trial.server(f"--max_tasks={most}"))
    return _Subject(trial.side, server, publisher, server.pss())


def _by_turns(turns: Sequence[tuple[_Subject, int, str]], scale: Scale) -> Iterator[Figure]:
    """Ask each for the same again and again, so that what else the machine does meets all alike."""
    for name in endpoints(turns[0][1], ""):
        rounds = {"whole": 1, "single": _CLOSE_ROUNDS}.get(name.partition(":")[0], _ROUNDS)
        for number in range(rounds):
            for subject, size, part in turns if number % 2 else reversed(turns):
                seconds = scale.page_seconds / _ROUNDS
                yield from _latency(subject, part, name, subject.path(name, size), seconds, number)


def _busy(subjects: Sequence[_Subject], scale: Scale, size: int) -> Iterator[Figure]:
    """Ask again while events arrive, and so push the oldest tasks out."""
    rate, seconds = scale.page_rate, scale.page_seconds
    part = f"{_part(size)} at {rate:,} events/s"
    for name in endpoints(size, ""):
        if name.startswith("whole"):
            continue
        for subject in subjects:
            server, publisher = subject.server, subject.publisher
            # A task that began just now will not be pushed out before it was asked for.
            newest = publisher.prepare(1, heartbeats=False)
            publisher.send()
            server.await_markers(newest.run, newest.markers)
            path = endpoints(size, marker_uuid(newest.run, 0))[name]
            publisher.prepare(int(rate * seconds * _SLACK) + rate)
            publisher.begin(rate)
            yield from _latency(subject, part, name, path, seconds)
            publisher.stop()
            publisher.finish()


def _latency(subject: _Subject, part: str, name: str, path: str, seconds: float, number: int = 0) -> Iterator[Figure]:
    latency = subject.server.client.latency(path, seconds, at_least=1)
    if isinstance(latency, Latency):
        yield Figure(name, TIME, latency.p50 * 1000, part=part, side=subject.side, round=number)
        yield Figure(name, LAG, latency.p99 * 1000, part=part, side=subject.side, round=number)


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
    "client on one kept-alive connection to each server, which all run at the same time and are asked by turns, in "
    f"{_ROUNDS} rounds, and in {_CLOSE_ROUNDS} what is called single; growth is the exponent b of time = a·n^b over "
    "the sizes, 0 where the number of tasks does not matter. Sizes above 100,000 are for ours alone.",
    _measure,
    brokers=("redis",),
    sides=(BOTH,),
    quick=("redis",),
    repeat=1,
)
