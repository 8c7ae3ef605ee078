"""Reading workers."""

from __future__ import annotations

from flower_api.handler import ApiHandler
from flower_plugins import NotFound

__all__ = ["WorkersHandler"]


class WorkersHandler(ApiHandler):
    """Lists workers."""

    async def get(self) -> None:
        """Answer with cached inspect replies by worker, refreshed first if asked to, or with who is online."""
        name = self.params["workername"] or None
        inspect = self.host.inspect
        if self.params["status"] and not self.params["refresh"]:
            self._send_status()
            return
        if name and inspect.info(name) is None and self.host.workers.get(name) is None:
            raise NotFound(f"Unknown worker '{name}'")
        if self.params["refresh"] and not self.foreign:
            await inspect.refresh(name)
        if self.params["status"]:
            self._send_status()
        elif name:
            self.send_json({name: inspect.info(name) or {}})
        else:
            self.send_json(dict(inspect.snapshot()))

    def _send_status(self) -> None:
        """Answer with who is online, among all that are remembered, the purged ones too."""
        self.send_json({worker.hostname: worker.online for worker in self.host.workers.all(purged=True)})
