"""What there is to document: one operation for each path and method of the API."""

from __future__ import annotations

import re
from collections.abc import Container, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from flower_api.failures import FAILURES, failures_of
from flower_api.patterns import paths, placeholders
from flower_plugins import Answer, Route, Unavailable
from flower_plugins.web import handler_of, methods

__all__ = ["Operation", "operations"]

_TAGS = {
    "task": "Tasks",
    "tasks": "Tasks",
    "worker": "Workers",
    "workers": "Workers",
    "queue": "Queues",
    "queues": "Queues",
}
_ORDER = ("Tasks", "Workers", "Queues")
_PROBES = "Health and metrics"
_OTHER = "About this server"
_PLACEHOLDERS = {
    "id": ("TASK_ID", "Id of the task"),
    "uuid": ("TASK_ID", "Id of the task"),
    "taskname": ("TASK_NAME", "Name of the task type"),
    "task": ("TASK_NAME", "Name of the task type"),
    "worker": ("WORKER", "Node name of the worker, such as w1@host"),
    "workername": ("WORKER", "Node name of the worker, such as w1@host"),
}
_READING = ("public", "read")
_HAPPY = Answer(200, "Done", content_type="")
_UNCHANGED = Answer(304, "Nothing has changed since the answer whose `ETag` was sent as `If-None-Match`")


@dataclass(frozen=True, slots=True)
class Operation:
    """One method of one path. `id` is its name for programs, made of the route's name."""

    route: Route
    method: str
    path: str
    id: str

    @property
    def title(self) -> str:
        """The route's name as a heading."""
        name = self.route.name.replace("-", " ")
        return name[:1].upper() + name[1:]

    @property
    def tag(self) -> str:
        """The group it belongs to."""
        if self.route.surface == "probe":
            return _PROBES
        word = self.path.removeprefix("/api/").partition("/")[0]
        return _TAGS.get(word, _OTHER)

    @property
    def placeholders(self) -> Mapping[str, tuple[str, str]]:
        """What stands for each placeholder of the path in examples, and what it means."""
        named = "worker" if self.path.startswith("/api/worker/") else "task"
        return {
            name: _PLACEHOLDERS.get(named if name == "name" else name, (name.upper(), ""))
            for name in placeholders(self.path)
        }

    @property
    def answers(self) -> Sequence[Answer]:
        """Every answer by status, those that any route may give included; a status has one for each type of content."""
        declared = self.route.answers
        statuses = {answer.status for answer in declared}
        found = [*declared, *([] if any(status < 300 for status in statuses) else [_HAPPY])]
        found += [Answer(status, FAILURES[status].help) for status in failures_of(self.route, self.method)]
        if self.method == "GET" and self.route.surface == "api":
            found.append(_UNCHANGED)
        return sorted((each for each in found if each in declared or each.status not in statuses), key=_status)

    @property
    def open(self) -> bool:
        """Tell whether it needs no credentials."""
        return self.route.access == "public"


def operations(routes: Iterable[Route]) -> Sequence[Operation]:
    """Return the operations of the API and of the probes, in the order of documentation."""
    found: dict[str, Operation] = {}
    for route in routes:
        taken = _methods(route)
        for path in _paths(route) if route.surface != "page" else ():
            for method in taken:
                name = _free(route.name if len(taken) == 1 else f"{route.name} {method}", found)
                found[name] = Operation(route, method, path, name)
    return sorted(found.values(), key=_place)


def _methods(route: Route) -> Sequence[str]:
    """Return what a route takes; core lets no GET through to one that changes something."""
    try:
        taken = methods(handler_of(route))
    except Unavailable:  # a route of somebody's plugin that answers 503 is left out as well
        return ()
    return [each for each in taken if each != "HEAD" and (each != "GET" or route.access in _READING)]


def _free(name: str, taken: Container[str]) -> str:
    word = re.sub(r"\W+", "_", name.lower()).strip("_") or "operation"
    return next(each for each in (word, *(f"{word}_{n}" for n in range(2, 100))) if each not in taken)


def _paths(route: Route) -> Sequence[str]:
    try:
        return paths(route.pattern)
    except ValueError:  # a route of somebody's plugin works all the same, it is only left out here
        return ()


def _status(answer: Answer) -> int:
    return answer.status


def _place(operation: Operation) -> tuple[Any, ...]:
    tag = operation.tag
    rank = _ORDER.index(tag) if tag in _ORDER else len(_ORDER) + (tag == _PROBES)
    if operation.method == "GET":
        return rank, 0, "{" in operation.path
    return rank, 1, operation.path
