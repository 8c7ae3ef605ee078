"""Services: things that run beside the server for as long as it lives."""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod

__all__ = ["BackgroundService", "Service"]


class Service(ABC):
    """Started after the pipeline, stopped before it; a failure concerns this service alone."""

    name: str

    @abstractmethod
    async def start(self) -> None:
        """Begin work and return. Raising marks the service failed; its plugin's routes then answer 503."""

    @abstractmethod
    async def stop(self) -> None:
        """End work within two seconds; after that it is cancelled."""


class BackgroundService(Service):
    """A service whose work is one coroutine, which runs until it is cancelled.

    When it ends by itself, by an error or not, its plugin is reported as failed and its routes answer 503.
    """

    task: asyncio.Task[None] | None = None
    """The work, from start to stop."""

    @abstractmethod
    async def run(self) -> None:
        """Work for ever, on the event loop."""

    async def start(self) -> None:
        """Begin to run."""
        self.task = asyncio.create_task(self.run(), name=self.name)

    async def stop(self) -> None:
        """Cancel the work and wait for its end."""
        task, self.task = self.task, None
        if task is not None:
            task.cancel()
            await asyncio.wait([task])
