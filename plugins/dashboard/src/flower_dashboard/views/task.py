"""One task's page: what went wrong first, then when everything happened, then all there is to know."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

from msgspec import Struct

from flower_dashboard.clocks import skew
from flower_dashboard.formats import label, moment, number, text, visible
from flower_dashboard.states import Look, action, ending, is_finished, look
from flower_dashboard.tracebacks import Block, blocks
from flower_dashboard.views.family import Family, family
from flower_dashboard.views.queues import consumers
from flower_dashboard.views.usual import Usual, is_slow, usual
from flower_plugins import Host, Task

__all__ = ["Field", "Phase", "Progress", "Step", "TaskView", "task_view"]

_STEPS = (
    ("sent", "Sent", "idle"),
    ("received", "Received", "idle"),
    ("started", "Started", "run"),
    ("retried", "Retried", "warn"),
    ("succeeded", "Succeeded", "ok"),
    ("failed", "Failed", "bad"),
    ("revoked", "Revoked", "idle"),
    ("rejected", "Rejected", "bad"),
)
_TIMES = frozenset((*(name for name, _, _ in _STEPS), "timestamp"))
_SHOWN_ELSEWHERE = frozenset(
    (
        *("uuid", "name", "state", "args", "kwargs", "result", "exception", "traceback", "worker", "runtime"),
        *("parent", "parent_id", "root", "root_id", "children"),
    )
)
_PHASES = {
    ("sent", "received"): ("in the queue", "queue"),
    ("received", "started"): ("waiting in the worker", "wait"),
    ("retried", "received"): ("until it was received again", "wait"),
}
_OF_REVOKED = frozenset(("terminated", "signum", "expired"))
_STRIP = 1000.0


class Step(Struct, frozen=True):
    """A moment in the task's life, the seconds since the moment before, and what they were spent on.

    `kind` is "queue", "wait" or "run".
    """

    title: str
    tone: str
    at: float
    since: float | None = None
    phase: str = ""
    kind: str = ""


class Phase(Struct, frozen=True):
    """A stretch of the timeline strip, in thousandths of its width."""

    kind: str
    x: float
    width: float


class Field(Struct, frozen=True):
    """One more thing known of the task; `kind` is "time" or "text"."""

    name: str
    value: Any
    kind: str = "text"


class Progress(Struct, frozen=True):
    """How far a task says it is."""

    done: float
    total: float

    @property
    def percent(self) -> int:
        """Whole percent, 0 to 100."""
        return round(100 * min(max(self.done / self.total, 0), 1))


class TaskView(Struct, frozen=True):
    """What the page shows. `running` is for how many seconds it has run and not ended; `action` is "terminate",
    "revoke" or "". `loss` is "lost", "restarted" or "", `silent` since when its worker is, `skew` how far its clock
    is off. `due` is before when it is not to run, `revoked` when an order to drop it went out, both None once it has
    ended. `waiting` is for how many seconds it has waited and not begun, `unconsumed` the queue that it waits in while
    no worker takes from it, "" where there is none. `slow` means that it takes far longer than is `usual`. `attempts`
    counts this one.
    """

    uuid: str
    name: str
    state: Look
    ending: str
    loss: str
    silent: float | None
    since: float | None
    worker: str
    skew: str
    due: float | None
    revoked: float | None
    runtime: float | None
    exception: str
    traceback: str
    blocks: Sequence[Block]
    steps: Sequence[Step]
    strip: Sequence[Phase]
    running: float | None
    waiting: float | None
    unconsumed: str
    args: str
    kwargs: str
    result: str
    fields: Sequence[Field]
    extra: Sequence[Field]
    progress: Progress | None
    family: Family
    usual: Usual | None
    slow: bool
    attempts: int
    asks_result: bool
    can_abort: bool
    action: str
    announcement: str


def task_view(host: Host, task: Task) -> TaskView:
    """Return the page of a task."""
    state = look(task.state)
    uuid, name = text(task.uuid), text(task.name)
    traceback = visible(task.traceback)
    worker = host.workers.get(text(task.worker))
    off = skew(worker)
    steps = _steps(task, one_clock=not off)
    loss = host.tasks.loss(task)
    running = None if loss or off else _running(task, steps, time.time())
    known = usual(host, name)
    return TaskView(
        uuid=uuid,
        name=name,
        state=state,
        ending=ending(task),
        loss=loss,
        silent=None if worker is None or not loss else number(worker.last_seen),
        since=steps[-1].at if steps else number(task.timestamp),
        worker=text(task.worker),
        skew=off,
        due=None if is_finished(task) or task.started else moment(task.eta),
        revoked=None if is_finished(task) else host.control.revoked_at(uuid),
        runtime=number(task.runtime),
        exception=visible(task.exception),
        traceback=traceback,
        blocks=blocks(traceback) if traceback else [],
        steps=steps,
        strip=_strip(steps, running),
        running=running,
        waiting=None if loss or off else _waiting(task, steps, time.time()),
        unconsumed=_unconsumed(host, task),
        args=visible(task.args),
        kwargs=visible(task.kwargs),
        result=visible(task.result),
        fields=_fields(task),
        extra=[Field(text(key), value) for key, value in _custom(task).items()],
        progress=_progress(_extra(task)),
        family=family(host, task),
        usual=known,
        slow=is_slow(running if running is not None else number(task.runtime), known),
        attempts=1 + sum(kind == "retried" for kind, _ in _passed(task)) + (task.retried is not None),
        asks_result=host.results.configured,
        can_abort=host.results.configured and state.word == "STARTED",
        action=action(task),
        announcement=f"State {state.word}, worker {loss}" if loss else f"State {state.word}",
    )


def _steps(task: Task, *, one_clock: bool) -> list[Step]:
    """Return the moments in order. Without `one_clock` client and worker disagree about time: sent comes first."""
    looks = {name: (title, tone) for name, title, tone in _STEPS}
    known = [(name, getattr(task, name)) for name in looks]
    earlier = [(kind, at) for kind, at in _passed(task) if kind in looks]
    moments = [(at, name, *looks[name]) for name, value in known + earlier if (at := number(value)) is not None]
    moments.sort(key=lambda moment: (not one_clock and moment[1] != "sent", moment[0]))
    steps: list[Step] = []
    for position, (at, name, title, tone) in enumerate(moments):
        before = moments[position - 1]
        if position == 0 or (not one_clock and before[1] == "sent"):
            steps.append(Step(title, tone, at))
        else:
            steps.append(Step(title, tone, at, at - before[0], *_phase(before[1], name)))
    return steps


def _passed(task: Task) -> list[tuple[str, Any]]:
    events = task.passed if isinstance(task.passed, (list, tuple)) else ()
    return [(text(each[0]), each[1]) for each in events if isinstance(each, (list, tuple)) and len(each) == 2]


def _phase(before: str, after: str) -> tuple[str, str]:
    if before == "started":
        return "running", "run"
    return _PHASES.get((before, after), ("waiting", "wait"))


def _running(task: Task, steps: Sequence[Step], now: float) -> float | None:
    started = number(task.started)
    if started is None or steps[-1].at != started or is_finished(task):
        return None
    return max(now - started, 0.0)


def _waiting(task: Task, steps: Sequence[Step], now: float) -> float | None:
    if text(task.state) not in ("PENDING", "RECEIVED") or not steps:
        return None
    return max(now - steps[-1].at, 0.0)


def _unconsumed(host: Host, task: Task) -> str:
    """Return the queue in which a task waits for nobody, as far as the workers that answered tell."""
    queue = text(task.queue)
    if text(task.state) != "PENDING" or not queue:
        return ""
    consumed = consumers(host)
    return queue if consumed and queue not in consumed else ""


def _strip(steps: Sequence[Step], running: float | None) -> list[Phase]:
    spans = [(after.kind, before.at, after.at) for before, after in pairwise(steps) if after.since is not None]
    if running is not None:
        spans.append(("run", steps[-1].at, steps[-1].at + running))
    if not spans or spans[-1][2] <= spans[0][1]:
        return []
    first = spans[0][1]
    scale = _STRIP / (spans[-1][2] - first)
    return [
        Phase(kind, round((begin - first) * scale, 2), round((end - begin) * scale, 2)) for kind, begin, end in spans
    ]


def _fields(task: Task) -> list[Field]:
    values: dict[str, Any] = {**task.fields(), "queue": task.queue}
    for key in ("eta", "expires"):
        if (at := moment(values.get(key))) is not None:
            values[key] = at
    times = _TIMES | {key for key in ("eta", "expires") if number(values.get(key)) is not None}
    return [
        Field(label(key), value, "time" if key in times else "text")
        for key, value in values.items()
        if key not in _SHOWN_ELSEWHERE and value is not None
    ]


def _extra(task: Task) -> Mapping[str, Any]:
    return task.extra if isinstance(task.extra, Mapping) else {}


def _custom(task: Task) -> Mapping[str, Any]:
    """Return the extra fields without those Celery itself sends of a revoked task."""
    own = _OF_REVOKED if text(task.state) == "REVOKED" else ()
    return {key: value for key, value in _extra(task).items() if key not in own}


def _progress(extra: Mapping[str, Any]) -> Progress | None:
    total = number(extra.get("total"))
    for key in ("done", "current"):
        done = number(extra.get(key))
        if done is not None and total is not None and total > 0:
            return Progress(done, total)
    return None
