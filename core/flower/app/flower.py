"""The composition root: makes every part and connects them."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

from flower.app.access import door_routes, make_door
from flower.app.arrivals import Arrivals
from flower.app.banner import stream_banners
from flower.app.broker import describe_broker
from flower.app.choices import Choices
from flower.app.displays import TaskColumns, TaskPanels
from flower.app.host import FlowerHost
from flower.app.metrics import LoginMetrics, MetricSources, PostureMetrics
from flower.app.problems import Problems
from flower.app.queue_history import QueueHistory
from flower.app.requests import request_formatter, result_formatter
from flower.app.roll_call import RollCall
from flower.app.services import Services
from flower.brokers import QueueService, declared_queues
from flower.control import (
    ControlService,
    EnableEvents,
    Executor,
    InspectService,
    Mailbox,
    Publisher,
    ResultBackend,
    ResultService,
)
from flower.events import Gateway, Pump, StreamMetrics, StreamStatus, Supervisor
from flower.plugins import Registry
from flower.settings import EffectiveSettings
from flower.state import DEFAULT_BUCKETS, State
from flower.stream.hub import Hub, HubSink
from flower.web.assets import AssetFiles, asset_route
from flower.web.binding import Binding, in_container, plan
from flower.web.errors import ErrorBodies
from flower.web.failures import LoginFailures
from flower.web.guard import Guard
from flower.web.metrics_door import MetricsDoor
from flower.web.origins import AllowedHosts, TrustedProxies
from flower.web.posture import Posture
from flower.web.probes import probe_routes
from flower.web.router import Router
from flower.web.table import RouteTable
from flower.web.weaknesses import weaknesses
from flower_plugins import (
    AuthProvider,
    Banner,
    EventSink,
    LoginProvider,
    MetricFamily,
    MetricSource,
    NavItem,
    Renderer,
    Route,
    Service,
)

if TYPE_CHECKING:
    from flower.app.memory import Memory

__all__ = ["Flower"]

log = logging.getLogger("flower")

_SAVE_MILLISECONDS = 2000
_CLOSE_SECONDS = 2.0


class Flower:
    """One Flower, assembled and not yet running; `serve_until_stopped` gives it a life."""

    def __init__(
        self,
        app: Any,
        settings: EffectiveSettings,
        registry: Registry,
        *,
        container: Callable[[], bool] = in_container,
    ) -> None:
        """`app` is the Celery app. Raise ConfigurationError for whatever cannot be honoured."""
        self.celery, self.settings, self.registry = app, settings, registry
        self.broker = describe_broker(app)
        self.prefix = _normal_prefix(settings["url_prefix"])
        self._choices = Choices(registry, settings, self.broker)
        self.providers: Sequence[AuthProvider] = self._choices.providers()
        self.login_failures = LoginFailures(provider.name for provider in self.providers if provider.name)
        self.door = make_door(settings, self.providers, self.prefix, self.login_failures)
        self._metrics_door = MetricsDoor.of(settings, self.login_failures)
        self.binding: Binding = plan(settings, authenticated=bool(self.providers), container=container())
        self.posture = Posture(
            authenticated=bool(self.providers),
            loopback_only=self.binding.loopback_only,
            open_api=settings.unauthenticated_api,
            read_only=settings["read_only"],
            further=weaknesses(settings, self.binding, self.providers),
            unix_socket=bool(self.binding.unix_socket),
        )
        self._make_pipeline()
        self._make_services()
        self.table: RouteTable | None = None
        self.host = FlowerHost(self)
        self._bring_in_plugins()
        self._make_web()

    def banners(self) -> Sequence[Banner]:
        """Return what every page must say now."""
        memory = [] if self.memory is None else self.memory.banners()
        return [*self.posture.banners(), *stream_banners(self.status, time.time()), *memory]

    def metric_families(self) -> Iterable[MetricFamily]:
        """Collect the families of every metric source."""
        return self._metric_sources.families()

    async def close_providers(self) -> None:
        """Let go of connections to login providers, within two seconds."""
        for provider in self.providers:
            if isinstance(provider, LoginProvider):
                try:
                    await asyncio.wait_for(provider.close(), _CLOSE_SECONDS)
                except Exception:  # guards the end against a plugin's code
                    log.exception("The login provider %s could not be closed", type(provider).__name__)

    def own_sinks(self) -> Sequence[EventSink]:
        """Return core's own event sinks."""
        return [HubSink(self.hub), self._arrivals]

    def own_services(self) -> Sequence[Service]:
        """Return core's own services."""
        services: list[Service] = [self.inspect, self.results]
        if self.settings["enable_events"]:
            services.append(EnableEvents(self.mailbox))
        if self.settings["queue_history"]:
            services.append(self._queue_history)
        return services

    def own_metrics(self) -> Sequence[MetricSource]:
        """Return core's own metric sources."""
        return [
            self.state.metrics,
            StreamMetrics(self.status),
            PostureMetrics(self.posture),
            LoginMetrics(self.login_failures),
        ]

    def own_routes(self) -> Sequence[Route]:
        """Return core's own routes, the exporters' among them."""
        exporters = self.registry.contributions("flower_metric_exporters", host=self.host)
        probes = probe_routes([exporter for _, exporter in exporters], self._metrics_door)
        return [asset_route(self.assets), *probes, *door_routes(self.settings, self.door)]

    def _make_pipeline(self) -> None:
        settings = self.settings
        self.gateway = Gateway(accept=_accepted_content(self.celery))
        self.status = StreamStatus(rejected=self.gateway.rejected)
        self.state = State(
            max_tasks=settings["max_tasks"],
            max_workers=settings["max_workers"],
            purge_offline_workers=settings["purge_offline_workers"],
            buckets=settings["task_runtime_metric_buckets"] or DEFAULT_BUCKETS,
            gaps=self.status.gaps,
        )
        self.pump = Pump(self.gateway.decode, self.state.apply, self.status)
        source_name, source = self._choices.event_source()
        self.supervisor = Supervisor(
            lambda: source(self._choices.context(source_name)),
            self.pump,
            self.status,
            connected=self._catch_up,
        )
        self.hub = Hub()
        self.memory = self._make_memory()

    def _freshen(self) -> None:
        """Bring the state up to date before somebody looks at it."""
        self.supervisor.hurry()
        self.pump.catch_up()

    def _make_memory(self) -> Memory | None:
        settings, store = self.settings, self._choices.history_store()
        if store is None:
            return None
        from flower.app.memory import Memory  # brings the recorder along, which most Flowers do without

        milliseconds = settings["state_save_interval"] or _SAVE_MILLISECONDS
        return Memory(
            self.state,
            store,
            interval=milliseconds / 1000,
            max_tasks=settings["max_tasks"],
            max_workers=settings["max_workers"],
        )

    def _make_services(self) -> None:
        settings, workers = self.settings, self.state.workers
        self.executor = Executor()
        # All workers that one order goes to may keep it waiting, and nothing else must wait with it.
        self.asking = Executor(limit=100, ceiling=128)
        self.mailbox = Mailbox(self.celery, self.executor, asking=self.asking)
        self.inspect = InspectService(
            self.mailbox,
            is_known=lambda name: workers.get(name) is not None,
            check_worker=self._check_worker,
            format_request=request_formatter(self.state.formatters),
            listener=RollCall(self.state),
            timeout=settings["inspect_timeout"] / 1000,
            max_workers=settings["max_workers"],
            enabled=settings["inspect"],
        )
        backend = ResultBackend(self.celery)
        self.control = ControlService(
            self.mailbox,
            is_known=lambda name: workers.get(name) is not None or self.inspect.knows(name),
            is_online=self._is_online,
            stream_up=lambda: self.status.up,
            publisher=Publisher(self.celery, self.executor, backend),
            registered=lambda name: (self.inspect.info(name) or {}).get("registered", ()),
            read_only=settings["read_only"],
        )
        self.results = ResultService(
            backend,
            self.executor,
            shown=result_formatter(self.state.formatters, self.state.tasks.get),
            read_only=settings["read_only"],
        )
        self._arrivals = Arrivals(self.inspect)
        self.state.on_removed(self._forget)
        self._queue_history = QueueHistory(
            self.state.rollups, up=lambda: self.status.up, inhabited=lambda: self.state.inhabited
        )
        self.queues = QueueService(
            self._choices.inspector(),
            snapshot=self.inspect.snapshot,
            is_online=self._is_online,
            declared=declared_queues(self.celery.conf),
            asked=self.inspect.freshen,
            history=self._queue_history if settings["queue_history"] else None,
        )
        self._queue_history.attach(self.queues)
        self.problems = Problems(
            self.state, self.status, self.queues, snapshot=self.inspect.snapshot, is_online=self._is_online
        )

    def _catch_up(self) -> None:
        """Ask workers what they hold: whatever happened before events began to flow was missed.

        Whose silence counts is counted from now on.
        """
        self.state.tick(listening=True)
        self.inspect.renew()

    def _forget(self, kind: str, key: str) -> None:
        if kind == "worker":
            self.inspect.forget(key)
            self._arrivals.forget(key)

    def _check_worker(self, hostname: str) -> None:
        self.control.check_worker(hostname)

    def _is_online(self, hostname: str) -> bool:
        worker = self.state.workers.get(hostname)
        # One that answered and has not sent a heartbeat yet is there as well.
        return self.inspect.knows(hostname) if worker is None else worker.online

    def _bring_in_plugins(self) -> None:
        registry, host = self.registry, self.host
        folders = registry.assets()
        self.assets = AssetFiles({plugin: each.static for plugin, each in folders if each.static is not None})
        self.renderer: Renderer | None = self._choices.renderer()
        if self.renderer is not None:
            self.renderer.open(host, [each.templates for _, each in folders if each.templates is not None])
        for plugin, formatter in registry.contributions("flower_task_formatters", host=host):
            self.state.add_formatter(formatter, partial(registry.fail, plugin))
        for plugin, sink in registry.contributions("flower_event_sinks", host=host):
            name = f"{type(sink).__qualname__} of plugin {plugin}"
            self.state.subscribe(sink.on_changes, partial(registry.fail, plugin), name)
        self._metric_sources = MetricSources(
            registry.contributions("flower_metric_sources", host=host), failed=registry.fail
        )
        items: list[tuple[str, NavItem]] = registry.contributions("flower_nav_items", host=host)
        self.nav_items = sorted((item for _, item in items), key=lambda item: item.order)
        self.columns = TaskColumns(registry.contributions("flower_task_columns", host=host), registry.fail).columns
        self.panels = TaskPanels(
            registry.contributions("flower_task_panels", host=host),
            host.render,
            registry.fail,
            {plugin: [one.templates for name, one in folders if name == plugin] for plugin, _ in folders},
        )
        self.services = Services(registry, registry.contributions("flower_services", host=host))

    def _make_web(self) -> None:
        settings = self.settings
        errors = ErrorBodies(self.host.render)
        self.table = RouteTable(self.prefix, self.registry.contributions("flower_routes", host=self.host))
        hosts = AllowedHosts([*settings["allowed_hosts"], *self.binding.addresses])
        trusted = TrustedProxies(settings["trusted_proxies"]) if settings["xheaders"] else None
        self.router = Router(
            host=self.host,
            table=self.table,
            guard=Guard(
                self.posture,
                self.providers,
                hosts,
                errors,
                self.services.broken,
                self.registry.fail,
                self.login_failures,
                self.door,
            ),
            errors=errors,
            proxies=trusted,
            no_store=self.posture.authenticated,
            access_log=settings["debug"],
            hsts=settings["hsts"],
            freshen=self._freshen,
        )


def _normal_prefix(text: str | None) -> str:
    """Return the url prefix with one leading and no trailing slash, "" for none."""
    stripped = (text or "").strip("/")
    return f"/{stripped}" if stripped else ""


def _accepted_content(app: Any) -> frozenset[str]:
    """Return the serializers that the app takes messages in, its event serializer among them."""
    return frozenset((*(app.conf.accept_content or ("json",)), app.conf.event_serializer or "json"))
