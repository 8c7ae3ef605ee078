"""Starts and stops plugins' services, each for itself."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence

from flower.plugins import Registry
from flower_plugins import Service

__all__ = ["Services"]

log = logging.getLogger("flower")

_CORE = "flower"
_START_SECONDS = 10.0
_STOP_SECONDS = 2.0


class Services:
    """A service that fails concerns its own plugin alone: that plugin's routes answer 503."""

    def __init__(self, registry: Registry, services: Sequence[tuple[str, Service]]) -> None:
        self._registry, self._services = registry, services
        self._running: list[Service] = []
        self._broken = {plugin: f"The plugin {plugin} is starting" for plugin, _ in services if plugin != _CORE}

    def broken(self, plugin: str) -> str | None:
        """Return why a plugin's routes cannot work, None when they can."""
        return self._broken.get(plugin)

    async def start(self) -> None:
        """Start all, side by side."""
        ended = await asyncio.gather(*(self._start(plugin, service) for plugin, service in self._services))
        failed = {plugin for (plugin, _), worked in zip(self._services, ended, strict=True) if not worked}
        for plugin in [plugin for plugin in self._broken if plugin not in failed]:
            del self._broken[plugin]

    async def stop(self) -> None:
        """Stop those that run, side by side, each within two seconds."""
        await asyncio.gather(*(self._stop(service) for service in reversed(self._running)))

    async def _start(self, plugin: str, service: Service) -> bool:
        try:
            await asyncio.wait_for(service.start(), _START_SECONDS)
        except Exception as error:  # the plugin boundary: a service is foreign code
            reason = f"service {service.name!r} did not start: {type(error).__name__}: {error}"
            self._broken[plugin] = f"The plugin {plugin} is not running; the plugins page says why"
            self._registry.fail(plugin, reason)
            return False
        self._running.append(service)
        return True

    async def _stop(self, service: Service) -> None:
        try:
            await asyncio.wait_for(service.stop(), _STOP_SECONDS)
        except Exception:  # the plugin boundary: nothing a service does may hold up the end
            log.exception("Service %s did not stop cleanly", service.name)
