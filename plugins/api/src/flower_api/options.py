"""How to run a task: the body of the routes that do, with the documented options of `apply_async`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta, timezone, tzinfo
from typing import Annotated, Any

import msgspec
from msgspec import Meta

from flower_api.bodies import Name, check, read_object
from flower_api.params import MAX_WAIT
from flower_api.times import moment
from flower_plugins import InvalidParameter, TaskCall
from flower_plugins.bounds import MAX_SECONDS

__all__ = ["ApplyBody", "Signature", "TaskBody", "TaskOptions", "Wanted", "read_call"]

_MICROSECONDS = "%Y-%m-%d %H:%M:%S.%f"
_FARTHEST = timedelta(seconds=MAX_SECONDS)
_LEGACY = ("countdown", "eta", "expires")
_ARGUMENTS = ("args", "kwargs", "options", "timeout")
_WITHOUT_EFFECT = ("retry", "retry_policy")

_Seconds = Annotated[float, Meta(ge=0, le=_FARTHEST.total_seconds())]
_Moment = Annotated[str, Meta(max_length=64, description="`YYYY-MM-DD HH:MM:SS.ffffff` or ISO 8601")]
_Header = str | int | float | bool | None


class Signature(msgspec.Struct, forbid_unknown_fields=True, omit_defaults=True):
    """A task to run after another one, as Celery writes signatures; `options` are those of `TaskOptions`."""

    task: Name
    args: list[Any] = []
    kwargs: dict[str, Any] = {}
    options: dict[str, Any] = {}
    immutable: bool = False
    subtask_type: None = None
    chord_size: None = None


_Links = Name | Signature | list[Name | Signature]


class TaskOptions(msgspec.Struct, forbid_unknown_fields=True, omit_defaults=True):
    """The options of `apply_async` that may be given from outside; null is the same as absent.

    `retry` and `retry_policy` are accepted and have no effect: a task is published at once or not at all.
    """

    queue: Name | None = None
    exchange: Name | None = None
    routing_key: Name | None = None
    countdown: _Seconds | None = None
    eta: _Moment | None = None
    expires: _Seconds | _Moment | None = None
    task_id: Name | None = None
    priority: Annotated[int, Meta(ge=0, le=255)] | None = None
    delivery_mode: Annotated[int, Meta(ge=1, le=2)] | None = None
    serializer: Name | None = None
    compression: Name | None = None
    headers: Annotated[dict[Name, _Header], Meta(max_length=50)] | None = None
    shadow: Name | None = None
    ignore_result: bool | None = None
    time_limit: _Seconds | None = None
    soft_time_limit: _Seconds | None = None
    link: _Links | None = None
    link_error: _Links | None = None
    retry: bool | None = None
    retry_policy: dict[str, Any] | None = None


class TaskBody(TaskOptions, forbid_unknown_fields=True, omit_defaults=True):
    """A task's arguments and options; `options` holds more of them, of which those beside it win."""

    args: list[Any] = []
    kwargs: dict[str, Any] = {}
    options: TaskOptions | None = None


class ApplyBody(TaskBody, forbid_unknown_fields=True, omit_defaults=True):
    """The same, and how long to wait for the result; without a `timeout` until the task is ready."""

    timeout: Annotated[float, Meta(ge=0, le=MAX_WAIT)] | None = None


class Wanted(msgspec.Struct):
    """What a caller wants: a call, and how long to wait for its result."""

    call: TaskCall
    timeout: float | None


def read_call(name: str, body: bytes, query: Mapping[str, str | None], home: tzinfo, *, waits: bool = False) -> Wanted:
    """Return the call that a request asks for.

    `query` may hold `args`, `kwargs` and `options` as JSON text; the body wins. Moments without a zone are at `home`.
    """
    given = read_object(body, "invalid options")
    for key in ("args", "kwargs", "options"):
        text = query.get(key)
        if text and key not in given:
            given[key] = _parsed(text, key)
    args, kwargs, options = (given.get(key) for key in ("args", "kwargs", "options"))
    if not isinstance([] if args is None else args, list):
        raise InvalidParameter("args must be an array")
    if not isinstance({} if kwargs is None else kwargs, dict):
        raise InvalidParameter("kwargs must be an object")
    if not isinstance({} if options is None else options, dict):
        raise InvalidParameter("invalid options")
    timeout = _timeout(given.pop("timeout")) if waits and "timeout" in given else None
    flat = {key: value for key, value in given.items() if key not in ("args", "kwargs", "options")}
    call = _call(name, args or [], kwargs or {}, _options({**(options or {}), **flat}), home)
    return Wanted(call, timeout)


def _parsed(text: str, key: str) -> Any:
    try:
        value = msgspec.json.decode(text)
    except (msgspec.MsgspecError, RecursionError, UnicodeError):
        raise InvalidParameter(f"{key} must be JSON") from None
    check(value)
    return value


def _timeout(value: Any) -> float | None:
    if value is None:
        return None
    try:
        seconds = float(value) if isinstance(value, (int, float, str)) and not isinstance(value, bool) else -1.0
    except (ValueError, OverflowError):
        seconds = -1.0
    if not 0 <= seconds <= MAX_WAIT:  # which NaN is not
        raise InvalidParameter("Invalid timeout")
    return seconds


def _options(given: Mapping[str, Any]) -> TaskOptions:
    known = TaskOptions.__struct_fields__
    unknown = [key for key in given if key not in known]
    if unknown:
        raise InvalidParameter(f"Unknown option {unknown[0][:50]!r}, expected one of {', '.join(sorted(known))}")
    try:
        return msgspec.convert(given, TaskOptions, strict=False)
    except msgspec.ValidationError as error:
        message = str(error)[:300]
        if any(f"`$.{name}" in message for name in _LEGACY):
            raise InvalidParameter("Invalid option") from None
        raise InvalidParameter(f"Invalid option: {message}") from None


def _call(
    name: str, args: Sequence[Any], kwargs: Mapping[str, Any], options: TaskOptions, home: tzinfo, **more: Any
) -> TaskCall:
    fields = {
        key: value
        for key in TaskOptions.__struct_fields__
        if key not in (*_WITHOUT_EFFECT, "eta", "expires", "link", "link_error")
        and (value := getattr(options, key)) is not None
    }
    return TaskCall(
        name,
        args,
        kwargs,
        **fields,
        eta=None if options.eta is None else _moment(options.eta, home),
        expires=_expiry(options.expires, home),
        link=_linked(options.link, home),
        link_error=_linked(options.link_error, home),
        **more,
    )


def _linked(links: Any, home: tzinfo) -> tuple[TaskCall, ...]:
    if links is None:
        return ()
    signatures = [Signature(each) if isinstance(each, str) else each for each in _listed(links)]
    return tuple(
        _call(each.task, each.args, each.kwargs, _options(each.options), home, immutable=each.immutable)
        for each in signatures
    )


def _listed(links: Any) -> list[Any]:
    return links if isinstance(links, list) else [links]


def _expiry(value: float | str | None, home: tzinfo) -> float | datetime | None:
    if not isinstance(value, str):
        return value
    try:
        return float(value)
    except ValueError:
        return _moment(value, home)


def _moment(text: str, home: tzinfo) -> datetime:
    try:
        found = moment(text, _MICROSECONDS, home).astimezone(timezone.utc)
    except (ValueError, OverflowError):
        raise InvalidParameter("Invalid option") from None
    if abs(found - datetime.now(timezone.utc)) > _FARTHEST:
        raise InvalidParameter("Invalid option")
    return found
