"""What every OAuth provider does, shown on the smallest one."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from typing import Any

import pytest
from tornado.httputil import HTTPServerRequest

from flower_plugins import ConfigurationError, Identity, LoginProvider, LoginTicket, ProviderFailed
from flower_plugins.oauth2 import Endpoints, OAuthProvider, url_option
from flower_plugins.testing import (
    LoginProviderContract,
    ScriptedProvider,
    ScriptedReply,
    offer_context,
    play_provider,
)


class Smallest(OAuthProvider):
    label = "Smallest"

    def __init__(self, context: Any) -> None:
        super().__init__(context)
        self.url = self.trust("smallest_url", url_option(context.settings, "smallest_url"))

    async def endpoints(self) -> Endpoints:
        return Endpoints(f"{self.url}/authorize", f"{self.url}/token")

    def scopes(self) -> Sequence[str]:
        return ["email"]

    async def people(self, token: str) -> Sequence[Identity]:
        user = (await self.wire.ask("user", f"{self.url}/user", bearer=token)).record()
        return [Identity(user.address("email"), "smallest")]

    async def is_ours(self, token: str) -> bool:
        form = self.ask_form(token=token)
        return (await self.wire.ask("word about a token", f"{self.url}/introspect", form=form)).record().is_true("ours")


class TestSmallest(LoginProviderContract):
    def make(self, url: str) -> LoginProvider:
        return make(url, oauth2_key=self.client_id, oauth2_secret=self.secret)

    def replies(self, url: str, ticket: LoginTicket) -> dict[str, ScriptedReply]:
        return {
            "/token": ScriptedReply({"access_token": "a", "token_type": "bearer"}),
            "/user": ScriptedReply({"email": "ann@example.com"}),
            "/introspect": ScriptedReply({"ours": True}),
        }

    def names(self) -> Sequence[str]:
        return ["ann@example.com"]


def make(url: str = "https://id.example.com", **settings: Any) -> Smallest:
    values = {"oauth2_key": "id", "oauth2_secret": "s", "oauth2_redirect_uri": "http://localhost:5555/login"}
    return Smallest(offer_context(smallest_url=url, **{**values, **settings}))


@pytest.mark.parametrize("name", ["oauth2_key", "oauth2_secret", "oauth2_redirect_uri"])
@pytest.mark.parametrize("value", [None, "", "  "])
def test_half_of_a_configuration_stops_the_start(name: str, value: object) -> None:
    with pytest.raises(ConfigurationError, match=f"{name} is missing.*FLOWER_{name.upper()}"):
        make(**{name: value})


@pytest.mark.parametrize(
    "uri", ["/login", "flower.example.com/login", "ftp://x/login", "https://", "https://x/login#a", "https://[x/login"]
)
def test_a_redirect_that_is_no_address_stops_the_start(uri: str) -> None:
    with pytest.raises(ConfigurationError, match="oauth2_redirect_uri is no address"):
        make(oauth2_redirect_uri=uri)


def test_plain_http_to_another_machine_is_told() -> None:
    assert list(make().insecure) == []
    provider = make("http://id.example.com", oauth2_redirect_uri="http://flower.example.com/login")
    assert list(provider.insecure) == [
        "oauth2_redirect_uri is plain http to another machine: http://flower.example.com/login",
        "smallest_url is plain http to another machine: http://id.example.com",
    ]


@pytest.mark.parametrize("hanging", ["/token", "/user", "/introspect"])
def test_a_provider_that_hangs_anywhere_is_given_up_in_time(hanging: str) -> None:
    async def scenario(script: ScriptedProvider) -> None:
        script.replies.update(TestSmallest().replies(script.url, TestSmallest().ticket()))
        script.replies[hanging] = ScriptedReply(hangs=True)
        provider = make(script.url)
        provider.seconds = 0.2
        work = provider.bearer("a") if hanging == "/introspect" else provider.finish(TICKET, ANSWER)
        with pytest.raises(ProviderFailed, match=r"0\.2 seconds"):
            await work
        await provider.close()

    began = time.monotonic()
    play_provider(scenario)
    assert time.monotonic() - began < 5


def test_tokens_of_strangers_do_not_keep_people_from_logging_in() -> None:
    async def scenario(script: ScriptedProvider) -> None:
        script.replies.update(TestSmallest().replies(script.url, TestSmallest().ticket()))
        asked = asyncio.Event()

        def hang(request: HTTPServerRequest) -> ScriptedReply:
            asked.set()
            return ScriptedReply(hangs=True)

        script.replies["/introspect"] = hang
        provider = make(script.url)
        strangers = [asyncio.ensure_future(provider.bearer(f"token-{number}")) for number in range(200)]
        await asked.wait()
        assert await asyncio.wait_for(provider.finish(TICKET, ANSWER), 3)
        assert script.paths.count("/introspect") <= 8
        for stranger in strangers:
            stranger.cancel()
        await asyncio.gather(*strangers, return_exceptions=True)
        await provider.close()

    play_provider(scenario)


def test_the_deadline_is_for_all_calls_together() -> None:
    async def scenario(script: ScriptedProvider) -> None:
        class Patient(Smallest):
            async def people(self, token: str) -> Sequence[Identity]:
                for _ in range(50):
                    await asyncio.sleep(0.05)
                return [Identity("ann@example.com", "smallest")]

        script.replies["/token"] = ScriptedReply({"access_token": "a"})
        settings = {"oauth2_key": "id", "oauth2_secret": "s", "oauth2_redirect_uri": TICKET.redirect_uri}
        provider = Patient(offer_context(smallest_url=script.url, **settings))
        provider.seconds = 0.3
        with pytest.raises(ProviderFailed, match=r"longer than 0\.3 seconds"):
            await provider.finish(TICKET, ANSWER)
        await provider.close()

    play_provider(scenario)


TICKET = LoginTicket("the-state", "v" * 43, "the-nonce", "http://localhost:5555/login")
ANSWER = {"state": "the-state", "code": "c"}


def test_the_secret_goes_to_the_token_endpoint_and_nowhere_else(caplog: pytest.LogCaptureFixture) -> None:
    """S35."""
    caplog.set_level(0)

    async def scenario(script: ScriptedProvider) -> None:
        script.replies.update(TestSmallest().replies(script.url, TICKET))
        provider = make(script.url, oauth2_secret="canary")
        await provider.finish(TICKET, ANSWER)
        assert script.form("/token")["client_secret"] == "canary"
        (user,) = (request for request in script.requests if request.path == "/user")
        assert "canary" not in f"{user.uri} {list(user.headers.get_all())} {user.body!r}"
        await provider.close()

    play_provider(scenario)
    assert "canary" not in caplog.text
