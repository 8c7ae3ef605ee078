"""The events of a busy cluster, the same in every run: 50 task names, 20 workers, four to seven events a task."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Iterator
from typing import Any

__all__ = [
    "CLIENT",
    "EVENTS_PER_TASK",
    "NAMES",
    "WORKERS",
    "Traffic",
    "marker_uuid",
    "task_name",
    "task_uuid",
    "task_worker",
]

Event = dict[str, Any]

NAMES = tuple(
    f"shop.{area}.{action}"
    for area in ("orders", "payments", "emails", "images", "reports", "stock", "search", "users", "exports", "audit")
    for action in ("create", "refresh", "deliver", "check", "archive")
)
WORKERS = tuple(f"worker{number:02}@bench" for number in range(20))
CLIENT = "gen4242@bench"
EVENTS_PER_TASK = 4.15
"""On average, retries and failures included."""

_LIFE = ("sent", "received", "started")
_BLOCK = 64
_NOTE = "to be handled with care and delivered by tomorrow, as the customer asked for twice already"
_TRACEBACK = (
    "Traceback (most recent call last):\n"
    '  File "celery/app/trace.py", line 453, in trace_task\n    R = retval = fun(*args, **kwargs)\n'
    '  File "shop/gateway.py", line 87, in call\n    raise Timeout(host, seconds)\n'
    "shop.gateway.Timeout: no answer from gateway within 10 s\n"
)


def task_uuid(number: int) -> str:
    """Return the id of the task with this number."""
    return _uuid(b"task", number)


def marker_uuid(run: int, number: int) -> str:
    """Return the id of a marker: a task of one event, sent to see when it becomes visible."""
    return _uuid(b"marker%d" % run, number)


def task_name(number: int) -> str:
    """Return the name of the task with this number."""
    return NAMES[number * 7 % len(NAMES)]


def task_worker(number: int) -> str:
    """Return the worker of the task with this number."""
    return WORKERS[number * 3 % len(WORKERS)]


class Traffic:
    """An endless series of events; `tasks` says how many tasks have begun."""

    def __init__(self) -> None:
        self.tasks = 0
        self._clock = 0
        self._events = self._run()

    def __iter__(self) -> Iterator[Event]:
        return self._events

    def heartbeats(self) -> list[Event]:
        """Return one heartbeat of every worker."""
        return [
            self._event(
                "worker-heartbeat",
                worker,
                {
                    "freq": 60.0,
                    "active": 4,
                    "processed": self.tasks,
                    "loadavg": [0.5, 0.4, 0.3],
                    "sw_ident": "py-celery",
                    "sw_ver": "5.7.0",
                    "sw_sys": "Linux",
                },
            )
            for worker in WORKERS
        ]

    def marker(self, uuid: str) -> Event:
        """Return the event that a marker consists of."""
        return self._event("task-received", WORKERS[0], {"uuid": uuid, **_definition(0, uuid)})

    def _run(self) -> Iterator[Event]:
        """Yield tasks in blocks, stage by stage, so that the events of one task do not come in a row."""
        while True:
            block = range(self.tasks, self.tasks + _BLOCK)
            self.tasks += _BLOCK
            lives = [(number, _stages(number)) for number in block]
            for stage in range(max(len(stages) for _, stages in lives)):
                for number, stages in lives:
                    if stage < len(stages):
                        yield self._stage(number, stages[stage])

    def _stage(self, number: int, stage: str) -> Event:
        uuid = task_uuid(number)
        hostname = CLIENT if stage == "sent" else task_worker(number)
        return self._event(f"task-{stage}", hostname, {"uuid": uuid, **_fields(number, uuid, stage)})

    def _event(self, type_: str, hostname: str, fields: Event) -> Event:
        self._clock += 1
        head = {"hostname": hostname, "utcoffset": 0.0, "pid": 4242, "clock": self._clock}
        return {**head, **fields, "timestamp": time.time(), "type": type_}


def _stages(number: int) -> tuple[str, ...]:
    """Return the stages of a task: of 20 tasks two fail and one succeeds in its second attempt."""
    kind = number % 20
    if kind in (6, 13):
        return (*_LIFE, "failed")
    if kind == 17:
        return (*_LIFE, "retried", "received", "started", "succeeded")
    return (*_LIFE, "succeeded")


def _fields(number: int, uuid: str, stage: str) -> Event:
    if stage == "started":
        return {}
    if stage == "succeeded":
        result = f"{{'order': {number}, 'status': 'accepted', 'total': '{number % 997}.95', 'note': {_NOTE!r}}}"
        return {"result": result, "runtime": 0.005 + number % 400 / 200}
    if stage in ("failed", "retried"):
        return {"exception": f"Timeout('gateway{number % 5}', 10)", "traceback": _TRACEBACK}
    definition = _definition(number, uuid)
    if stage == "sent":
        definition.update(queue="celery", exchange="", routing_key="celery")
    return definition


def _definition(number: int, uuid: str) -> Event:
    return {
        "name": task_name(number),
        "args": f"('order-{number}', {number % 1000}, 'customer{number % 5000}@example.com')",
        "kwargs": f"{{'user': {number % 100}, 'priority': 'normal', 'note': {_NOTE!r}}}",
        "root_id": uuid,
        "parent_id": None,
        "retries": 0,
        "eta": None,
        "expires": None,
    }


def _uuid(kind: bytes, number: int) -> str:
    text = hashlib.blake2b(b"%s %d" % (kind, number), digest_size=16).hexdigest()
    return f"{text[:8]}-{text[8:12]}-4{text[13:16]}-a{text[17:20]}-{text[20:]}"
