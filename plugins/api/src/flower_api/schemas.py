"""The shapes of the JSON that the read routes answer with."""

from __future__ import annotations

from typing import Annotated, Any

from msgspec import UNSET, Meta, Struct, UnsetType, field

__all__ = ["Error", "ListedTask", "Plugin", "Plugins", "Queue", "QueueLengths", "TaskInfo", "TaskTypes", "WorkerInfo"]

_Time = float | None
_Text = str | None


class Error(Struct):
    """Why a request was refused."""

    error: Annotated[str, Meta(description="A sentence for people")]


class _Task(Struct, kw_only=True):
    uuid: Annotated[str, Meta(description="Id of the task")]
    name: Annotated[_Text, Meta(description="Name of the task type, null until an event told it")]
    state: Annotated[str, Meta(description="PENDING, RECEIVED, STARTED, SUCCESS, FAILURE, RETRY, REVOKED or your own")]
    received: Annotated[_Time, Meta(description="When a worker took it; seconds since the epoch, as every time here")]
    sent: Annotated[_Time, Meta(description="When a client sent it; known with `task_send_sent_event`")]
    started: Annotated[_Time, Meta(description="When it began to run")]
    rejected: Annotated[_Time, Meta(description="When a worker rejected it")]
    succeeded: Annotated[_Time, Meta(description="When it succeeded")]
    failed: Annotated[_Time, Meta(description="When it failed")]
    retried: Annotated[_Time, Meta(description="When it was last sent again")]
    revoked: Annotated[_Time, Meta(description="When it was revoked")]
    args: Annotated[_Text, Meta(description="Positional arguments, as the text the worker sent")]
    kwargs: Annotated[_Text, Meta(description="Keyword arguments, as the text the worker sent")]
    eta: Annotated[_Text, Meta(description="Not to be run before, ISO 8601")]
    expires: Annotated[_Text, Meta(description="Not to be run after, ISO 8601")]
    retries: Annotated[int | None, Meta(description="How often it was tried again")]
    result: Annotated[_Text, Meta(description="What it returned, as the text the worker sent")]
    exception: Annotated[_Text, Meta(description="What it raised, as text")]
    timestamp: Annotated[float, Meta(description="When its last event was sent")]
    runtime: Annotated[_Time, Meta(description="How long it ran, in seconds")]
    traceback: Annotated[_Text, Meta(description="Where it failed")]
    exchange: Annotated[_Text, Meta(description="Exchange it was sent to")]
    routing_key: Annotated[_Text, Meta(description="Routing key it was sent with")]
    clock: Annotated[int, Meta(description="Lamport clock of its last event")]
    client: Annotated[_Text, Meta(description="Process that sent it")]
    root: Annotated[_Text, Meta(description="The same as `root_id`")]
    root_id: Annotated[_Text, Meta(description="Id of the task its workflow began with")]
    parent: Annotated[_Text, Meta(description="The same as `parent_id`")]
    parent_id: Annotated[_Text, Meta(description="Id of the task that sent it")]
    children: Annotated[list[str], Meta(description="Ids of the tasks it sent")]
    worker_lost: Annotated[bool | UnsetType, Meta(description="True when it is open and its worker is gone")] = UNSET
    worker_restarted: Annotated[
        bool | UnsetType, Meta(description="True when it is open and its worker was started anew without it")
    ] = UNSET


class ListedTask(_Task, kw_only=True):
    """A task in a list."""

    worker: Annotated[str | UnsetType, Meta(description="Node name of the worker; left out while unknown")] = UNSET


class TaskInfo(_Task, kw_only=True):
    """One task."""

    worker: Annotated[_Text, Meta(description="Node name of the worker, null while unknown")]
    task_id: Annotated[str, Meta(description="The same as `uuid`")] = field(name="task-id")


class TaskTypes(Struct):
    """The names of tasks."""

    names: Annotated[list[str], Meta(description="Every name seen since the start, sorted")] = field(name="task-types")


_Requests = Annotated[list[Any] | UnsetType, Meta(description="After a refresh of this worker alone")]


class WorkerInfo(Struct, kw_only=True):
    """What a worker said of itself. A part is missing until the worker has answered that question."""

    stats: Annotated[dict[str, Any] | UnsetType, Meta(description="Pool, broker, resource usage, task totals")] = UNSET
    active_queues: Annotated[list[Any] | UnsetType, Meta(description="The queues it consumes from")] = UNSET
    registered: Annotated[list[str] | UnsetType, Meta(description="The task types it knows")] = UNSET
    conf: Annotated[dict[str, Any] | UnsetType, Meta(description="Its Celery configuration, secrets masked")] = UNSET
    active: _Requests = UNSET
    scheduled: _Requests = UNSET
    reserved: _Requests = UNSET
    revoked: _Requests = UNSET
    timestamp: Annotated[float | UnsetType, Meta(description="When it last answered, seconds since the epoch")] = UNSET


class Queue(Struct):
    """One queue, with whatever else the broker tells of it."""

    name: Annotated[str, Meta(description="Name of the queue")]
    messages: Annotated[int | None, Meta(description="How many messages wait; null when the broker cannot say")]


class QueueLengths(Struct):
    """The queues that workers consume from; during an outage the last known."""

    active_queues: list[Queue]
    stale: Annotated[bool | UnsetType, Meta(description="True when the broker does not answer now")] = UNSET
    age: Annotated[float | UnsetType, Meta(description="Seconds since it did")] = UNSET
    error: Annotated[str | UnsetType, Meta(description="What is wrong with it")] = UNSET


class Plugin(Struct):
    """A plugin that was found at the start."""

    name: str
    dist: Annotated[str, Meta(description="The distribution it comes from")]
    version: str
    state: Annotated[str, Meta(description="active, disabled or failed")]
    error: Annotated[str, Meta(description="Why it failed, else empty")]
    hooks: Annotated[list[str], Meta(description="What it contributes to")]


class Plugins(Struct):
    """The plugins, failed ones included."""

    plugins: list[Plugin]
