"""The events of a cluster in which nothing stays: workers, clients, task names and states come once and are gone."""

from __future__ import annotations

import random
import time
from collections import deque
from collections.abc import Iterator
from typing import Any

from tests.bench.traffic import task_uuid

__all__ = ["STAYING", "TASKS_PER_WORKER", "Churn", "churned_worker"]

Event = dict[str, Any]

STAYING = ("db0@churn", "db1@churn")
"""Workers that stay throughout."""
TASKS_PER_WORKER = 33
"""Tasks that begin for each worker that comes."""

_EARLY = 20_000
_LIVE = 40
_PERIOD = 2.0
_REGULAR = tuple(f"shop.{area}.{action}" for area in ("orders", "emails", "stock") for action in ("create", "check"))
_LINE = '  File "shop/step{0}.py", line {1}, in step{0}\n    return following({0}, value={1})\n'


def churned_worker(number: int) -> str:
    """Return the name of the worker that came as this one."""
    return f"pod-{number:06}-{number * 2654435761 % 2**32:08x}@churn"


class Churn:
    """An endless series of events, the same in every run; `tasks` says how many tasks have begun.

    First come so many names that whatever remembers names is full. Then it goes in turns of about a
    hundred events. In each a worker comes and another goes, with a farewell or without; a client
    process sends, a task name and a state of its own appear. Some tasks never end, most are children
    of others, tracebacks have up to 20 KB, and every tenth worker that went comes back later.
    """

    def __init__(self) -> None:
        self.tasks = 0
        self._turn = 0
        self._clock = 0
        self._live: deque[str] = deque()
        self._random = random.Random(49)
        self._events = self._run()

    def __iter__(self) -> Iterator[Event]:
        return self._events

    def heartbeats(self) -> list[Event]:
        """Return one heartbeat of every worker that stays."""
        return [self._heartbeat(worker) for worker in STAYING]

    def marker(self, uuid: str) -> Event:
        """Return the event that a marker consists of."""
        return self._event("task-received", STAYING[0], {"uuid": uuid, **_definition(0, _REGULAR[0], uuid, None)})

    def _run(self) -> Iterator[Event]:
        for number in range(_EARLY):
            uuid, name = task_uuid(-1 - number), f"early.job{number}.run"
            yield self._event(
                "task-received", f"early-{number}@churn", {"uuid": uuid, **_definition(number, name, uuid, None)}
            )
        while True:
            yield from self._workers()
            yield from self._tasks()
            self._turn += 1

    def _workers(self) -> Iterator[Event]:
        turn = self._turn
        self._live.append(churned_worker(turn))
        yield self._heartbeat(self._live[-1], "worker-online")
        if turn % 10 == 9 and turn > 500:
            returned = churned_worker(turn - 500)
            self._live.append(returned)
            yield self._heartbeat(returned, "worker-online")
        while len(self._live) > _LIVE:
            gone = self._live.popleft()
            if turn % 2:
                yield self._heartbeat(gone, "worker-offline")
        for worker in self._random.sample(list(self._live), min(3, len(self._live))):
            yield self._heartbeat(worker)
        if turn % 20 == 0:
            yield from self.heartbeats()

    def _tasks(self) -> Iterator[Event]:
        """Yield the tasks of a turn stage by stage, so that the events of one do not come in a row."""
        first = self.tasks
        self.tasks += TASKS_PER_WORKER
        lives = [list(self._life(number, task_uuid(first))) for number in range(first, self.tasks)]
        for stage in range(max(map(len, lives))):
            for life in lives:
                if stage < len(life):
                    yield self._event(*life[stage])

    def _life(self, number: int, root: str) -> Iterator[tuple[str, str, Event]]:
        """Yield type, sender and fields of a task's events."""
        uuid, kind = task_uuid(number), number % TASKS_PER_WORKER
        name = f"churned.job{self._turn}.run" if kind in (5, 6) else _REGULAR[number % len(_REGULAR)]
        worker = STAYING[number % 2] if kind % 3 == 0 else self._random.choice(self._live)
        # Of two there is a parent that nobody ever hears of.
        parent = None if kind == 0 else f"unheard-{number}" if kind in (20, 21) else task_uuid(number - 1)
        definition = {"uuid": uuid, **_definition(number, name, root, parent)}
        if kind % 4 == 0:
            yield "task-sent", f"gen{10_000 + self._turn}@churn", {**definition, "queue": f"queue{number % 7}"}
        yield "task-received", worker, definition
        if kind == 1:
            yield "task-revoked", worker, {"uuid": uuid, "terminated": False, "signum": None, "expired": False}
            return
        if kind % 2 == 0:
            yield "task-started", worker, {"uuid": uuid}
        if kind == 5:
            yield f"task-phase{self._turn}", worker, {"uuid": uuid, "progress": number}
        if kind in (8, 9, 10):
            yield "task-retried" if kind == 10 else "task-failed", worker, {"uuid": uuid, **_failure(number)}
        elif kind not in (11, 12):
            result = f"{{'order': {number}, 'note': '{'x' * (number % 200)}'}}"
            yield "task-succeeded", worker, {"uuid": uuid, "result": result, "runtime": number % 400 / 100}

    def _heartbeat(self, worker: str, type_: str = "worker-heartbeat") -> Event:
        fields = {"freq": _PERIOD, "active": 1, "processed": self._turn, "loadavg": [0.5, 0.4, 0.3]}
        return self._event(type_, worker, {**fields, "sw_ident": "py-celery", "sw_ver": "5.7.0", "sw_sys": "Linux"})

    def _event(self, type_: str, hostname: str, fields: Event) -> Event:
        self._clock += 1
        head = {"hostname": hostname, "utcoffset": 0.0, "pid": 7, "clock": self._clock}
        return {**head, **fields, "timestamp": time.time(), "type": type_}


def _failure(number: int) -> Event:
    lines = "".join(_LINE.format(line, number) for line in range(number * 7 % 200))
    return {
        "exception": f"Timeout('gateway{number}', 10)",
        "traceback": f"Traceback (most recent call last):\n{lines}shop.gateway.Timeout: gateway{number}\n",
    }


def _definition(number: int, name: str, root: str, parent: str | None) -> Event:
    return {
        "name": name,
        "args": f"('order-{number}', {number % 1000}, 'customer{number}@example.com')",
        "kwargs": f"{{'user': {number}, 'priority': 'normal'}}",
        "root_id": root,
        "parent_id": parent,
        "retries": 0,
        "eta": None,
        "expires": None,
    }
