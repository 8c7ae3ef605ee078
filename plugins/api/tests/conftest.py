"""The API over a fake host."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

import pytest

from flower_api.plugin import flower_routes
from flower_plugins.testing import Client, FakeHost, FakeWorker, serve

Ask = Callable[..., tuple[int, Any]]


class Api:
    """A host and the API over it."""

    def __init__(self) -> None:
        self.host = FakeHost(workers=[FakeWorker("w1@shop"), FakeWorker("w2@shop"), FakeWorker("gone@shop", False)])
        self.host.control.task_names = {"shop.add"}

    def post(
        self, path: str, body: Any = None, headers: Mapping[str, str] | None = None, *, accept: str = ""
    ) -> tuple[int, Any]:
        """Return status and parsed body of a POST; a body that is no text is sent as JSON."""
        text = body if isinstance(body, (str, bytes)) or body is None else json.dumps(body)
        return self.ask(path, "POST", text, {**(headers or {}), **({"Accept": accept} if accept else {})})

    def get(self, path: str, headers: Mapping[str, str] | None = None) -> tuple[int, Any]:
        return self.ask(path, "GET", None, headers)

    def ask(self, path: str, method: str, body: Any, headers: Mapping[str, str] | None) -> tuple[int, Any]:
        async def scenario(client: Client) -> tuple[int, Any]:
            response = await client.fetch(path, method, body, headers)
            text = response.body.decode()
            is_json = response.headers.get("Content-Type", "").startswith("application/json")
            return response.code, json.loads(text) if is_json else text

        return serve(self.host, flower_routes(), scenario)


@pytest.fixture
def api() -> Api:
    return Api()
