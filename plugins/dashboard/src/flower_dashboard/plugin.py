"""What the dashboard contributes: settings, pages, navigation, assets, and the renderer for every plugin's pages."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from pathlib import Path

from flower_dashboard import columns
from flower_plugins import Assets, Host, NavItem, Offer, Option, Renderer, Route, hookimpl

__all__ = ["flower_assets", "flower_nav_items", "flower_options", "flower_renderers", "flower_routes"]

_HERE = Path(__file__).parent
_log = logging.getLogger("flower.dashboard")


@hookimpl
def flower_options() -> Sequence[Option]:
    """Declare how pages look and whether they follow the cluster by themselves."""
    return [
        Option("auto_refresh", bool, True, "Update open pages as events arrive."),
        Option("environment", str, "", "Name for a badge on every page, like production or staging."),
        Option("natural_time", bool, False, "Show times as “2 minutes ago”; the exact time stays in the tooltip."),
        Option(
            "tasks_columns",
            str,
            columns.DEFAULT,
            f"Columns of the tasks page in their order, separated by commas, or “all”: {', '.join(columns.SLUGS)}, "
            "and those that plugins add.",
        ),
    ]


@hookimpl
def flower_renderers() -> Sequence[Offer[Renderer]]:
    """Offer Jinja2 with the dashboard's layout."""
    return [Offer("dashboard", "flower_dashboard.renderer:JinjaRenderer", "Jinja2 pages")]


@hookimpl
def flower_assets() -> Sequence[Assets]:
    """Bring the layout, the pages and their static files."""
    return [Assets(_HERE / "templates", _HERE / "static")]


@hookimpl
def flower_nav_items() -> Sequence[NavItem]:
    """Lead to the pages there are."""
    return [
        NavItem("Overview", "/", 5, "o"),
        NavItem("Workers", "/workers", 10, "w"),
        NavItem("Tasks", "/tasks", 20, "t"),
        NavItem("Task types", "/task-types", 30, "y"),
        NavItem("Broker", "/broker", 40, "b"),
        NavItem("Plugins", "/plugins", 900, "p"),
    ]


@hookimpl
def flower_routes(host: Host) -> Sequence[Route]:
    """Answer the dashboard's pages, its action buttons and its live stream."""
    there = columns.every(host)
    if strangers := columns.unknown(host.settings["tasks_columns"], there):
        expected = ", ".join(column.slug for column in there)
        _log.warning("tasks_columns: no column is named %s; there are %s", ", ".join(strangers)[:200], expected)
    from flower_dashboard.routes import routes  # Local: commands that only ask for options need no handlers.

    return routes(host)
