"""Turns templates into pages: the dashboard's own and those of other plugins, in one layout."""

from __future__ import annotations

import logging
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from jinja2 import ChoiceLoader, Environment, FileSystemLoader, StrictUndefined

from flower_dashboard import formats, states
from flower_dashboard.environment import badge
from flower_dashboard.links import path
from flower_plugins import Gap, Host, OfferContext, Renderer

__all__ = ["JinjaRenderer"]

_log = logging.getLogger(__name__)


class JinjaRenderer(Renderer):
    """Jinja2, always escaping, with the names below in every template.

    Functions: `host`, `url(path, …)`, `path(part, …)` for parts that come from data, `asset(plugin, file)`,
    `nav()`, `banners()`, `now()`. Filters: `iso`, `absolute`, `day`, `time`, `ago` for seconds since the
    epoch, `duration` for seconds, `count`, `short`, `label`, `text`, `look` for a state.
    """

    def __init__(self, context: OfferContext) -> None:
        self._settings = context.settings
        self._environment: Environment | None = None

    def open(self, host: Host, templates: Sequence[Path]) -> None:
        """Take the templates; a plugin's cannot replace the dashboard's, which come first."""
        environment = Environment(
            loader=ChoiceLoader([FileSystemLoader(folder) for folder in templates]),
            autoescape=True,
            undefined=StrictUndefined,
            auto_reload=False,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        clock = formats.Clock(host.timezone)
        environment.globals.update(
            host=host,
            url=host.url,
            path=path,
            asset=host.asset,
            nav=host.nav_items,
            banners=host.banners,
            now=time.time,
            natural_time=bool(self._settings["natural_time"]),
            environment=badge(self._settings["environment"] or ""),
            open_gap=lambda: _open_gap(host.status.gaps()),
        )
        environment.filters.update(
            iso=clock.iso,
            absolute=clock.absolute,
            day=clock.day,
            time=clock.time,
            ago=lambda value: clock.ago(value, time.time()),
            left=lambda value: formats.left(value, time.time()),
            duration=formats.duration,
            count=formats.count,
            short=formats.short,
            label=formats.label,
            text=formats.text,
            look=states.look,
        )
        self._environment = environment

    def render(self, template: str, context: Mapping[str, Any]) -> str:
        """Return HTML that can be encoded whatever the data held."""
        try:
            html = self._render(template, context)
        except Exception:
            if template != "error.html":
                raise
            # Guards the page that reports failures: what failed may be the layout or a part of the host.
            _log.exception("The error page cannot be shown in the layout")
            html = self._render("error_bare.html", context)
        return html.encode("utf-8", "replace").decode("utf-8")

    def _render(self, template: str, context: Mapping[str, Any]) -> str:
        if self._environment is None:
            raise RuntimeError("the renderer has not been opened")
        return self._environment.get_template(template).render(context)


def _open_gap(gaps: Sequence[Gap]) -> Gap | None:
    return next((gap for gap in reversed(gaps) if gap.end is None), None)
