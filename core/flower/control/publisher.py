"""Tasks on their way to the broker: checked, then published at once or not at all."""

# mypy: allow-untyped-calls
# kombu is annotated in part.

from __future__ import annotations

import inspect
import logging
import time
import uuid
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from celery.exceptions import QueueNotFound
from kombu import compression, serialization
from kombu.exceptions import EncodeError
from kombu.messaging import Producer

from flower.connecting import failures, open_bounded, release
from flower.control import bounds
from flower.control.backend import ResultBackend
from flower.control.executor import Executor
from flower.control.mailbox import UNAVAILABLE, UNSAFE
from flower.masking import safe_error, safe_line
from flower.quiet import QuietLog
from flower_plugins import FlowerError, InvalidParameter, NotFound, TaskCall, Unavailable

__all__ = ["Publisher"]

_CONNECT_SECONDS = 2.0
_ANSWER_SECONDS = 2.0
_CALL_SECONDS = 4.0
_LATEST_START = 2.5
_MAX_PRIORITY = 255
_MAX_LINKS = 20
# Celery writes these itself; whoever set them could make a task look like another one.
_OWN_HEADERS = frozenset(
    "lang task id shadow eta expires group group_index retries timelimit root_id parent_id argsrepr kwargsrepr origin "
    "ignore_result replaced_task_nesting stamped_headers stamps compression clock".split()
)
_REFUSED_BY_BROKER = (403, 404, 405, 406)


class Publisher:
    """Publishes tasks for `ControlService`, each on a connection of its own that was proved to be alive.

    A task that could not be published in time is not published later.
    """

    def __init__(
        self, app: Any, executor: Executor, backend: ResultBackend, *, log: logging.Logger | None = None
    ) -> None:
        self._app, self._executor, self._backend = app, executor, backend
        self._quiet = QuietLog(log or logging.getLogger("flower.control"), interval=60)

    def has_task(self, name: str) -> bool:
        """Tell whether the Celery app has the task."""
        return name in self._app.tasks

    async def publish(self, call: TaskCall, *, registered: bool) -> str:
        """Send a task and return its id; `registered` takes the app's own task, with its own options.

        Raise InvalidParameter for what cannot be sent, Unavailable when the broker is out of reach.
        """
        self._check(call)
        if registered:
            self._check_signature(call)
        task_id = call.task_id or str(uuid.uuid4())
        latest = time.monotonic() + _LATEST_START
        try:
            await self._executor.run(self._publish, call, task_id, registered, latest, timeout=_CALL_SECONDS)
        except TimeoutError:
            self._quiet.warning("silent", "The broker does not answer")
            raise Unavailable(UNAVAILABLE) from None
        return task_id

    def _check(self, call: TaskCall) -> None:
        bounds.check_name(call.name, "task name")
        if call.queue:
            bounds.check_queue(call.queue)
        for name in ("exchange", "routing_key", "task_id", "shadow", "serializer", "compression"):
            if getattr(call, name):
                bounds.check_name(getattr(call, name), name)
        for name in ("countdown", "expires", "time_limit", "soft_time_limit"):
            seconds = getattr(call, name)
            if isinstance(seconds, (int, float)):
                bounds.check_seconds(seconds, name)
        if call.soft_time_limit and call.time_limit and call.soft_time_limit > call.time_limit:
            raise InvalidParameter("Invalid soft_time_limit: it is above time_limit")
        if call.countdown is not None and call.eta is not None:
            raise InvalidParameter("Invalid option: countdown and eta exclude each other")
        if call.priority is not None and not 0 <= call.priority <= _MAX_PRIORITY:
            raise InvalidParameter(f"Invalid priority '{call.priority}': expected 0 to {_MAX_PRIORITY}")
        if call.delivery_mode not in (None, 1, 2):
            raise InvalidParameter(f"Invalid delivery_mode '{call.delivery_mode}': expected 1 or 2")
        self._check_encoding(call)
        if own := _OWN_HEADERS & set(call.headers):
            raise InvalidParameter(f"Invalid headers: {', '.join(sorted(own))} belong to Celery")
        if not all(isinstance(value, (str, int, float, type(None))) for value in call.headers.values()):
            raise InvalidParameter("Invalid headers: expected texts, numbers, true, false or null")
        if len(call.link) + len(call.link_error) > _MAX_LINKS:
            raise InvalidParameter(f"Invalid link: at most {_MAX_LINKS} tasks")
        for linked in (*call.link, *call.link_error):
            if linked.link or linked.link_error:
                raise InvalidParameter("Invalid link: a linked task has no links of its own")
            self._check(linked)

    def _check_encoding(self, call: TaskCall) -> None:
        if call.serializer and call.serializer not in self._serializers():
            raise InvalidParameter(
                f"Invalid serializer {call.serializer[:50]!r}, expected one of {', '.join(self._serializers())}"
            )
        if call.compression:
            try:
                compression.get_encoder(call.compression)
            except KeyError:
                known = "gzip, bzip2, lzma or what else kombu has"
                raise InvalidParameter(f"Invalid compression {call.compression[:50]!r}, expected {known}") from None

    def _serializers(self) -> list[str]:
        """Return the serializers that the app accepts and that are safe to read."""
        accepted = {str(kind) for kind in self._app.conf.accept_content or ("json",)} - UNSAFE
        types = serialization.registry.name_to_type
        return sorted(name for name, kind in types.items() if name not in UNSAFE and {name, kind} & accepted)

    def _check_signature(self, call: TaskCall) -> None:
        task = self._app.tasks.get(call.name)
        if task is None:
            raise NotFound(f"Unknown task '{call.name}'")
        header = getattr(task, "__header__", None)
        if not task.typing or not callable(header):
            return
        try:
            inspect.signature(header).bind(*call.args, **call.kwargs)
        except TypeError as error:
            raise InvalidParameter(f"Invalid arguments of '{call.name}': {safe_line(str(error))}") from None
        except ValueError:  # a callable without a signature that could be read: the worker will tell
            return

    def _publish(self, call: TaskCall, task_id: str, registered: bool, latest: float) -> None:
        connection: Any = None
        try:
            connection = self._app.connection_for_write()
            open_bounded(connection, connect=_CONNECT_SECONDS, answer=_ANSWER_SECONDS, confirm_publish=True)
            channel = connection.default_channel  # answers prove that the broker does more than accept connections
            reply_to = self._backend.declare_replies(channel)
            if time.monotonic() > latest:
                raise Unavailable(UNAVAILABLE)
            self._send(call, task_id, registered, channel, reply_to)
        except (EncodeError, RecursionError) as error:
            raise InvalidParameter(f"The task cannot be written: {safe_error(error)}") from None
        except failures(connection) as error:
            self._explain(error, connection)
        except FlowerError:
            raise
        except Exception as error:  # guards the caller: apply_async and its signals run the app's own code
            raise InvalidParameter(f"The task was not sent: {safe_error(error)}") from None
        finally:
            if connection is not None:
                self._executor.submit(lambda: release(connection))

    def _send(self, call: TaskCall, task_id: str, registered: bool, channel: Any, reply_to: str | None) -> None:
        options = _options(call)
        ignored = options.pop("ignore_result", None)
        task = self._app.tasks.get(call.name) if registered else None
        if ignored is None and task is not None:
            ignored = task.ignore_result
        producer = _QuietProducer(channel, auto_declare=False, ignore_result=bool(ignored))
        more = {"task_id": task_id, "producer": producer, "retry": False, "ignore_result": True, "reply_to": reply_to}
        if task is None or self._app.conf.task_always_eager:
            self._app.send_task(call.name, list(call.args), dict(call.kwargs), **options, **more)
        else:
            task.apply_async(list(call.args), dict(call.kwargs), **options, **more)

    def _explain(self, error: BaseException, connection: Any) -> None:
        """Raise what the error means: a request that the broker, or Celery's router, refuses, or an outage."""
        if isinstance(error, QueueNotFound):
            raise InvalidParameter(f"Invalid queue: {safe_line(str(error))}") from None
        refused = connection is not None and isinstance(error, connection.channel_errors)
        if refused and getattr(error, "reply_code", 404) in _REFUSED_BY_BROKER:
            raise InvalidParameter(f"The broker refused the task: {safe_error(error)}") from None
        self._quiet.warning("unreachable", f"The broker cannot be reached: {safe_error(error)}")
        raise Unavailable(UNAVAILABLE) from None


