"""A host with the dashboard's renderer, and a reader of its pages."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from jinja2.bccache import Bucket, BytecodeCache
from tornado.httpclient import HTTPResponse

from flower_dashboard import plugin
from flower_dashboard.renderer import JinjaRenderer
from flower_plugins import Route
from flower_plugins.testing import Client, FakeHost, FakeTask, FakeWorker, offer_context, serve


class Page(HTMLParser):
    """A parsed page: its elements with attributes, and its text."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.html = html
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self._text: list[str] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self._text.append(data)

    @property
    def text(self) -> str:
        return " ".join(" ".join(self._text).split())

    @property
    def chosen_span(self) -> str:
        """How far back the chart goes, in words."""
        switch = self.html.split('aria-label="How far back"')[1].split("</nav>")[0]
        return switch.split('aria-current="true">')[1].split("<")[0]

    def values(self, tag: str, attribute: str) -> list[str]:
        return [attrs[attribute] or "" for name, attrs in self.elements if name == tag and attribute in attrs]

    def find(self, tag: str, **wanted: str) -> list[dict[str, str | None]]:
        return [a for name, a in self.elements if name == tag and all(a.get(k) == v for k, v in wanted.items())]


class Compiled(BytecodeCache):
    """Templates compiled once for all tests."""

    def __init__(self) -> None:
        self.code: dict[str, bytes] = {}

    def load_bytecode(self, bucket: Bucket) -> None:
        if bucket.key in self.code:
            bucket.bytecode_from_string(self.code[bucket.key])

    def dump_bytecode(self, bucket: Bucket) -> None:
        self.code[bucket.key] = bucket.bytecode_to_string()


COMPILED = Compiled()


class Site:
    """The dashboard served over a fake host; every call is one visit to a fresh server."""

    def __init__(self, host: FakeHost, refusals: dict[str, str]) -> None:
        self.host, self.refusals = host, refusals
        self.routes: Sequence[Route] = plugin.flower_routes(host)

    def serve(self, scenario: Callable[[Client], Any]) -> Any:
        return serve(self.host, self.routes, scenario, refusals=self.refusals)

    def fetch(self, path: str, method: str = "GET", body: str | None = None, **headers: str) -> HTTPResponse:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return self.serve(lambda client: client.fetch(path, method, body, named))

    def page(self, path: str, status: int = 200) -> Page:
        response = self.fetch(path)
        assert response.code == status, (response.code, response.body)
        return Page(response.body.decode())

    def json(self, path: str) -> Any:
        return self.serve(lambda client: client.json(path))


def make_site(*, refusals: dict[str, str] | None = None, templates: Sequence[Path] = (), **host_options: Any) -> Site:
    options = plugin.flower_options()
    host_options.setdefault("tasks", [FakeTask("a"), FakeTask("b", state="FAILURE", exception="ValueError('no')")])
    host_options.setdefault("workers", [FakeWorker("w1@shop"), FakeWorker("w2@shop", online=False)])
    host = FakeHost(options=options, **host_options)
    host.navigation = list(plugin.flower_nav_items())
    renderer = JinjaRenderer(offer_context(*options, natural_time=host.settings["natural_time"]))
    own = plugin.flower_assets()[0].templates
    assert own is not None
    renderer.open(host, [own, *templates])
    renderer.environment.bytecode_cache = COMPILED
    host.renderer = renderer.render
    return Site(host, refusals or {})


@pytest.fixture
def site() -> Callable[..., Site]:
    return make_site


@pytest.fixture
def parse() -> Callable[[str], Page]:
    return Page
