"""What each hook must return: the check between a plugin's answer and the code that trusts it."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, get_args

from flower.plugins.faults import PluginError
from flower_plugins import (
    Assets,
    EventSink,
    MetricExporter,
    MetricSource,
    NavItem,
    Offer,
    Option,
    Param,
    Route,
    Service,
    Surface,
    Task,
    TaskColumn,
    TaskPanel,
)
from flower_plugins.columns import ColumnKind
from flower_plugins.routes import ACCESS_LEVELS

__all__ = ["LITERAL", "checked"]

LITERAL = re.compile(r"[A-Za-z0-9/_-]+")
"""A route's pattern that stands for one path."""

_NAME = re.compile(r"[a-z][a-z0-9_]*")
_LOAD = re.compile(r"[A-Za-z_][\w.]*:[A-Za-z_]\w*")
_OPTION_TYPES = (str, int, float, bool, object)
_PARAM_TYPES = (str, int, float, bool)


def checked(hook: str, answer: object) -> list[Any]:
    """Return the items of a hook's answer. Raise PluginError when it or one of them is not what the hook promises."""
    if not isinstance(answer, Sequence) or isinstance(answer, (str, bytes)):
        raise PluginError(f"{hook} returned {type(answer).__name__}, expected a list")
    items: list[Any] = list(answer)
    for item in items:
        problem = _CHECKS[hook](item)
        if problem:
            raise PluginError(f"{hook}: {problem}")
    return items


def _instance(item: object, kind: type) -> str:
    return "" if isinstance(item, kind) else f"{type(item).__name__} is not {_article(kind.__name__)}"


def _article(name: str) -> str:
    return f"an {name}" if name[0] in "AEIO" else f"a {name}"


def _option(item: object) -> str:
    if not isinstance(item, Option):
        return _instance(item, Option)
    if not isinstance(item.name, str) or not _NAME.fullmatch(item.name):
        return f"option name {item.name!r} is not lower_snake"
    if item.type not in _OPTION_TYPES:
        return f"option {item.name!r} has type {item.type!r}, expected str, int, float, bool or object"
    if not _texts(item.choices) or not _texts(item.env):
        return f"option {item.name!r}: choices and env are lists of texts"
    if not _fits(item):
        return f"option {item.name!r} has the default {item.default!r:.100}, which is no {item.type.__name__}"
    return ""


def _fits(option: Option) -> bool:
    """Tell whether the default is of the option's type."""
    if option.default is None or option.type is object:
        return True
    if option.multiple != isinstance(option.default, (tuple, list)):
        return False
    values = option.default if option.multiple else [option.default]
    wanted = (float, int) if option.type is float else option.type
    return all(isinstance(each, wanted) and (option.type is bool or not isinstance(each, bool)) for each in values)


def _offer(item: object) -> str:
    if not isinstance(item, Offer):
        return _instance(item, Offer)
    if not isinstance(item.name, str) or not item.name:
        return "an offer has no name"
    if not _texts(item.aliases) or not _texts(item.schemes):
        return f"offer {item.name!r}: aliases and schemes are lists of texts"
    if item.unavailable and not item.load:
        return ""
    if not isinstance(item.load, str) or not _LOAD.fullmatch(item.load):
        return f"offer {item.name!r} loads {item.load!r}, expected 'package.module:Class'"
    return ""


def _route(item: object) -> str:
    # Here, not above: the command line reads options, and must not pay for Tornado's web module.
    from flower_plugins.web import Handler

    if not isinstance(item, Route):
        return _instance(item, Route)
    if item.access not in ACCESS_LEVELS:
        return f"route {item.pattern!r} has access {item.access!r}, expected one of {', '.join(ACCESS_LEVELS)}"
    if item.surface not in get_args(Surface):
        return f"route {item.pattern!r} has surface {item.surface!r}, expected one of {', '.join(get_args(Surface))}"
    if isinstance(item.handler, str):
        if not _LOAD.fullmatch(item.handler):
            return f"route {item.pattern!r} names the handler {item.handler!r}, expected 'package.module:Class'"
    elif not isinstance(item.handler, type) or not issubclass(item.handler, Handler):
        return f"route {item.pattern!r}: the handler is not a subclass of flower_plugins.web.Handler"
    if not isinstance(item.name, str) or not item.name:
        return f"route {item.pattern!r} has no name"
    wrong = [param for param in item.params if not isinstance(param, Param) or param.type not in _PARAM_TYPES]
    if wrong:
        return f"route {item.pattern!r}: {wrong[0]!r} is not a Param of type str, int, float or bool"
    try:
        re.compile(item.pattern, re.DOTALL)  # as the route table does, which then finds it in the cache
    except (re.error, TypeError) as error:
        return f"route {item.pattern!r}: {error}"
    return ""


