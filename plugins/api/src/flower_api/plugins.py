"""Reading the plugin report."""

from __future__ import annotations

from msgspec.structs import asdict

from flower_plugins.web import Handler

__all__ = ["PluginsHandler"]


class PluginsHandler(Handler):
    """Lists plugins."""

    def get(self) -> None:
        """Answer with every plugin found."""
        self.send_json({"plugins": [asdict(report) for report in self.host.plugins()]})
