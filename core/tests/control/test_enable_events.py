"""Events are enabled again and again, whatever happens."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping, Sequence
from typing import Any

import pytest

from flower.control import EnableEvents
from flower_plugins import Unavailable


class Casts:
    """Fails as often as there are faults, and counts."""

    def __init__(self, *faults: Exception) -> None:
        self.faults, self.sent = list(faults), 0

    async def cast(
        self, method: str, arguments: Mapping[str, Any] | None = None, destination: Sequence[str] | None = None
    ) -> None:
        assert method == "enable_events"
        if self.faults:
            raise self.faults.pop()
        self.sent += 1


def test_no_fault_of_the_transport_ends_it(caplog: pytest.LogCaptureFixture) -> None:
    casts = Casts(Unavailable("away"), NotImplementedError("no fanout"), RuntimeError("redis://:canary@h"), Exception())

    async def scenario() -> None:
        service = EnableEvents(casts, period=0.001)
        await service.start()
        deadline = time.monotonic() + 5
        while casts.sent < 3:
            assert time.monotonic() < deadline
            await asyncio.sleep(0.001)
        await service.stop()
        sent = casts.sent
        await asyncio.sleep(0.01)
        assert casts.sent == sent

    asyncio.run(scenario())
    assert len(caplog.records) == 1
    assert "canary" not in caplog.text
