"""Orders to one worker."""

from __future__ import annotations

from abc import ABC, abstractmethod

from flower_api.answers import Message, WorkerMemory, WorkerReport
from flower_api.handler import ApiHandler

__all__ = [
    "AddConsumerHandler",
    "AutoscaleHandler",
    "CancelConsumerHandler",
    "MemoryHandler",
    "PoolGrowHandler",
    "PoolRestartHandler",
    "PoolShrinkHandler",
    "RateLimitHandler",
    "ReportHandler",
    "ShutdownHandler",
    "TimeoutHandler",
]


class _Order(ApiHandler, ABC):
    """An order to the worker in the path, which is the first thing to be right."""

    def prepare(self) -> None:
        self.host.control.check_worker(self.worker())
        super().prepare()

    async def post(self) -> None:
        """Give the order and answer with a sentence."""
        self.answer(Message(await self.order(self.worker())))

    def worker(self) -> str:
        """Return whom the order is for."""
        return self.path["name"]

    @abstractmethod
    async def order(self, name: str) -> str:
        """Give the order and return what to say about it."""


class ShutdownHandler(_Order):
    """Ends a worker."""

    async def order(self, name: str) -> str:
        await self.host.control.shutdown(name)
        return "Shutting down!"


class PoolRestartHandler(_Order):
    """Restarts a worker's pool."""

    async def order(self, name: str) -> str:
        return await self.host.control.pool_restart(name)


class PoolGrowHandler(_Order):
    """Adds processes to a worker's pool."""

    async def order(self, name: str) -> str:
        return await self.host.control.pool_grow(name, self.params["n"])


class PoolShrinkHandler(_Order):
    """Takes processes from a worker's pool."""

    async def order(self, name: str) -> str:
        return await self.host.control.pool_shrink(name, self.params["n"])


class AutoscaleHandler(_Order):
    """Bounds the size of a worker's pool."""

    async def order(self, name: str) -> str:
        return await self.host.control.autoscale(name, self.params["min"], self.params["max"])


class AddConsumerHandler(_Order):
    """Has a worker consume from a queue."""

    async def order(self, name: str) -> str:
        return await self.host.control.add_consumer(name, self.params["queue"])


class CancelConsumerHandler(_Order):
    """Has a worker no longer consume from a queue."""

    async def order(self, name: str) -> str:
        return await self.host.control.cancel_consumer(name, self.params["queue"])


class _Limit(_Order):
    """A limit on the task in the path, kept by the worker in the parameters."""

    def prepare(self) -> None:
        control, name = self.host.control, self.worker()
        control.check_task(self.path["name"], name or None)
        if name:  # without one, the parameters are refused
            control.check_worker(name)
        ApiHandler.prepare(self)

    def worker(self) -> str:
        return self.get_argument("workername", "")


class TimeoutHandler(_Limit):
    """Limits how long a task may run."""

    async def order(self, name: str) -> str:
        soft, hard = self.params["soft"], self.params["hard"]
        return await self.host.control.time_limit(name, self.path["name"], soft=soft, hard=hard)


class RateLimitHandler(_Limit):
    """Limits how often a task may run."""

    async def order(self, name: str) -> str:
        return await self.host.control.rate_limit(name, self.path["name"], self.params["ratelimit"])


class ReportHandler(ApiHandler):
    """Shows a worker's software and settings."""

    async def get(self) -> None:
        """Ask the worker."""
        self.refuse_other_sites()
        self.answer(WorkerReport(await self.host.inspect.report(self.path["name"])))


class MemoryHandler(ApiHandler):
    """Shows a worker's memory."""

    async def get(self) -> None:
        """Ask the worker."""
        self.refuse_other_sites()
        self.answer(WorkerMemory(await self.host.inspect.memsample(self.path["name"])))
