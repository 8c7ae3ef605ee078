"""Contract classes: subclass the one for your kind of plugin, and its rules become your tests.

They need no test framework beyond functions named `test_…`; pytest collects them from your subclass.
"""

from __future__ import annotations

import asyncio
import importlib
import inspect
import math
import re
from abc import abstractmethod
from collections.abc import Callable, Iterable, Sequence
from types import ModuleType
from typing import Any

from flower_plugins import hooks
from flower_plugins.brokers import BrokerInspector, QueueStats
from flower_plugins.changes import EventSink, TaskChange, WorkerChange
from flower_plugins.columns import TaskColumn
from flower_plugins.errors import Unavailable
from flower_plugins.history import HistoryStore, Row
from flower_plugins.identity import AuthProvider, Identity
from flower_plugins.metrics import HistogramSample, MetricExporter, MetricFamily, MetricSource, Sample
from flower_plugins.offers import Offer
from flower_plugins.options import Option
from flower_plugins.pages import Assets, NavItem
from flower_plugins.panels import TaskPanel
from flower_plugins.records import EditableTask, TaskFormatter
from flower_plugins.routes import ACCESS_LEVELS, Answer, Route
from flower_plugins.services import Service
from flower_plugins.sources import EventSource, Messages
from flower_plugins.testing.host import FakeHost
from flower_plugins.testing.records import FakeTask, FakeWorker
from flower_plugins.web import Handler, handler_of

__all__ = [
    "AuthProviderContract",
    "BrokerInspectorContract",
    "EventSinkContract",
    "EventSourceContract",
    "HistoryStoreContract",
    "MetricExporterContract",
    "MetricSourceContract",
    "PluginContract",
    "ServiceContract",
    "TaskFormatterContract",
]

_RESULT_TYPES: dict[str, type] = {
    "flower_assets": Assets,
    "flower_event_sinks": EventSink,
    "flower_metric_exporters": MetricExporter,
    "flower_metric_sources": MetricSource,
    "flower_nav_items": NavItem,
    "flower_options": Option,
    "flower_routes": Route,
    "flower_services": Service,
    "flower_task_columns": TaskColumn,
    "flower_task_panels": TaskPanel,
}
_OFFERED: dict[str, type] = {
    "flower_auth_providers": AuthProvider,
    "flower_broker_inspectors": BrokerInspector,
    "flower_event_sources": EventSource,
    "flower_history_stores": HistoryStore,
}


class PluginContract:
    """Every plugin: set `plugin` to the module your entry point names."""

    plugin: ModuleType

    def make_host(self) -> FakeHost:
        """Return the host that hooks are called with."""
        return FakeHost(
            tasks=[FakeTask("a"), FakeTask("b", state="FAILURE", result=None, exception="ValueError('no')")],
            workers=[FakeWorker("w1@shop"), FakeWorker("w2@shop", online=False)],
            options=self.call("flower_options"),
        )

    def hooks(self) -> dict[str, Callable[..., Sequence[Any]]]:
        """Return the plugin's hook functions by name."""
        return {
            name: value for name, value in vars(self.plugin).items() if name.startswith("flower_") and callable(value)
        }

    def call(self, name: str) -> list[Any]:
        """Return what one hook contributes, [] when the plugin does not have it."""
        hook = self.hooks().get(name)
        if hook is None:
            return []
        return list(hook(self.make_host()) if inspect.signature(hook).parameters else hook())

    def test_every_hook_is_known_and_marked(self) -> None:
        assert self.hooks(), "the module defines no hook"
        for name, hook in self.hooks().items():
            spec = getattr(hooks, name, None)
            assert spec is not None, f"{name} is not a hook"
            assert hasattr(hook, "flower_impl"), f"{name} lacks @hookimpl"
            assert list(inspect.signature(hook).parameters) in ([], list(inspect.signature(spec).parameters))

    def test_hooks_return_what_they_promise(self) -> None:
        for name, wanted in _RESULT_TYPES.items():
            for item in self.call(name):
                assert isinstance(item, wanted), f"{name} returned {item!r}"

    def test_options_are_named_and_explained(self) -> None:
        names = [option.name for option in self.call("flower_options")]
        assert len(names) == len(set(names))
        for option in self.call("flower_options"):
            assert re.fullmatch(r"[a-z][a-z0-9]*(_[a-z0-9]+)*", option.name)
            assert option.help, f"{option.name} has no help"
            if option.check is not None and option.default is not None and not option.multiple:
                assert option.check(option.default) is not None, f"the check of {option.name} returns no value"

    def test_offers_can_be_loaded(self) -> None:
        for name, wanted in _OFFERED.items():
            for offer in self.call(name):
                assert isinstance(offer, Offer)
                if offer.unavailable:
                    continue
                module, _, attribute = offer.load.partition(":")
                assert issubclass(getattr(importlib.import_module(module), attribute), wanted)

    def test_routes_say_who_may_use_them(self) -> None:
        seen = set()
        for route in self.call("flower_routes"):
            re.compile(route.pattern)
            assert route.pattern.startswith("/")
            assert route.pattern not in seen, f"{route.pattern} is declared twice"
            seen.add(route.pattern)
            handler = handler_of(route)
            assert route.access in ACCESS_LEVELS
            assert route.surface in ("page", "api", "probe")
            assert all(isinstance(answer, Answer) for answer in route.answers)
            assert len({answer.status for answer in route.answers}) == len(route.answers)
            if route.access in ("write", "admin"):
                assert not hasattr(handler, "get") or "get" not in _own_methods(handler)

    def test_assets_exist(self) -> None:
        for assets in self.call("flower_assets"):
            for folder in (assets.templates, assets.static):
                assert folder is None or folder.is_dir()

    def test_the_templates_of_panels_are_in_the_assets(self) -> None:
        folders = [assets.templates for assets in self.call("flower_assets") if assets.templates is not None]
        for panel in self.call("flower_task_panels"):
            assert panel.content or panel.template, f"panel {panel.slug!r} has nothing to show"
            if panel.template:
                assert any((folder / panel.template).is_file() for folder in folders), panel.template


