"""Example requests as command lines."""

from __future__ import annotations

import json
import shlex
from collections.abc import Sequence
from urllib.parse import quote, urlencode

from flower_api.operations import Operation
from flower_plugins import Example

__all__ = ["curl"]


def curl(operation: Operation, server: str, *, credentials: bool) -> Sequence[tuple[str, str]]:
    """Return (what it asks for, command) of every example of an operation, under the URL `server`."""
    path = operation.path
    for name, (word, _) in operation.placeholders.items():
        path = path.replace(f"{{{name}}}", word)
    return [
        (example.help, _command(operation, server.rstrip("/") + path, example, credentials=credentials))
        for example in operation.route.examples or (Example(),)
    ]


def _command(operation: Operation, url: str, example: Example, *, credentials: bool) -> str:
    words = ["curl"]
    if credentials and not operation.open:
        words += ["-u", "user:password"]
    if operation.method != "GET":
        words += ["-X", operation.method]
    if example.body is not None:
        words += ["-H", "Content-Type: application/json", "-d", json.dumps(example.body)]
    query = urlencode({name: _text(value) for name, value in example.query.items()}, quote_via=quote)
    words.append(url + (f"?{query}" if query else ""))
    return shlex.join(words)


def _text(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
