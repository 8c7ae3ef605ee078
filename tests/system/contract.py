"""The served OpenAPI document as a contract that answers are held against."""

from __future__ import annotations

import json
import re
from typing import Any

import httpx
from jsonschema import Draft202012Validator

__all__ = ["Contract"]


class Contract:
    """An OpenAPI document; `prefix` is the path of its server."""

    def __init__(self, document: dict[str, Any]) -> None:
        self.document = document
        self.prefix = document["servers"][0]["url"].rstrip("/")

    def faults(self, response: httpx.Response) -> list[str]:
        """Return what of an answer the document does not promise."""
        request = response.request
        method = "get" if request.method == "HEAD" else request.method.lower()
        operation = self.operation(method, request.url.path)
        if operation is None:
            return [f"{request.method} {request.url.path} is not described"]
        declared = operation["responses"].get(str(response.status_code))
        if declared is None:
            return [f"status {response.status_code} is not declared"]
        content = self._resolved(declared).get("content", {})
        if not response.content:  # an error may go without words
            return [] if request.method == "HEAD" or not content or "text/plain" in content else ["the body is missing"]
        kind = response.headers.get("Content-Type", "").partition(";")[0]
        if kind not in content:
            return [f"{kind} is not declared for {response.status_code}"]
        if kind != "application/json":
            return []
        value = json.loads(response.content, parse_constant=_refuse)
        validator = Draft202012Validator({**content[kind]["schema"], "components": self.document["components"]})
        return [f"{'/'.join(map(str, error.path))}: {error.message[:200]}" for error in validator.iter_errors(value)]

    def reads(self, task: str, worker: str) -> list[str]:
        """Return the path below the prefix of every GET that answers with JSON, placeholders filled in."""
        return [
            re.sub(r"\{\w+\}", worker if path.startswith("/api/worker/") else task, path)
            for path, methods in self.document["paths"].items()
            if "application/json" in methods.get("get", {}).get("responses", {}).get("200", {}).get("content", {})
        ]

    def operation(self, method: str, path: str) -> Any:
        """Return the operation that a path belongs to, literal paths before those with placeholders."""
        inside = path.removeprefix(self.prefix)
        for template in sorted(self.document["paths"], key=lambda each: "{" in each):
            pattern = re.sub(r"\\\{\w+\\\}", ".*", re.escape(template))
            if re.fullmatch(pattern + "/?", inside, re.DOTALL) and method in self.document["paths"][template]:
                return self.document["paths"][template][method]
        return None

    def _resolved(self, declared: dict[str, Any]) -> dict[str, Any]:
        name = declared.get("$ref", "").rpartition("/")[2]
        found: dict[str, Any] = self.document["components"]["responses"][name] if name else declared
        return found


def _refuse(name: str) -> None:
    raise AssertionError(f"{name} is not JSON")
