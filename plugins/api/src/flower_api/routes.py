"""Every route of the API."""

from __future__ import annotations

from collections.abc import Sequence

from flower_api.control_routes import control_routes
from flower_api.many_routes import many_routes
from flower_api.read_routes import read_routes
from flower_api.task_routes import task_routes
from flower_plugins import Route

__all__ = ["routes"]


def routes() -> Sequence[Route]:
    """Return them."""
    return [*read_routes(), *control_routes(), *task_routes(), *many_routes()]
