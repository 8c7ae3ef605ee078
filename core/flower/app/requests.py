"""What workers say of tasks they hold, shown to the task formatters as the tasks of events are."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from flower.state import TaskRecord
from flower.state.formatters import Data, Formatters
from flower.state.held import args_text, kwargs_text

__all__ = ["request_formatter"]


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
