"""The plugins found at start, and what became of them."""

from __future__ import annotations

from flower_dashboard.pages.page import PageHandler

__all__ = ["PluginsPage"]

_ORDER = {"failed": 0, "active": 1, "disabled": 2}


class PluginsPage(PageHandler):
    """`/plugins`: the failed ones first."""

    def get(self) -> None:
        reports = sorted(self.host.plugins(), key=lambda report: (_ORDER.get(report.state, 3), report.name))
        self.show("dashboard/plugins.html", reports=reports)
