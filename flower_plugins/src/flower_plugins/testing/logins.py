"""The contract of login providers: whatever a provider answers, nobody but the right person gets in."""

from __future__ import annotations

import base64
import hashlib
import json
from abc import abstractmethod
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from typing import Any
from urllib.parse import parse_qs, urlsplit

from flower_plugins.errors import FlowerError, LoginRefused, ProviderFailed
from flower_plugins.identity import Identity, LoginProvider, LoginTicket
from flower_plugins.testing.provider import ScriptedProvider, ScriptedReply, play_provider

__all__ = ["LoginProviderContract"]

_LIES: Mapping[str, ScriptedReply] = {
    "nothing": ScriptedReply(raw=b""),
    "null": ScriptedReply(None),
    "a number": ScriptedReply(5),
    "a text": ScriptedReply("ann@example.com"),
    "an empty list": ScriptedReply([]),
    "a list of numbers": ScriptedReply([1, 2]),
    "an empty object": ScriptedReply({}),
    "an error with status 200": ScriptedReply({"error": "bad_verification_code", "error_description": "no"}),
    "a message with status 200": ScriptedReply({"message": "Bad credentials"}),
    "a refusal": ScriptedReply({"error": "invalid_token"}, 401),
    "forbidden": ScriptedReply({"message": "no"}, 403),
    "too many": ScriptedReply({}, 429),
    "a breakdown": ScriptedReply({}, 500),
    "no content": ScriptedReply(status=204),
    "HTML": ScriptedReply(raw=b"<html>Sign in</html>", headers={"Content-Type": "text/html"}),
    "bytes": ScriptedReply(raw=b"\xff\xfe\x00"),
    "NaN": ScriptedReply(raw=b'{"access_token": NaN, "email": NaN, "keys": NaN}'),
    "half": ScriptedReply(raw=b'{"access_token": "a", "email"'),
    "deep nesting": ScriptedReply(raw=b"[" * 200_000),
    "two megabytes": ScriptedReply(raw=b'{"a": "' + b"x" * 2_000_000 + b'"}'),
}
_Beginning = Callable[[LoginProvider], Awaitable[Sequence[Identity]]]
_VALUES: Sequence[Any] = (None, 5, True, "", "x\r\ny", "\ud800", [], {}, [{}], 1e300, "ann@example.com\n@evil")


