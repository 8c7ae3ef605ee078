"""Starts and stops plugins' services, each for itself."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from functools import partial

from flower.plugins import Registry
from flower.plugins.faults import describe, place_of
from flower_plugins import BackgroundService, Service

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
        self._failed: set[str] = set()
        self._broken = {plugin: f"The plugin {plugin} is starting" for plugin, _ in services if plugin != _CORE}

    def broken(self, plugin: str) -> str | None:
        """Return why a plugin's routes cannot work, None when they can."""
        return self._broken.get(plugin)

    async def start(self) -> None:
        """Start all, side by side."""
        await asyncio.gather(*(self._start(plugin, service) for plugin, service in self._services))
        self._broken = {plugin: why for plugin, why in self._broken.items() if plugin in self._failed}

    async def stop(self) -> None:
        """Stop those that run, side by side, each within two seconds."""
        await asyncio.gather(*(self._stop(service) for service in reversed(self._running)))

    async def _start(self, plugin: str, service: Service) -> None:
        try:
            await asyncio.wait_for(service.start(), _START_SECONDS)
        except Exception as error:  # the plugin boundary: a service is foreign code
            late = isinstance(error, asyncio.TimeoutError) and not str(error)
            words = f"start() took more than {_START_SECONDS:g} s" if late else describe(error)
            self._fail(plugin, f"service {service.name!r} did not start: {words}")
            return
        self._running.append(service)
        if isinstance(service, BackgroundService) and service.task is not None:
            service.task.add_done_callback(partial(self._ended, plugin, service))

    def _ended(self, plugin: str, service: BackgroundService, task: asyncio.Task[None]) -> None:
        """Report a service that ended although nobody stopped it."""
        if service.task is not task or task.cancelled():
            return
        error = task.exception()
        words = "it returned" if error is None else f"{describe(error)}{place_of(error)}"
        log.error("Service %s of plugin %s ended", service.name, plugin, exc_info=error)
        self._fail(plugin, f"service {service.name!r} ended: {words}")

    def _fail(self, plugin: str, reason: str) -> None:
        self._failed.add(plugin)
        self._broken[plugin] = f"The plugin {plugin} is not running; the plugins page says why"
        self._registry.fail(plugin, reason)

    async def _stop(self, service: Service) -> None:
        try:
            await asyncio.wait_for(service.stop(), _STOP_SECONDS)
        except Exception:  # the plugin boundary: nothing a service does may hold up the end
            log.exception("Service %s did not stop cleanly", service.name)