class AuthProviderContract:
    """Auth providers."""

    @abstractmethod
    def make(self) -> AuthProvider:
        """Return a provider configured to let one user in."""

    @abstractmethod
    def good_headers(self) -> dict[str, str]:
        """Return the headers of a request by that user."""

    @abstractmethod
    def bad_headers(self) -> Iterable[dict[str, str]]:
        """Return the headers of requests that must not be let in."""

    def test_the_right_user_is_identified(self) -> None:
        identity = _identify(self.make(), self.good_headers())
        assert isinstance(identity, Identity)
        assert identity.name

    def test_nobody_else_is_identified(self) -> None:
        assert _identify(self.make(), {}) is None
        for headers in self.bad_headers():
            assert _identify(self.make(), headers) is None, headers


class BrokerInspectorContract:
    """Broker inspectors, against a real broker."""

    @abstractmethod
    def make(self) -> BrokerInspector:
        """Return an inspector of a broker that has the queue `filled()` with messages in it."""

    @abstractmethod
    def make_unreachable(self) -> BrokerInspector:
        """Return an inspector of a broker that is not there."""

    @abstractmethod
    def filled(self) -> tuple[str, int]:
        """Return the name of a queue and how many messages wait in it."""

    def test_a_filled_queue_shows_its_length(self) -> None:
        name, length = self.filled()
        rows = _ask(self.make(), [name])
        assert [(row.name, row.messages) for row in rows] == [(name, length)]
        assert all(isinstance(row, QueueStats) for row in rows)

    def test_no_names_give_no_rows(self) -> None:
        assert list(_ask(self.make(), [])) == []

    def test_an_unreachable_broker_is_reported_as_unavailable(self) -> None:
        try:
            _ask(self.make_unreachable(), ["celery"])
        except Unavailable as error:
            assert error.message
        else:
            raise AssertionError("no error was raised")


class EventSourceContract:
    """Event sources, against a real broker."""

    deadline = 15.0

    @abstractmethod
    def make(self) -> EventSource:
        """Return a source of a broker that `publish` sends to."""

    @abstractmethod
    def publish(self) -> None:
        """Send one event message to the broker."""

    def test_a_published_message_reaches_the_pump(self) -> None:
        pump = _RecordingPump()

        async def scenario() -> None:
            run = asyncio.ensure_future(self.make().run(pump))
            try:
                await pump.wait(lambda: pump.connections > 0, self.deadline, run)
                await asyncio.to_thread(self.publish)
                await pump.wait(lambda: bool(pump.bodies), self.deadline, run)
            finally:
                run.cancel()
                await asyncio.wait([run], timeout=5)
            assert run.done(), "run() did not end when cancelled"

        asyncio.run(scenario())
        assert pump.bodies


class HistoryStoreContract:
    """History stores."""

    @abstractmethod
    def make(self) -> HistoryStore:
        """Return a store; calls with one test return stores of the same place."""

    def test_rows_survive_reopening_newest_first_kept(self) -> None:
        store = self.make()
        store.open()
        store.save([Row("task", str(n), n, {"state": "SUCCESS", "runtime": 0.5, "n": n}) for n in range(10)], [])
        store.save([Row("task", "3", 11, {"state": "FAILURE"})], [("task", "9")])
        store.close()
        again = self.make()
        again.open()
        rows = again.load("task", 3)
        again.close()
        assert [row.key for row in rows] == ["7", "8", "3"]
        assert rows[-1].fields == {"state": "FAILURE"}

    def test_kinds_are_kept_apart(self) -> None:
        store = self.make()
        store.open()
        store.save([Row("task", "x", 1, {}), Row("worker", "x", 1, {"pid": 1})], [])
        assert [row.fields for row in store.load("worker", 10)] == [{"pid": 1}]
        store.close()


