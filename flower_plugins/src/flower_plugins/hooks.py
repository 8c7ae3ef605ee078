"""The hooks: plain functions, called once at start, that a plugin module may define.

Offers name capabilities of which one is chosen. Contributions are all used. A plugin marks its
functions with `@hookimpl`; in flowerconfig.py a function named like a hook needs no mark.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import pluggy

if TYPE_CHECKING:
    from flower_plugins.brokers import BrokerInspector
    from flower_plugins.changes import EventSink
    from flower_plugins.columns import TaskColumn
    from flower_plugins.history import HistoryStore
    from flower_plugins.host import Host
    from flower_plugins.identity import AuthProvider
    from flower_plugins.metrics import MetricExporter, MetricSource
    from flower_plugins.offers import Offer
    from flower_plugins.options import Option
    from flower_plugins.pages import Assets, NavItem, Renderer
    from flower_plugins.panels import TaskPanel
    from flower_plugins.records import TaskFormatter
    from flower_plugins.routes import Route
    from flower_plugins.services import Service
    from flower_plugins.sources import EventSource

__all__ = [
    "API_VERSION",
    "PROJECT",
    "flower_assets",
    "flower_auth_providers",
    "flower_broker_inspectors",
    "flower_event_sinks",
    "flower_event_sources",
    "flower_history_stores",
    "flower_metric_exporters",
    "flower_metric_sources",
    "flower_nav_items",
    "flower_options",
    "flower_renderers",
    "flower_routes",
    "flower_services",
    "flower_task_columns",
    "flower_task_formatters",
    "flower_task_panels",
    "hookimpl",
]

PROJECT = "flower"
API_VERSION = 1
"""A plugin module may state `FLOWER_API_VERSION`; one that differs from this is not loaded."""

hookimpl = pluggy.HookimplMarker(PROJECT)
_hookspec = pluggy.HookspecMarker(PROJECT)


@_hookspec
def flower_auth_providers() -> Sequence[Offer[AuthProvider]]:  # type: ignore[empty-body]
    """Offer ways to establish who is asking."""


@_hookspec
def flower_broker_inspectors() -> Sequence[Offer[BrokerInspector]]:  # type: ignore[empty-body]
    """Offer ways to read queue lengths, chosen by the broker URL's scheme."""


@_hookspec
def flower_event_sources() -> Sequence[Offer[EventSource]]:  # type: ignore[empty-body]
    """Offer ways to receive events, chosen by the broker URL's scheme or `--event_source`."""


@_hookspec
def flower_history_stores() -> Sequence[Offer[HistoryStore]]:  # type: ignore[empty-body]
    """Offer places where tasks survive a restart."""


@_hookspec
def flower_renderers() -> Sequence[Offer[Renderer]]:  # type: ignore[empty-body]
    """Offer what turns templates into pages; the first one found is used."""


@_hookspec
def flower_options() -> Sequence[Option]:  # type: ignore[empty-body]
    """Declare settings. Called before anything else, without a host."""


@_hookspec
def flower_services(host: Host) -> Sequence[Service]:  # type: ignore[empty-body]
    """Run things beside the server."""


@_hookspec
def flower_event_sinks(host: Host) -> Sequence[EventSink]:  # type: ignore[empty-body]
    """Receive every change of tasks and workers, in batches."""


@_hookspec
def flower_task_formatters(host: Host) -> Sequence[TaskFormatter]:  # type: ignore[empty-body]
    """Change what is kept of a task's args, kwargs, result and exception."""


@_hookspec
def flower_metric_sources(host: Host) -> Sequence[MetricSource]:  # type: ignore[empty-body]
    """Produce metric families."""


@_hookspec
def flower_metric_exporters(host: Host) -> Sequence[MetricExporter]:  # type: ignore[empty-body]
    """Publish metric families in a format, at a path."""


@_hookspec
def flower_routes(host: Host) -> Sequence[Route]:  # type: ignore[empty-body]
    """Answer HTTP requests."""


@_hookspec
def flower_nav_items(host: Host) -> Sequence[NavItem]:  # type: ignore[empty-body]
    """Add entries to the navigation."""


@_hookspec
def flower_task_columns(host: Host) -> Sequence[TaskColumn]:  # type: ignore[empty-body]
    """Add columns to the list of tasks."""


@_hookspec
def flower_task_panels(host: Host) -> Sequence[TaskPanel]:  # type: ignore[empty-body]
    """Add cards to the page of a task."""


@_hookspec
def flower_assets() -> Sequence[Assets]:  # type: ignore[empty-body]
    """Bring templates and static files."""
