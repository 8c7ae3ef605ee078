"""The plugins found at start, and what became of them."""

from __future__ import annotations

from flower_dashboard.pages.page import PageHandler
from flower_dashboard.views.plugins import plugins_view

__all__ = ["PluginsPage"]


class PluginsPage(PageHandler):
    """`/plugins`: the failed ones first."""

    def get(self) -> None:
        self.show("dashboard/plugins.html", view=plugins_view(self.host))
