"""Entry point: a service that looks at the queues now and then."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence

from flower_plugins import BackgroundService, Host, Option, Service, hookimpl

FLOWER_API_VERSION = 1

PAUSE = 10.0
log = logging.getLogger(__name__)


class QueueWatch(BackgroundService):
    """Warns once when a queue has grown too long, and again after it was short in between."""

    name = "queue watch"

    def __init__(self, host: Host) -> None:
        self._host = host
        self._long: set[str] = set()

    async def run(self) -> None:
        while True:
            await self.look()
            await asyncio.sleep(PAUSE)

    async def look(self) -> None:
        """Look once. The report is at most a second old and never raises for the broker's fault."""
        limit = self._host.settings["queue_watch_limit"]
        queues = (await self._host.queues.report()).queues
        long = {queue.name for queue in queues if (queue.messages or 0) > limit}
        for name in sorted(long - self._long):
            log.warning("More than %d messages wait in %r", limit, name)
        self._long = long


@hookimpl
def flower_options() -> Sequence[Option]:
    return [Option("queue_watch_limit", int, 1000, "Messages in a queue above which a warning is logged")]


@hookimpl
def flower_services(host: Host) -> Sequence[Service]:
    return [QueueWatch(host)]
