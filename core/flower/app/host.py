"""What plugins see of the running Flower."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import urlencode

import msgspec

from flower import __version__
from flower_plugins import (
    Banner,
    Broker,
    Control,
    DrawnPanel,
    Inspect,
    MetricFamily,
    NavItem,
    NotFound,
    PluginReport,
    Problem,
    Queues,
    Results,
    Rollups,
    Route,
    Settings,
    Status,
    Stream,
    Task,
    TaskColumn,
    Tasks,
    Workers,
)

if TYPE_CHECKING:
    from flower.app.flower import Flower

__all__ = ["FlowerHost"]

T = TypeVar("T")


_encode = msgspec.json.Encoder(enc_hook=str).encode
_spaced = msgspec.json.format
"""With a space behind colons and commas, as Python and so older Flowers write: scripts may look for such texts."""


class FlowerHost:
    """Satisfies `flower_plugins.Host` over the assembled parts."""

    version = __version__

    def __init__(self, flower: Flower) -> None:
        self.flower = flower

    @property
    def settings(self) -> Settings:
        return self.flower.settings

    @property
    def broker(self) -> Broker:
        return self.flower.broker

    @property
    def tasks(self) -> Tasks:
        return self.flower.state.tasks

    @property
    def workers(self) -> Workers:
        return self.flower.state.workers

    @property
    def inspect(self) -> Inspect:
        return self.flower.inspect

    @property
    def control(self) -> Control:
        return self.flower.control

    @property
    def results(self) -> Results:
        return self.flower.results

    @property
    def queues(self) -> Queues:
        return self.flower.queues

    @property
    def status(self) -> Status:
        return self.flower.status

    @property
    def stream(self) -> Stream:
        return self.flower.hub

    @property
    def rollups(self) -> Rollups:
        return self.flower.state.rollups

    @property
    def timezone(self) -> str:
        return str(self.flower.celery.conf.timezone or "UTC")

    @property
    def celery(self) -> Any:
        return self.flower.celery

    def plugins(self) -> Sequence[PluginReport]:
        return self.flower.registry.reports()

    def nav_items(self) -> Sequence[NavItem]:
        return self.flower.nav_items

    def task_columns(self) -> Sequence[TaskColumn]:
        return self.flower.columns

    def task_panels(self, task: Task, **names: Any) -> Sequence[DrawnPanel]:
        return self.flower.panels.drawn(task, names)

    def banners(self) -> Sequence[Banner]:
        return self.flower.banners()

    def problems(self) -> Sequence[Problem]:
        return self.flower.problems.now()

    def metrics(self) -> Iterable[MetricFamily]:
        return self.flower.metric_families()

    def routes(self) -> Sequence[Route]:
        return [entry.route for entry in self.flower.table] if self.flower.table else []

    def challenges(self) -> Sequence[str]:
        return [provider.challenge for provider in self.flower.providers if provider.challenge]

    def url(self, path: str, **query: object) -> str:
        text = urlencode({key: value for key, value in query.items() if value is not None})
        return self.flower.prefix + path + (f"?{text}" if text else "")

    def asset(self, plugin: str, file: str) -> str:
        path = f"/static/{plugin}/{file}"
        try:
            return self.url(path, v=self.flower.assets.digest(plugin, file))
        except NotFound:
            return self.url(path)

    def json(self, value: Any) -> bytes:
        try:
            return _spaced(_encode(value), indent=0)
        except (UnicodeEncodeError, OverflowError):  # a lone surrogate or a huge number that nobody scrubbed
            finite = json.loads(json.dumps(value, default=str), parse_constant=lambda _: None)
            return json.dumps(finite).encode()

    def render(self, template: str, context: Mapping[str, Any]) -> str | None:
        renderer = self.flower.renderer
        return None if renderer is None else renderer.render(template, context)

    async def run_blocking(self, call: Callable[..., T], *args: Any, timeout: float = 5.0) -> T:
        return await self.flower.executor.run(call, *args, timeout=timeout)
