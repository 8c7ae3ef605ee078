"""Running tasks: what to send, and what became of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from msgspec import Struct, field

__all__ = ["READY_STATES", "TaskCall", "TaskResult"]

READY_STATES = frozenset(("SUCCESS", "FAILURE", "REVOKED"))
"""States after which a task's result does not change."""


class TaskCall(Struct, frozen=True):
    """A task to run, with the documented options of Celery's `apply_async`; what is None or empty is left to Celery.

    `countdown` and an `expires` that is a number are seconds from now; moments carry a time zone. `link`
    and `link_error` are called when the task has succeeded or failed, with its result before their own
    `args` unless they are `immutable`.
    """

    name: str
    args: Sequence[Any] = ()
    kwargs: Mapping[str, Any] = field(default_factory=dict)
    task_id: str = ""
    queue: str = ""
    exchange: str = ""
    routing_key: str = ""
    countdown: float | None = None
    eta: datetime | None = None
    expires: float | datetime | None = None
    priority: int | None = None
    delivery_mode: int | None = None
    serializer: str = ""
    compression: str = ""
    headers: Mapping[str, Any] = field(default_factory=dict)
    shadow: str = ""
    ignore_result: bool | None = None
    time_limit: float | None = None
    soft_time_limit: float | None = None
    link: Sequence[TaskCall] = ()
    link_error: Sequence[TaskCall] = ()
    immutable: bool = False


class TaskResult(Struct, frozen=True):
    """What the result backend says of a task: PENDING when it knows nothing.

    `result` is what a ready task returned, or the exception it failed with as a text; it can be
    written as JSON. `traceback` is "" without one.
    """

    uuid: str
    state: str
    result: Any = None
    traceback: str = ""

    @property
    def ready(self) -> bool:
        """Tell whether the state is final."""
        return self.state in READY_STATES
