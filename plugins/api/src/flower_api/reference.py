"""The API for people: what the page and docs/api.md show of each operation, in words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from flower_api.commands import curl
from flower_api.failures import FAILURES, Failure
from flower_api.openapi import schemas_of
from flower_api.operations import Operation
from flower_plugins import Answer, Param

__all__ = ["Entry", "Outcome", "Reference", "Row", "Section", "Shape", "reference"]


@dataclass(frozen=True, slots=True)
class Row:
    """A parameter or a field: `type` in words, with its bounds."""

    name: str
    type: str
    help: str
    required: bool = False


@dataclass(frozen=True, slots=True)
class Outcome:
    """An answer: `type` in words, `shape` the shape to look at for its fields, "" for none."""

    status: int
    help: str
    type: str
    shape: str


@dataclass(frozen=True, slots=True)
class Entry:
    """An operation. `errors` are the statuses that `Reference.failures` explains."""

    method: str
    path: str
    anchor: str
    title: str
    help: str
    access: str
    rows: Sequence[Row]
    body: Outcome | None
    outcomes: Sequence[Outcome]
    errors: Sequence[int]
    commands: Sequence[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Section:
    """The operations of one group."""

    title: str
    entries: Sequence[Entry]


@dataclass(frozen=True, slots=True)
class Shape:
    """An object that answers are made of."""

    name: str
    help: str
    rows: Sequence[Row]


@dataclass(frozen=True, slots=True)
class Reference:
    """Everything there is to tell."""

    sections: Sequence[Section]
    shapes: Sequence[Shape]
    failures: Sequence[Failure]


def reference(operations: Sequence[Operation], *, base: str, credentials: bool) -> Reference:
    """Return the reference; `base` is the URL that example commands ask, with `credentials` where they need any."""
    schemas, components = schemas_of(operations)
    sections = [
        Section(tag, [_entry(each, schemas, base, credentials=credentials) for each in group])
        for tag, group in groupby(operations, key=lambda operation: operation.tag)
    ]
    shapes = [
        Shape(name, schema.get("description", ""), _fields(schema))
        for name, schema in components.items()
        if schema.get("properties")
    ]
    return Reference(sections, shapes, list(FAILURES.values()))


def _entry(operation: Operation, schemas: Mapping[int, Any], base: str, *, credentials: bool) -> Entry:
    route = operation.route
    body = None if route.body is None else _outcome(Answer(0, "", route.body), schemas)
    return Entry(
        method=operation.method,
        path=operation.path,
        anchor=operation.id.replace("_", "-"),
        title=operation.title,
        help=route.help,
        access=route.access,
        rows=[
            *(Row(name, "string, in the path", text, True) for name, (_, text) in operation.placeholders.items()),
            *(Row(param.name, _bounds(param), param.help, param.required) for param in route.params),
        ],
        body=body,
        outcomes=[_outcome(each, schemas) for each in operation.answers if each.status < 400],
        errors=list(dict.fromkeys(each.status for each in operation.answers if each.status >= 400)),
        commands=curl(operation, base, credentials=credentials),
    )


def _outcome(answer: Answer, schemas: Mapping[int, Any]) -> Outcome:
    if answer.type is None:
        words = "" if answer.status >= 300 or answer.content_type == "application/json" else answer.content_type
        return Outcome(answer.status, answer.help, words, "")
    words, shape = _words(schemas[id(answer.type)])
    return Outcome(answer.status, answer.help, words, shape)


def _fields(schema: Mapping[str, Any]) -> Sequence[Row]:
    required = schema.get("required", ())
    return [
        Row(name, _words(field)[0], field.get("description", ""), name in required)
        for name, field in schema["properties"].items()
    ]


def _words(schema: Mapping[str, Any]) -> tuple[str, str]:
    """Return a schema in words, and the component it leads to."""
    if "$ref" in schema:
        name = schema["$ref"].rpartition("/")[2]
        return name, name
    if "anyOf" in schema:
        found = [_words(each) for each in schema["anyOf"]]
        return " or ".join(words for words, _ in found), next((shape for _, shape in found if shape), "")
    kind = schema.get("type", "anything")
    if kind == "array" and schema.get("items"):
        words, shape = _words(schema["items"])
        return f"array of {words}", shape
    if kind == "object" and isinstance(schema.get("additionalProperties"), dict) and schema["additionalProperties"]:
        words, shape = _words(schema["additionalProperties"])
        return f"object with {words} by key", shape
    return str(kind), ""


def _bounds(param: Param) -> str:
    words = {str: "string", int: "integer", float: "number", bool: "boolean"}.get(param.type, "string")
    if param.choices:
        return f"{words}: {', '.join(param.choices)}"
    if param.minimum is not None and param.maximum is not None:
        return f"{words}, {param.minimum:.15g} to {param.maximum:.15g}"
    if param.minimum is not None:
        return f"{words}, at least {param.minimum:.15g}"
    return words
