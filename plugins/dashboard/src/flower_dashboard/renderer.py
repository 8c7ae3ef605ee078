"""Turns templates into pages: the dashboard's own and those of other plugins, in one layout."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from flower_plugins import Host, OfferContext, Renderer

if TYPE_CHECKING:
    from jinja2 import Environment

__all__ = ["JinjaRenderer"]

_log = logging.getLogger(__name__)


class JinjaRenderer(Renderer):
    """Jinja2, always escaping, with the names below in every template.

    Functions: `host`, `url(path, …)`, `path(part, …)` for parts that come from data, `asset(plugin, file)`,
    `nav()`, `banners()`, `now()`; for the macros of charts.html `bars(series)`, `lines(series)`, `spark(values)`.
    Filters: `iso`, `absolute`, `day`, `time`, `ago` for seconds since the epoch, `duration` for seconds, `count`,
    `short`, `label`, `text`, `look` for a state.
    """

    def __init__(self, context: OfferContext) -> None:
        self._settings = context.settings
        self._host: Host | None = None
        self._templates: Sequence[Path] = ()
        self._environment: Environment | None = None

    def open(self, host: Host, templates: Sequence[Path]) -> None:
        """Take the templates; a plugin's cannot replace the dashboard's, which come first."""
        self._host, self._templates = host, templates

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

    @property
    def environment(self) -> Environment:
        """Jinja2's environment, made when the first page is drawn. Raise RuntimeError before `open`."""
        if self._environment is None:
            if self._host is None:
                raise RuntimeError("the renderer has not been opened")
            # Local: a Flower whose pages nobody opens does without Jinja2.
            from flower_dashboard.templating import make_environment

            self._environment = make_environment(self._host, self._templates, self._settings)
        return self._environment

    def _render(self, template: str, context: Mapping[str, Any]) -> str:
        return self.environment.get_template(template).render(context)