class LoginProviderContract:
    """Login providers that speak OAuth 2, against a server that plays the provider."""

    client_id, secret = "flower-client", "canary-of-the-client"

    @abstractmethod
    def make(self, url: str) -> LoginProvider:
        """Return a provider whose every base URL is `url`, for the client `client_id` with `secret`."""

    @abstractmethod
    def replies(self, url: str, ticket: LoginTicket) -> dict[str, ScriptedReply]:
        """Return what a provider at `url` answers by path when somebody who is all right logs in, and for a bearer."""

    @abstractmethod
    def names(self) -> Sequence[str]:
        """Return the names of that person's identities."""

    def ticket(self) -> LoginTicket:
        """Return a login that has begun."""
        return LoginTicket("the-state", "v" * 43, "the-nonce", "http://localhost:5555/login")

    def answer(self) -> dict[str, str]:
        """Return the query that person comes back with."""
        return {"state": "the-state", "code": "the-code"}

    def play(self, scenario: Callable[[ScriptedProvider, LoginProvider], Awaitable[Any]]) -> Any:
        """Run `scenario` with a provider and the server it talks to."""

        async def run(script: ScriptedProvider) -> Any:
            script.replies.update(self.replies(script.url, self.ticket()))
            provider = self.make(script.url)
            try:
                return await scenario(script, provider)
            finally:
                await provider.close()

        return play_provider(run)

    def test_the_browser_is_sent_away_with_a_challenge_and_without_a_secret(self) -> None:
        """S24."""
        url = self.play(lambda _, provider: provider.authorize_url(self.ticket()))
        query = {name: values[0] for name, values in parse_qs(urlsplit(url).query).items()}
        digest = hashlib.sha256(self.ticket().verifier.encode()).digest()
        challenge = base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
        assert query["code_challenge"] == challenge
        assert query["code_challenge_method"] == "S256"
        assert query["response_type"] == "code"
        assert query["state"] == "the-state"
        assert query["client_id"] == self.client_id
        assert query["redirect_uri"] == "http://localhost:5555/login"
        assert query["scope"]
        assert self.secret not in url
        assert self.ticket().verifier not in url

    def test_the_right_person_comes_back_with_the_verifier_and_gets_in(self) -> None:
        """S24."""

        async def scenario(script: ScriptedProvider, provider: LoginProvider) -> None:
            people = await provider.finish(self.ticket(), self.answer())
            assert [person.name for person in people] == list(self.names())
            assert all(provider.permits(person) for person in people)
            assert any(b"code_verifier=" + b"v" * 43 in (request.body or b"") for request in script.requests)

        self.play(scenario)

    def test_a_bearer_token_of_this_client_stands_for_the_same_person(self) -> None:
        people = self.play(lambda _, provider: provider.bearer("a-token"))
        assert [person.name for person in people] == list(self.names())

    def test_what_cannot_be_a_token_is_never_sent_anywhere(self) -> None:
        async def scenario(script: ScriptedProvider, provider: LoginProvider) -> None:
            for token in ("", " ", "a b", "a\r\nX: y", "\u00fc", "x" * 5000, '"', "a=b"):
                assert list(await provider.bearer(token)) == []
            assert script.requests == []

        self.play(scenario)

    def test_a_refused_consent_is_told_and_not_repeated(self) -> None:
        """S26."""

        async def scenario(script: ScriptedProvider, provider: LoginProvider) -> None:
            text = {"error": "access_denied", "error_description": "<b>no\n", "state": "the-state"}
            for answer in (text, {**text, "code": "the-code"}):
                error = await self.refusal(provider.finish(self.ticket(), answer))
                assert isinstance(error, LoginRefused)
                assert "access_denied" in error.message
                assert error.message.isprintable()
            assert script.requests == []

        self.play(scenario)

    def test_an_answer_without_code_or_with_another_state_is_refused(self) -> None:
        async def scenario(script: ScriptedProvider, provider: LoginProvider) -> None:
            for answer in ({}, {"state": "the-state"}, {"state": "other", "code": "c"}, {"code": "c"}):
                assert isinstance(await self.refusal(provider.finish(self.ticket(), answer)), LoginRefused)
            assert script.requests == []

        self.play(scenario)

    def test_a_lie_of_the_provider_lets_nobody_in(self) -> None:
        """S20."""

        async def scenario(script: ScriptedProvider, provider: LoginProvider) -> None:
            for begin in self.beginnings():
                for path in await self.asked(script, begin(provider)):
                    for lie, reply in _LIES.items():
                        self.check(f"{lie} at {path}", await self.lied_to(script, path, reply, begin), ())

        self.play(scenario)

    def test_values_of_the_wrong_type_let_nobody_else_in(self) -> None:
        """S20."""

        async def scenario(script: ScriptedProvider, provider: LoginProvider) -> None:
            for begin in self.beginnings():
                for path in await self.asked(script, begin(provider)):
                    good = self.replies(script.url, self.ticket())[path].value
                    for field, value in ((field, value) for field in _fields(good) for value in _VALUES):
                        reply = ScriptedReply(_changed(good, field, value))
                        outcome = await self.lied_to(script, path, reply, begin)
                        self.check(f"{field}={value!r} at {path}", outcome, self.names())

        self.play(scenario)

    def test_a_redirect_of_the_provider_is_not_followed(self) -> None:
        async def scenario(script: ScriptedProvider, provider: LoginProvider) -> None:
            for path in list(script.replies):
                script.replies[path] = ScriptedReply({}, 302, {"Location": f"{script.url}/elsewhere"})
            for begin in self.beginnings():
                assert isinstance(await self.refusal(begin(provider)), ProviderFailed)
            assert "/elsewhere" not in script.paths

        self.play(scenario)

    def test_a_provider_that_is_down_lets_nobody_in(self) -> None:
        async def scenario(script: ScriptedProvider, provider: LoginProvider) -> None:
            gone = self.make("http://127.0.0.1:9")
            for begin in self.beginnings():
                error = await self.refusal(begin(gone))
                assert isinstance(error, ProviderFailed)
                assert self.secret not in error.message
            assert script.requests == []
            await gone.close()
            await provider.close()

        self.play(scenario)

    def beginnings(self) -> Sequence[_Beginning]:
        """Return the ways in: a login and a bearer token."""
        return (
            lambda provider: provider.finish(self.ticket(), self.answer()),
            lambda provider: provider.bearer("a-token"),
        )

    async def refusal(self, work: Awaitable[Sequence[Identity]]) -> FlowerError:
        """Return the error a login ends with; fail when it succeeds."""
        try:
            people = await work
        except (LoginRefused, ProviderFailed) as error:
            return error
        raise AssertionError(f"let in: {people}")

    async def asked(self, script: ScriptedProvider, work: Awaitable[Any]) -> Sequence[str]:
        """Return the paths that something which goes well asks for."""
        script.requests.clear()
        await work
        return list(dict.fromkeys(script.paths))

    async def lied_to(
        self, script: ScriptedProvider, path: str, lie: ScriptedReply, begin: _Beginning
    ) -> Sequence[str] | FlowerError:
        """Return the names that get in past a lie, or the error they get, with a provider that remembers nothing."""
        script.replies.update({**self.replies(script.url, self.ticket()), path: lie})
        provider = self.make(script.url)
        try:
            return [person.name for person in await begin(provider)]
        except (LoginRefused, ProviderFailed) as error:
            return error
        finally:
            await provider.close()
            script.replies.update(self.replies(script.url, self.ticket()))

    def check(self, what: str, outcome: Sequence[str] | FlowerError, allowed: Sequence[str]) -> None:
        """Fail when others than `allowed` got in, or a message holds what it should not."""
        if isinstance(outcome, FlowerError):
            assert self.secret not in outcome.message, what
            assert outcome.message.isprintable(), what
        else:
            assert set(outcome) <= set(allowed), (what, outcome)


def _fields(value: Any) -> Iterator[str | int]:
    if isinstance(value, dict):
        yield from value
    elif isinstance(value, list):
        yield from range(len(value))


def _changed(good: Any, field: str | int, value: Any) -> Any:
    """Return a copy of a JSON value in which one field is another."""
    copy = json.loads(json.dumps(good))
    copy[field] = value
    return copy
