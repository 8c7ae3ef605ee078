"""The shapes of answers, and what routes declare that they may answer."""

from __future__ import annotations

from typing import Any

import msgspec

from flower_plugins import Answer

__all__ = [
    "BAD_REQUEST",
    "MESSAGE",
    "NO_BACKEND",
    "NO_REPLY",
    "OFFLINE",
    "OUTCOMES",
    "PARTLY",
    "READ_ONLY",
    "REFUSED",
    "UNAVAILABLE",
    "UNKNOWN_TARGET",
    "UNKNOWN_TASK",
    "UNKNOWN_WORKER",
    "Message",
    "Outcome",
    "Outcomes",
    "TaskOutcome",
    "TaskQueried",
    "TaskSent",
    "WorkerMemory",
    "WorkerReport",
]


class Message(msgspec.Struct):
    """What was done, as a sentence."""

    message: str


class Outcome(msgspec.Struct):
    """How an order to one of several targets ended: the status and the words it would have had alone."""

    status: int
    message: str


class Outcomes(msgspec.Struct):
    """How an order ended for each target."""

    outcomes: dict[str, Outcome]


class TaskSent(msgspec.Struct, rename={"task_id": "task-id"}, omit_defaults=True):
    """A task that was published; its state is left out where there is no result backend."""

    task_id: str
    state: str = ""


class TaskOutcome(msgspec.Struct, rename={"task_id": "task-id"}):
    """A task's state; when it is ready its result and, after a failure, the traceback."""

    task_id: str
    state: str
    result: Any = msgspec.UNSET
    traceback: str | msgspec.UnsetType = msgspec.UNSET


class TaskQueried(msgspec.Struct, rename={"task_id": "task-id"}):
    """Which workers hold a task, and what they say of it."""

    task_id: str
    workers: dict[str, dict[str, Any]]


class WorkerReport(msgspec.Struct):
    """A worker's software and settings, as text."""

    report: str


class WorkerMemory(msgspec.Struct):
    """A worker's resident memory in its own words, null when it cannot tell."""

    memory: str | None


_TEXT = "text/plain"
MESSAGE = Answer(200, "Done, with a sentence that says what", Message)
OUTCOMES = Answer(200, "Done for every target", Outcomes)
PARTLY = Answer(207, "Not done for every target: each has its own status and sentence", Outcomes)
BAD_REQUEST = Answer(400, "A parameter or the body cannot be read or makes no sense", content_type=_TEXT)
READ_ONLY = Answer(403, "Read-only mode", content_type=_TEXT)
REFUSED = Answer(403, "The worker refuses and says why, or read-only mode", content_type=_TEXT)
UNKNOWN_WORKER = Answer(404, "Unknown worker", content_type=_TEXT)
UNKNOWN_TARGET = Answer(404, "Unknown task or worker", content_type=_TEXT)
UNKNOWN_TASK = Answer(404, "Unknown task", content_type=_TEXT)
OFFLINE = Answer(409, "The worker is offline", content_type=_TEXT)
UNAVAILABLE = Answer(503, "The broker cannot be reached", content_type=_TEXT)
NO_BACKEND = Answer(503, "The broker or the result backend cannot be reached, or there is none", content_type=_TEXT)
NO_REPLY = Answer(504, "The worker did not answer in time", content_type=_TEXT)
