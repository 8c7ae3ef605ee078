"""What workers and the result backend say of tasks, shown to the task formatters as the tasks of events are."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from msgspec.structs import replace

from flower.state import TaskRecord
from flower.state.formatters import Data, Formatters
from flower.state.held import args_text, kwargs_text
from flower_plugins import Task, TaskResult

__all__ = ["request_formatter", "result_formatter"]


def request_formatter(formatters: Formatters) -> Callable[[Mapping[str, Any]], dict[str, Any]]:
    """Return what turns a request of `celery inspect active`, `reserved` or `scheduled` into one fit to be shown.

    Formatters see args and kwargs as the texts that events bring; what they change becomes text, all
    else stays as the worker sent it. A formatter that fails hides both.
    """

    def formatted(request: Mapping[str, Any]) -> dict[str, Any]:
        if not formatters.in_use:
            return dict(request)
        shown = {"args": args_text(request.get("args")), "kwargs": kwargs_text(request.get("kwargs"))}
        record = _record(request)
        record.args, record.kwargs = shown["args"], shown["kwargs"]
        formatters.apply(record, Data.of(TaskRecord(record.uuid)))
        left = {"args": record.args, "kwargs": record.kwargs}
        return {**request, **{field: text for field, text in left.items() if text != shown[field]}}

    return formatted


def result_formatter(formatters: Formatters, find: Callable[[str], Task | None]) -> Callable[[TaskResult], TaskResult]:
    """Return what turns a result of the result backend into one fit to be shown.

    Formatters see it as they see the texts of events; what they leave alone stays a value. `find` returns the
    task in memory, from which they learn its name.
    """

    def formatted(result: TaskResult) -> TaskResult:
        if not formatters.in_use or not result.ready:
            return result
        record, before = _outcome(result, find(result.uuid))
        told = record.exception if record.result is None else record.result
        formatters.apply(record, before)
        left = record.exception if record.result is None else record.result
        return replace(result, result=result.result if left == told else left, traceback=record.traceback or "")

    return formatted


def _outcome(result: TaskResult, known: Task | None) -> tuple[TaskRecord, Data]:
    """Return a result as the task it belongs to, and the texts that were formatted before."""
    record = TaskRecord(result.uuid, state=result.state)
    if known is not None:
        record.name, record.worker, record.args, record.kwargs = known.name, known.worker, known.args, known.kwargs
    before = Data.of(record)
    if result.state == "SUCCESS":
        record.result = repr(result.result)
    else:
        record.exception = str(result.result)
    record.traceback = result.traceback or None
    return record, before


def _record(request: Mapping[str, Any]) -> TaskRecord:
    """Return the request as the task it stands for, as far as formatters may ask for it."""
    started, delivery = request.get("time_start"), request.get("delivery_info")
    running = isinstance(started, (int, float))
    record = TaskRecord(_text(request.get("id")) or "", state="STARTED" if running else "RECEIVED")
    # Celery names the task in `name`, and before 5.1 in `type`.
    record.name = _text(request.get("name")) or _text(request.get("type"))
    record.worker = _text(request.get("hostname"))
    record.started = started if running else None
    if isinstance(delivery, Mapping):
        record.exchange, record.routing_key = _text(delivery.get("exchange")), _text(delivery.get("routing_key"))
    return record


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) else None
