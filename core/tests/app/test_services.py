"""Services start and stop each for itself."""

from __future__ import annotations

import asyncio

import pytest

from flower.app import services as services_module
from flower.app.services import Services
from flower_plugins import BackgroundService, Service


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


class Work(BackgroundService):
    name = "work"

    def __init__(self, *, ends: str = "") -> None:
        self.ends, self.turns = ends, 0

    async def run(self) -> None:
        while True:
            self.turns += 1
            await asyncio.sleep(0)
            if self.ends == "error":
                raise OSError("no disk")
            if self.ends:
                return


@pytest.mark.parametrize(
    ("ends", "words"), [("error", "OSError: no disk (test_services.py:"), ("return", "it returned")]
)
def test_work_that_ends_by_itself_is_reported(ends: str, words: str, caplog: pytest.LogCaptureFixture) -> None:
    async def scenario() -> None:
        failures, work = Failures(), Work(ends=ends)
        services = Services(failures, [("bad", work)])  # type: ignore[arg-type]
        await services.start()
        assert work.task is not None
        await asyncio.wait([work.task])
        await asyncio.sleep(0)
        assert failures.failed["bad"].startswith(f"service 'work' ended: {words}")
        assert services.broken("bad") == "The plugin bad is not running; the plugins page says why"
        await services.stop()

    asyncio.run(scenario())
    assert "Service work of plugin bad ended" in caplog.text


def test_work_that_is_stopped_has_not_failed() -> None:
    async def scenario() -> None:
        failures, work = Failures(), Work()
        services = Services(failures, [("good", work)])  # type: ignore[arg-type]
        await services.start()
        await asyncio.sleep(0.01)
        await services.stop()
        assert work.turns > 1
        assert work.task is None
        assert failures.failed == {}
        turns = work.turns
        await asyncio.sleep(0.01)
        assert work.turns == turns

    asyncio.run(scenario())


def test_a_start_that_hangs_is_named_as_such(monkeypatch: pytest.MonkeyPatch) -> None:
    class Hanging(Plain):
        async def start(self) -> None:
            await asyncio.sleep(60)

    async def scenario() -> None:
        failures = Failures()
        await Services(failures, [("bad", Hanging())]).start()  # type: ignore[arg-type]
        assert failures.failed["bad"] == "service 'plain' did not start: start() took more than 0.05 s"

    monkeypatch.setattr(services_module, "_START_SECONDS", 0.05)
    asyncio.run(scenario())