class _QuietProducer(Producer):
    """Publishes a task whose result nobody in this thread waits for.

    Celery makes the result backend listen for every task it sends, over connections without time limits,
    unless the result is to be ignored. So it is told that it is, and the message that it is not.
    """

    def __init__(self, channel: Any, *, ignore_result: bool, **options: Any) -> None:
        super().__init__(channel, **options)
        self._ignore_result = ignore_result

    def publish(self, body: Any, **options: Any) -> Any:  # type: ignore[override]  # Celery names every option
        headers = options.get("headers")
        if isinstance(headers, dict) and "ignore_result" in headers:
            headers["ignore_result"] = self._ignore_result
        return super().publish(body, **options)


def _options(call: TaskCall) -> dict[str, Any]:
    """Return the options that were given, as `apply_async` takes them."""
    names = (
        *("queue", "exchange", "routing_key", "countdown", "eta", "expires", "priority", "delivery_mode"),
        *("serializer", "compression", "shadow", "ignore_result", "time_limit", "soft_time_limit"),
    )
    options = {name: value for name in names if (value := getattr(call, name)) not in (None, "")}
    if call.headers:
        options["headers"] = dict(call.headers)
    for name, calls in (("link", call.link), ("link_error", call.link_error)):
        if calls:
            options[name] = [_signature(linked) for linked in calls]
    return options


def _signature(call: TaskCall) -> Mapping[str, Any]:
    """Return a linked task as Celery writes signatures."""
    options = _options(call)
    for name in ("eta", "expires"):
        if isinstance(options.get(name), datetime):
            options[name] = options[name].isoformat()
    if call.task_id:
        options["task_id"] = call.task_id
    args: Sequence[Any] = list(call.args)
    return {
        "task": call.name,
        "args": args,
        "kwargs": dict(call.kwargs),
        "options": options,
        "subtask_type": None,
        "immutable": call.immutable,
    }
