"""Services: things that run beside the server for as long as it lives."""

from __future__ import annotations

from abc import ABC, abstractmethod

__all__ = ["Service"]


class Service(ABC):
    """Started after the pipeline, stopped before it; a failure concerns this service alone."""

    name: str

    @abstractmethod
    async def start(self) -> None:
        """Begin work and return. Raising marks the service failed; its plugin's routes then answer 503."""

    @abstractmethod
    async def stop(self) -> None:
        """End work within two seconds; after that it is cancelled."""
