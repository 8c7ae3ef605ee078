"""What this plugin contributes: the routes under /api, and the page that explains them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from flower_plugins import Assets, NavItem, Route, hookimpl

__all__ = ["flower_assets", "flower_nav_items", "flower_routes"]

_HERE = Path(__file__).parent


@hookimpl
def flower_routes() -> Sequence[Route]:
    """Answer the routes of the API."""
    from flower_api.routes import routes  # Local: commands that only ask for options need no handlers.

    return routes()


@hookimpl
def flower_assets() -> Sequence[Assets]:
    """Bring the page that explains the API."""
    return [Assets(_HERE / "templates", _HERE / "static")]


@hookimpl
def flower_nav_items() -> Sequence[NavItem]:
    """Lead to that page."""
    return [NavItem("API", "/api/docs", 800)]