class EventSinkContract:
    """Event sinks."""

    @abstractmethod
    def make(self) -> EventSink:
        """Return a sink."""

    def test_any_change_is_taken(self) -> None:
        sink = self.make()
        task, worker = FakeTask("a", name=None, worker=None), FakeWorker("w1@shop")
        sink.on_changes([TaskChange(task, None, "task-sent", "gen1@shop"), WorkerChange(worker, "worker-online")])
        sink.on_changes([TaskChange(task, "PENDING", "task-odd", "w1@shop"), WorkerChange(worker, "worker-lost")])
        sink.on_changes([])


class TaskFormatterContract:
    """Task formatters."""

    @abstractmethod
    def make(self) -> TaskFormatter:
        """Return a formatter."""

    def test_any_task_is_taken(self) -> None:
        for kwargs in ({"a": 1}, "{'cut...", None):
            task = EditableTask(FakeTask("a", args=None, result=None), kwargs=kwargs)
            result = self.make().format(task)
            assert result is None or isinstance(result, EditableTask)


class MetricSourceContract:
    """Metric sources."""

    @abstractmethod
    def make(self) -> MetricSource:
        """Return a source that has something to tell."""

    def test_families_are_well_formed(self) -> None:
        families = list(self.make().families())
        assert families
        for family in families:
            family.check()
            assert re.fullmatch(r"[a-z_][a-z0-9_]*", family.name)
            assert not family.name.endswith("_total"), "the exporter adds _total"
            assert family.help
            for sample in family.samples:
                _check_sample(family, sample)


class MetricExporterContract:
    """Metric exporters."""

    @abstractmethod
    def make(self) -> MetricExporter:
        """Return an exporter."""

    def test_families_are_rendered(self) -> None:
        exporter = self.make()
        assert exporter.path.startswith("/")
        content_type, body = exporter.render(
            [
                MetricFamily("t_events", "Events", "counter", ("task",), [Sample(('a"\\\n',), 2.0)]),
                MetricFamily(
                    "t_runtime", "Runtime", "histogram", (), [HistogramSample((), (1, 0, 2), 3.5)], (0.1, 1.0)
                ),
            ],
            {},
        )
        assert content_type
        assert b"t_events" in body


class ServiceContract:
    """Services."""

    @abstractmethod
    def make(self) -> Service:
        """Return a service that can start."""

    def test_it_starts_and_stops_within_two_seconds(self) -> None:
        async def scenario() -> None:
            service = self.make()
            assert service.name
            await service.start()
            await asyncio.wait_for(service.stop(), 2)

        asyncio.run(scenario())


class _RecordingPump:
    def __init__(self) -> None:
        self.bodies: list[Any] = []
        self.connections = 0

    def offer(self, batch: Messages) -> None:
        for unwrapped in batch.unwrapped():
            self.bodies.extend(unwrapped.bodies)

    def connected(self, detail: Any = None) -> None:
        self.connections += 1

    def lost(self, reason: str) -> None:
        self.connections = 0

    async def wait(self, condition: Callable[[], bool], seconds: float, run: asyncio.Future[None]) -> None:
        deadline = asyncio.get_running_loop().time() + seconds
        while not condition():
            if run.done():
                run.result()
                raise AssertionError("run() returned")
            assert asyncio.get_running_loop().time() < deadline, "nothing arrived in time"
            await asyncio.sleep(0.02)


class _Request:
    method, path, remote_ip = "GET", "/", "127.0.0.1"

    def __init__(self, headers: dict[str, str]) -> None:
        self.headers = headers


def _identify(provider: AuthProvider, headers: dict[str, str]) -> Identity | None:
    return asyncio.run(provider.identify(_Request(headers)))


def _ask(inspector: BrokerInspector, names: Sequence[str]) -> Sequence[QueueStats]:
    async def ask() -> Sequence[QueueStats]:
        try:
            return await inspector.queues(names)
        finally:
            await inspector.close()

    return asyncio.run(ask())


def _check_sample(family: MetricFamily, sample: Sample | HistogramSample) -> None:
    if isinstance(sample, HistogramSample):
        assert family.type == "histogram"
        assert len(sample.counts) == len(family.buckets) + 1
        assert math.isfinite(sample.sum)
    else:
        assert family.type in ("counter", "gauge")
        assert math.isfinite(sample.value)


def _own_methods(handler: type) -> set[str]:
    return {name for cls in handler.__mro__ if issubclass(cls, Handler) and cls is not Handler for name in vars(cls)}
