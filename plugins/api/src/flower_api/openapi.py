"""The OpenAPI 3.1 document of the API, made from the route declarations."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from inspect import cleandoc
from typing import Any

import msgspec

from flower_api.commands import curl
from flower_api.operations import Operation
from flower_api.schemas import Error
from flower_plugins import Answer, Param

__all__ = ["document", "schemas_of"]

_REF = "#/components/schemas/{name}"
_TYPES = {str: "string", int: "integer", float: "number", bool: "boolean"}
_DESCRIPTION = """\
Watch and steer Celery clusters. Every GET also answers HEAD, carries an `ETag` and answers 304 to `If-None-Match`.
Errors are plain text, or `{"error": "…"}` when `Accept` names `application/json`. Unknown parameters are ignored.
"""


def document(
    operations: Sequence[Operation], *, version: str, server: str, base: str, challenges: Sequence[str]
) -> dict[str, Any]:
    """Return the document.

    `server` is the URL that the paths are under, relative to the document, and `base` the same one, absolute, for
    examples. `challenges` are those of the configured logins: the first word of each is an HTTP authentication
    scheme, and a caller must satisfy all of them.
    """
    schemes = {word.lower(): {"type": "http", "scheme": word.lower()} for word in _schemes(challenges)}
    writer = _Writer(operations, base=base, authenticated=bool(schemes))
    paths: dict[str, dict[str, Any]] = {}
    for operation in operations:
        paths.setdefault(operation.path, {})[operation.method.lower()] = writer.operation(operation)
    components: dict[str, Any] = {"schemas": writer.components, "responses": dict(sorted(writer.failures.items()))}
    if schemes:
        components["securitySchemes"] = schemes
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Flower",
            "version": version,
            "description": _DESCRIPTION,
            "license": {"name": "BSD-3-Clause", "identifier": "BSD-3-Clause"},
        },
        "servers": [{"url": server}],
        "tags": [{"name": tag} for tag in dict.fromkeys(operation.tag for operation in operations)],
        **({"security": [{name: [] for name in schemes}]} if schemes else {}),
        "paths": paths,
        "components": components,
    }


def schemas_of(operations: Sequence[Operation]) -> tuple[Mapping[int, dict[str, Any]], dict[str, Any]]:
    """Return the JSON schemas of the types that operations name, by `id` of the type, and what they refer to."""
    types: list[Any] = [Error]
    for operation in operations:
        types += [answer.type for answer in operation.answers if answer.type is not None]
        if operation.route.body is not None:
            types.append(operation.route.body)
    made, components = msgspec.json.schema_components(types, ref_template=_REF)
    for schema in components.values():
        if "description" in schema:  # a docstring, which Python itself takes its indentation off from 3.13 on
            schema["description"] = cleandoc(schema["description"])
    return {id(kind): schema for kind, schema in zip(types, made, strict=True)}, components


class _Writer:
    """Writes operations that share their components."""

    def __init__(self, operations: Sequence[Operation], *, base: str, authenticated: bool) -> None:
        self._schemas, self.components = schemas_of(operations)
        self.failures: dict[str, dict[str, Any]] = {}
        """The answers that routes share, by status."""
        self._base, self._authenticated = base, authenticated

    def operation(self, operation: Operation) -> dict[str, Any]:
        """Return an operation object."""
        route = operation.route
        written: dict[str, Any] = {
            "operationId": operation.id,
            "summary": operation.title,
            "description": route.help,
            "tags": [operation.tag],
            "parameters": [
                *(_placeholder(name, text) for name, (_, text) in operation.placeholders.items()),
                *(_parameter(param) for param in route.params),
            ],
            "responses": self._responses(operation),
            "x-codeSamples": [
                {"lang": "Shell", "label": label or "curl", "source": command}
                for label, command in curl(operation, self._base, credentials=self._authenticated)
            ],
        }
        if route.body is not None:
            content = {"application/json": {"schema": self._schemas[id(route.body)]}}
            written["requestBody"] = {"required": False, "content": content}
        if operation.open and self._authenticated:
            written["security"] = []
        return written

    def _responses(self, operation: Operation) -> dict[str, Any]:
        responses: dict[str, Any] = {}
        for answer in operation.answers:
            if answer.status >= 400 and answer not in operation.route.answers:
                responses[str(answer.status)] = {"$ref": f"#/components/responses/{answer.status}"}
                self.failures[str(answer.status)] = _described(answer, self._content(answer))
                continue
            described = _described(answer, self._content(answer))
            known = responses.setdefault(str(answer.status), described)
            known.get("content", {}).update(described.get("content", {}))
        return responses

    def _content(self, answer: Answer) -> Iterator[tuple[str, Mapping[str, Any]]]:
        if answer.type is not None:
            yield answer.content_type, self._schemas[id(answer.type)]
        elif answer.status >= 400:
            yield "application/json", self._schemas[id(Error)]
            yield "text/plain", {"type": "string"}
        elif answer.status < 300 and answer.content_type not in ("", "application/json"):
            yield answer.content_type, {"type": "string"}


def _described(answer: Answer, content: Iterable[tuple[str, Mapping[str, Any]]]) -> dict[str, Any]:
    written = {name: {"schema": schema} for name, schema in content}
    return {"description": answer.help, **({"content": written} if written else {})}


def _schemes(challenges: Sequence[str]) -> Sequence[str]:
    return [word for challenge in challenges for word in challenge.split()[:1]]


def _placeholder(name: str, text: str) -> dict[str, Any]:
    return {"name": name, "in": "path", "required": True, "description": text, "schema": {"type": "string"}}


def _parameter(param: Param) -> dict[str, Any]:
    bounds = {"minimum": param.minimum, "maximum": param.maximum, "default": param.default}
    schema: dict[str, Any] = {
        "type": _TYPES.get(param.type, "string"),
        **{word: value for word, value in bounds.items() if value is not None},
    }
    if param.choices:
        schema["enum"] = list(param.choices)
    return {
        "name": param.name,
        "in": "query",
        "required": param.required,
        "description": param.help,
        "schema": schema,
    }
