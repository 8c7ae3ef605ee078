"""Access tokens: asked about once a minute, one question at a time for each, and never remembered for long."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import pytest

from flower.web.bearers import Bearers
from flower_plugins import Identity, ProviderFailed, TooManyAttempts
from flower_plugins.testing import FakeClock, FakeLoginProvider

ANN = Identity("ann@example.com", "fake")


class SlowProvider(FakeLoginProvider):
    """Takes a turn of the loop, and counts how many ask at once."""

    most = asking = 0

    async def bearer(self, token: str) -> Sequence[Identity]:
        self.asking += 1
        self.most = max(self.most, self.asking)
        await asyncio.sleep(0.001)
        self.asking -= 1
        if token == "down":
            self.bearers.append(token)
            raise ProviderFailed("no answer")
        return await super().bearer(token)


def test_a_token_is_asked_about_once_a_minute() -> None:
    clock, provider = FakeClock(), SlowProvider(people={"ann": [ANN]})

    async def scenario() -> None:
        bearers = Bearers(provider, clock)
        found = await asyncio.gather(*(bearers.identities("Bearer ann") for _ in range(5)))
        assert found == [(ANN,)] * 5
        clock.now += 59
        assert await bearers.identities("Bearer ann") == (ANN,)
        assert provider.bearers == ["ann"]
        clock.now += 1
        provider.people.clear()
        assert await bearers.identities("Bearer ann") == ()
        assert provider.bearers == ["ann", "ann"]

    asyncio.run(scenario())


def test_a_provider_that_is_down_is_asked_again() -> None:
    provider = SlowProvider()

    async def scenario() -> None:
        bearers = Bearers(provider)
        for _ in range(2):
            with pytest.raises(ProviderFailed):
                await bearers.identities("Bearer down")

    asyncio.run(scenario())
    assert provider.bearers == ["down", "down"]


def test_a_flood_of_tokens_asks_about_few_at_once_and_is_forgotten() -> None:
    provider = SlowProvider()

    async def scenario() -> int:
        bearers = Bearers(provider)
        for first in range(0, 1500, 50):
            await asyncio.gather(*(bearers.identities(f"Bearer {number}") for number in range(first, first + 50)))
        return len(bearers._known)

    assert asyncio.run(scenario()) == 1000
    assert provider.most == 8


def test_few_tokens_wait_however_many_are_sent_and_known_ones_do_not() -> None:
    """Who sends tokens and leaves would otherwise fill memory, and the queue before everybody else."""
    provider = SlowProvider(people={"ann": [ANN]})

    async def scenario() -> list[object]:
        bearers = Bearers(provider)
        await bearers.identities("Bearer ann")
        flood = [asyncio.ensure_future(bearers.identities(f"Bearer {number}")) for number in range(500)]
        await asyncio.sleep(0)
        assert len(bearers._asking) == 64
        assert await bearers.identities("Bearer ann") == (ANN,)
        found: list[object] = list(await asyncio.gather(*flood, return_exceptions=True))
        assert await bearers.identities("Bearer late") == ()
        return found

    found = asyncio.run(scenario())
    assert [type(each) for each in found].count(TooManyAttempts) == 500 - 64


def test_somebody_who_goes_away_does_not_take_the_answer_from_others() -> None:
    provider = SlowProvider(people={"ann": [ANN]})

    async def scenario() -> None:
        bearers = Bearers(provider)
        first = asyncio.ensure_future(bearers.identities("Bearer ann"))
        second = asyncio.ensure_future(bearers.identities("Bearer ann"))
        await asyncio.sleep(0)
        first.cancel()
        assert await second == (ANN,)

    asyncio.run(scenario())