def _nav_item(item: object) -> str:
    if not isinstance(item, NavItem):
        return _instance(item, NavItem)
    if not isinstance(item.path, str) or not item.path.startswith("/"):
        return f"navigation path {item.path!r} does not begin with a slash"
    return ""


def _column(item: object) -> str:
    if not isinstance(item, TaskColumn):
        return _instance(item, TaskColumn)
    if fault := _slug(item.slug, "column") or _title(item.title, f"column {item.slug!r}"):
        return fault
    if item.slug == "all" or hasattr(Task, item.slug):
        return f"column {item.slug!r} has the name of a field of tasks, choose another slug"
    if item.kind not in get_args(ColumnKind):
        return f"column {item.slug!r} is of kind {item.kind!r}, expected one of {', '.join(get_args(ColumnKind))}"
    return _function(item.value, f"column {item.slug!r}: value")


def _panel(item: object) -> str:
    if not isinstance(item, TaskPanel):
        return _instance(item, TaskPanel)
    if fault := _slug(item.slug, "panel") or _title(item.title, f"panel {item.slug!r}"):
        return fault
    if not isinstance(item.order, int):
        return f"panel {item.slug!r} has the order {item.order!r}, expected a whole number"
    if not isinstance(item.template, str):
        return f"panel {item.slug!r} has the template {item.template!r}, expected a file name"
    if item.content is None:
        return "" if item.template else f"panel {item.slug!r} has neither content nor template"
    return _function(item.content, f"panel {item.slug!r}: content")


def _slug(slug: object, what: str) -> str:
    return "" if isinstance(slug, str) and _NAME.fullmatch(slug) else f"{what} slug {slug!r} is not lower_snake"


def _title(title: object, what: str) -> str:
    return "" if isinstance(title, str) and title.strip() else f"{what} has no title"


def _function(value: object, what: str) -> str:
    if not callable(value):
        return f"{what} is {type(value).__name__}, expected a function"
    return f"{what} is async, expected a plain function" if inspect.iscoroutinefunction(value) else ""


def _assets(item: object) -> str:
    if not isinstance(item, Assets):
        return _instance(item, Assets)
    for folder in (item.templates, item.static):
        if folder is not None and not (isinstance(folder, Path) and folder.is_dir()):
            return f"{folder!r} is not a folder"
    return ""


def _service(item: object) -> str:
    if isinstance(item, Service) and not isinstance(getattr(item, "name", None), str):
        return f"service {type(item).__name__} has no name"
    return _instance(item, Service)


def _formatter(item: object) -> str:
    return "" if callable(getattr(item, "format", None)) else f"{type(item).__name__} has no method format(task)"


def _exporter(item: object) -> str:
    if isinstance(item, MetricExporter) and not str(getattr(item, "path", "")).startswith("/"):
        return f"exporter {type(item).__name__} has no path that begins with a slash"
    return _instance(item, MetricExporter)


def _texts(value: object) -> bool:
    return isinstance(value, (list, tuple)) and all(isinstance(item, str) for item in value)


_CHECKS: Mapping[str, Callable[[object], str]] = {
    "flower_assets": _assets,
    "flower_auth_providers": _offer,
    "flower_broker_inspectors": _offer,
    "flower_event_sinks": lambda item: _instance(item, EventSink),
    "flower_event_sources": _offer,
    "flower_history_stores": _offer,
    "flower_metric_exporters": _exporter,
    "flower_metric_sources": lambda item: _instance(item, MetricSource),
    "flower_nav_items": _nav_item,
    "flower_options": _option,
    "flower_renderers": _offer,
    "flower_routes": _route,
    "flower_services": _service,
    "flower_task_columns": _column,
    "flower_task_formatters": _formatter,
    "flower_task_panels": _panel,
}
