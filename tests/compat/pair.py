"""Flower 2.2.0 and ours beside each other: the same events, the same requests, two answers."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
from celery import Celery
from tests.system.support import Launcher, Room, RunningFlower, until

__all__ = ["FATES", "Pair", "Reply", "launch_pair", "run_tasks"]

FATES = {
    "added": "SUCCESS",
    "paid": "SUCCESS",
    "failed": "FAILURE",
    "retried": "SUCCESS",
    "waiting": "RECEIVED",
    "progressing": "PROGRESS",
    "running": "STARTED",
    "terminated": "REVOKED",
    "revoked": "REVOKED",
    "unregistered": "FAILURE",
    "sent": "PENDING",
}
"""The tasks that are run, by the names that requests use for their ids, and the state each comes to rest in."""

_VOLATILE = frozenset(("timestamp", "clock", "uptime", "rusage", "writes", "heartbeats", "loadavg"))
"""What a worker tells anew each time it is asked."""

_MOVED = frozenset(("timestamp", "clock"))
"""What 2.2.0 takes from whichever event comes last, and ours from a worker's as soon as there is one."""


@dataclass(frozen=True)
class Reply:
    """An answer: `body` is parsed JSON or text, with the ids of tasks replaced by their names."""

    status: int
    kind: str
    body: Any

    @property
    def keys(self) -> list[str]:
        """The keys of a JSON object, in order."""
        return list(self.body)


@dataclass
class Pair:
    """Both, and the tasks that both have seen."""

    ours: RunningFlower
    theirs: RunningFlower
    ids: dict[str, str] = field(default_factory=dict)

    def ask(self, line: str) -> tuple[Reply, Reply]:
        """Return what ours and theirs answer to "METHOD path body"; `{name}` stands for the id of a task."""
        method, path, body, *_ = (*line.split(" ", 2), "")
        for name, uuid in self.ids.items():
            path = path.replace(f"{{{name}}}", uuid)
        ours, theirs = (
            self._reply(flower.client.request(method, path, content=body)) for flower in (self.ours, self.theirs)
        )
        return ours, theirs

    def contrast(self, line: str, extra: frozenset[str] = frozenset()) -> list[str]:
        """Return what differs: the status, values by their path, the order of keys. Ours may have the keys `extra`."""
        ours, theirs = self.ask(line)
        ignored = _VOLATILE if "/workers" in line else frozenset()
        found = [] if ours.status == theirs.status else [f"status: {ours.status} instead of {theirs.status}"]
        return found + list(_contrast(ours.body, theirs.body, "", ignored, extra))

    def send(
        self, name: str, app: Celery, task: str, args: Sequence[Any] = (), *, reaching: str = "", **how: Any
    ) -> None:
        """Send a task, and wait until both have seen it in a state, by default the one of its fate."""
        self.ids[name] = str(app.send_task(task, args, **how).id)
        self.reach(name, reaching or FATES[name])

    def reach(self, name: str, state: str) -> None:
        """Wait until both have seen a task in a state."""
        for flower in (self.ours, self.theirs):
            until(lambda flower=flower: self._state(flower, name) == state, f"{name} is {state} at {flower.url}")

    def _state(self, flower: RunningFlower, name: str) -> str | None:
        response = flower.get(f"/api/task/info/{self.ids[name]}")
        return response.json()["state"] if response.status_code == 200 else None

    def _reply(self, response: httpx.Response) -> Reply:
        text = response.text
        for name, uuid in self.ids.items():
            text = text.replace(uuid, f"{{{name}}}")
        kind = response.headers.get("Content-Type", "").partition(";")[0]
        with contextlib.suppress(ValueError):
            return Reply(response.status_code, kind, json.loads(text))
        return Reply(response.status_code, kind, text)


def launch_pair(
    launcher: Launcher, room: Room, program: Path, *options: str, env: Mapping[str, str] | None = None
) -> Pair:
    """Start both on one broker."""
    options = ("--address=127.0.0.1", *options)
    ours = launcher.flower(room, *options, env=env)
    return Pair(ours, launcher.flower(room, *options, env=env, program=program))


def run_tasks(pair: Pair, launcher: Launcher, room: Room) -> None:
    """Start a worker and run a task of every fate, one after the other, until both Flowers have seen how it came out.

    One after the other, because 2.2.0 lists tasks by the time of their last event and ours as events come in.
    """
    launcher.worker(room, "w1", "-c", "4")
    for flower in (pair.ours, pair.theirs):
        until(lambda flower=flower: flower.json("/api/workers?status=1").get("w1@test"), "the worker is online")
    app, task = room.app(), "tests.system.cluster."
    pair.send("added", app, task + "add", (2, 3))
    pair.send("paid", app, task + "pay", (7, "4242"), kwargs={"seconds": 0.0})
    pair.send("failed", app, task + "fail", ("no such order",))
    pair.send("retried", app, task + "flaky")
    pair.send("waiting", app, task + "add", (1, 1), countdown=3600, expires=7200)
    pair.send("running", app, task + "nap", (600,))
    pair.send("unregistered", app, "no.such.task", (1,))
    pair.send("sent", app, task + "add", (8, 9), queue="nobody")
    pair.send("terminated", app, task + "nap", (601,), reaching="STARTED")
    app.control.revoke(pair.ids["terminated"], terminate=True)
    pair.reach("terminated", "REVOKED")
    pair.send("revoked", app, task + "add", (5, 5), countdown=2, reaching="RECEIVED")
    app.control.revoke(pair.ids["revoked"])
    pair.reach("revoked", "REVOKED")
    pair.send("progressing", app, task + "add", (1, 2), countdown=3600, reaching="RECEIVED")
    with app.connection() as connection:
        app.events.Dispatcher(connection, hostname="w1@test").send(
            "task-progress", uuid=pair.ids["progressing"], done=3
        )
    for name, state in FATES.items():
        pair.reach(name, state)


def _contrast(
    ours: Any, theirs: Any, path: str, ignored: frozenset[str], extra: frozenset[str] = frozenset()
) -> Iterator[str]:
    if isinstance(ours, dict) and isinstance(theirs, dict):
        keys = [key for key in ours if key not in extra]
        if set(keys) != set(theirs):
            more, missing = sorted(set(keys) - set(theirs)), sorted(set(theirs) - set(keys))
            yield f"{path}: only ours: {more}, only theirs: {missing}"
        elif keys != list(theirs) and not ignored:
            yield f"{path}: in the order {keys} instead of {list(theirs)}"
        moved = _MOVED if _is_sent_last(theirs) else frozenset()
        for key in theirs:
            if key in ours and key not in ignored and key not in moved:
                yield from _contrast(ours[key], theirs[key], f"{path}/{key}", ignored)
    elif isinstance(ours, list) and isinstance(theirs, list) and len(ours) == len(theirs):
        for place, (one, other) in enumerate(zip(ours, theirs, strict=True)):
            name = one.get("uuid", place) if isinstance(one, dict) else place
            yield from _contrast(one, other, f"{path}/{name}", ignored)
    elif ours != theirs:
        yield f"{path}: {ours!r} instead of {theirs!r}"


def _is_sent_last(task: Mapping[str, Any]) -> bool:
    """Tell whether a client said that it sent a task when a worker had it already, which it does now and then."""
    sent, received = task.get("sent"), task.get("received")
    return isinstance(sent, float) and isinstance(received, float) and sent > received
