"""Services start and stop each for itself."""

from __future__ import annotations

import asyncio

from flower.app.services import Services
from flower_plugins import Service


class Failures:
    """Takes note of what is reported."""

    def __init__(self) -> None:
        self.failed: dict[str, str] = {}

    def fail(self, plugin: str, error: str) -> None:
        self.failed[plugin] = error


class Plain(Service):
    name = "plain"

    def __init__(self, *, breaks: str = "") -> None:
        self.breaks, self.running = breaks, False

    async def start(self) -> None:
        if self.breaks == "start":
            raise RuntimeError("no port")
        self.running = True

    async def stop(self) -> None:
        if self.breaks == "stop":
            raise RuntimeError("stuck")
        self.running = False


def test_a_service_that_fails_concerns_its_own_plugin_alone() -> None:
    async def scenario() -> None:
        failures, good, bad, worse = Failures(), Plain(), Plain(breaks="start"), Plain(breaks="stop")
        services = Services(failures, [("good", good), ("bad", bad), ("worse", worse), ("flower", Plain())])  # type: ignore[arg-type]
        assert services.broken("good") == "The plugin good is starting"
        assert services.broken("flower") is None
        await services.start()
        assert good.running
        assert services.broken("good") is None
        assert services.broken("bad") is not None
        assert "no port" in failures.failed["bad"]
        await services.stop()
        assert not good.running

    asyncio.run(scenario())
