"""One order to several workers, with an outcome for each."""

from __future__ import annotations

import asyncio
from abc import abstractmethod
from collections.abc import Sequence
from typing import Any

from flower_api.answers import Outcome, Outcomes
from flower_api.bodies import read
from flower_api.handler import ApiHandler
from flower_api.order_bodies import AutoscaleBody, ConsumerBody, PoolBody, RateLimitBody, TimeoutBody, WorkersBody
from flower_plugins import Control, FlowerError

__all__ = [
    "AddConsumerManyHandler",
    "AutoscaleManyHandler",
    "CancelConsumerManyHandler",
    "PoolGrowManyHandler",
    "PoolRestartManyHandler",
    "PoolShrinkManyHandler",
    "RateLimitManyHandler",
    "ShutdownManyHandler",
    "TimeoutManyHandler",
    "send_outcomes",
]


class _OrderToMany(ApiHandler):
    async def post(self) -> None:
        """Give the order to all at once and answer with the outcome for each."""
        body = read(self.request.body, self.route.body)
        names = list(dict.fromkeys(body.workers))
        ended = await asyncio.gather(*(self._outcome(name, body) for name in names))
        send_outcomes(self, names, ended)

    async def _outcome(self, name: str, body: Any) -> Outcome:
        try:
            return Outcome(200, await self.order(self.host.control, name, body))
        except FlowerError as error:
            if error.status == 500:
                raise
            return Outcome(error.status, error.message)

    @abstractmethod
    async def order(self, control: Control, name: str, body: Any) -> str:
        """Give the order to one worker and return what to say about it."""


class ShutdownManyHandler(_OrderToMany):
    """Ends workers."""

    async def order(self, control: Control, name: str, body: WorkersBody) -> str:
        await control.shutdown(name)
        return "Shutting down!"


class PoolRestartManyHandler(_OrderToMany):
    """Restarts pools."""

    async def order(self, control: Control, name: str, body: WorkersBody) -> str:
        return await control.pool_restart(name)


class PoolGrowManyHandler(_OrderToMany):
    """Adds processes to pools."""

    async def order(self, control: Control, name: str, body: PoolBody) -> str:
        return await control.pool_grow(name, body.n)


class PoolShrinkManyHandler(_OrderToMany):
    """Takes processes from pools."""

    async def order(self, control: Control, name: str, body: PoolBody) -> str:
        return await control.pool_shrink(name, body.n)


class AutoscaleManyHandler(_OrderToMany):
    """Bounds the size of pools."""

    async def order(self, control: Control, name: str, body: AutoscaleBody) -> str:
        return await control.autoscale(name, body.min, body.max)


class AddConsumerManyHandler(_OrderToMany):
    """Has workers consume from a queue."""

    async def order(self, control: Control, name: str, body: ConsumerBody) -> str:
        return await control.add_consumer(name, body.queue)


class CancelConsumerManyHandler(_OrderToMany):
    """Has workers no longer consume from a queue."""

    async def order(self, control: Control, name: str, body: ConsumerBody) -> str:
        return await control.cancel_consumer(name, body.queue)


class TimeoutManyHandler(_OrderToMany):
    """Limits how long a task may run."""

    async def order(self, control: Control, name: str, body: TimeoutBody) -> str:
        return await control.time_limit(name, body.task, soft=body.soft, hard=body.hard)


class RateLimitManyHandler(_OrderToMany):
    """Limits how often a task may run."""

    async def order(self, control: Control, name: str, body: RateLimitBody) -> str:
        return await control.rate_limit(name, body.task, body.ratelimit)


def send_outcomes(handler: ApiHandler, targets: Sequence[str], outcomes: Sequence[Outcome]) -> None:
    """Finish with an outcome for each target: 200 when all are well, else 207."""
    if any(outcome.status >= 400 for outcome in outcomes):
        handler.set_status(207)
    handler.answer(Outcomes(dict(zip(targets, outcomes, strict=True))))
