"""Whom Google lets in, by what its tokens say."""

from __future__ import annotations

import functools
import json
import time
from collections.abc import Mapping, Sequence
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from flower_auth_google import plugin
from flower_auth_google.provider import GoogleProvider
from flower_plugins import ConfigurationError, Identity, LoginRefused, LoginTicket, ProviderFailed
from flower_plugins.testing import ScriptedProvider, ScriptedReply, offer_context, play_provider

TICKET = LoginTicket("the-state", "v" * 43, "the-nonce", "http://localhost:5555/login")


@functools.cache
def rsa_key(name: str) -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(65537, 2048)


@functools.cache
def ec_key() -> ec.EllipticCurvePrivateKey:
    return ec.generate_private_key(ec.SECP256R1())


def public(name: str) -> dict[str, Any]:
    if name == "curve":
        key = json.loads(jwt.algorithms.ECAlgorithm.to_jwk(ec_key().public_key()))
    else:
        key = json.loads(jwt.algorithms.RSAAlgorithm.to_jwk(rsa_key(name).public_key()))
    return {**key, "kid": name, "use": "sig"}


class Google:
    """A scripted Google and the provider that talks to it."""

    def __init__(self, script: ScriptedProvider, **settings: Any) -> None:
        self.script, url = script, script.url
        self.claims: dict[str, Any] = {
            "iss": url,
            "sub": "1",
            "aud": "id",
            "azp": "id",
            "nonce": TICKET.nonce,
            "iat": int(time.time()),
            "exp": int(time.time()) + 600,
            "email": "ann@example.com",
            "email_verified": True,
            "hd": "example.com",
        }
        self.keys = ["first"]
        self.configuration = {
            "issuer": url,
            "authorization_endpoint": f"{url}/auth",
            "token_endpoint": f"{url}/token",
            "userinfo_endpoint": f"{url}/userinfo",
            "jwks_uri": f"{url}/keys",
        }
        self.now = 0.0
        script.replies["/.well-known/openid-configuration"] = lambda _: ScriptedReply(self.configuration)
        script.replies["/keys"] = lambda _: ScriptedReply({"keys": [public(name) for name in self.keys]})
        self.provider = make(url, google_tokeninfo_url=f"{url}/tokeninfo", **settings)
        self.provider.clock = lambda: self.now  # type: ignore[method-assign, assignment]

    async def login(self, id_token: object = None, **answer: str) -> Sequence[Identity]:
        token = self.token() if id_token is None else id_token
        self.script.replies["/token"] = ScriptedReply({"access_token": "a", "id_token": token})
        return await self.provider.finish(TICKET, {"state": TICKET.state, "code": "c", **answer})

    def token(self, name: str = "first", claims: Mapping[str, Any] | None = None, **header: Any) -> str:
        key: Any = ec_key() if name == "curve" else rsa_key(name)
        algorithm = "ES256" if name == "curve" else "RS256"
        return jwt.encode(dict(claims or self.claims), key, algorithm, {"kid": name, **header})


def make(url: str = "https://accounts.google.com", **settings: Any) -> GoogleProvider:
    settings = {"oauth2_key": "id", "oauth2_secret": "s", "oauth2_redirect_uri": TICKET.redirect_uri, **settings}
    return GoogleProvider(offer_context(*plugin.flower_options(), google_oauth_issuer=url, **settings))


def play(scenario: Any, **settings: Any) -> Any:
    async def run(script: ScriptedProvider) -> Any:
        google = Google(script, **settings)
        try:
            return await scenario(google)
        finally:
            await google.provider.close()

    return play_provider(run)


def refusal(changes: Mapping[str, Any], **settings: Any) -> str:
    """Return why a login whose id_token differs is refused."""

    async def scenario(google: Google) -> str:
        google.claims.update(changes)
        with pytest.raises(LoginRefused) as caught:
            await google.login(google.token(claims={k: v for k, v in google.claims.items() if v is not ...}))
        return caught.value.message

    text: str = play(scenario, **settings)
    return text


def test_a_verified_address_gets_in() -> None:
    assert play(lambda google: google.login()) == [Identity("ann@example.com", "google")]


@pytest.mark.parametrize("verified", [False, None, "true", "false", 1, 0, [], {}, ...])
def test_an_address_that_is_not_verified_stays_out(verified: object) -> None:
    """S17."""
    assert "is not verified" in refusal({"email_verified": verified})


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"nonce": "another"}, "belongs to another login"),
        ({"nonce": ...}, "belongs to another login"),
        ({"nonce": None}, "belongs to another login"),
        ({"aud": "another"}, "meant for somebody else"),
        ({"aud": ["another"]}, "meant for somebody else"),
        ({"aud": ...}, "does not hold"),
        ({"aud": ["id", "another"], "azp": ...}, "issued to somebody else"),
        ({"azp": "another"}, "issued to somebody else"),
        ({"azp": None}, "issued to somebody else"),
        ({"iss": "https://evil.example"}, "another issuer"),
        ({"iss": ...}, "does not hold"),
        ({"exp": 1}, "has expired"),
        ({"exp": ...}, "does not hold"),
        ({"exp": "soon"}, "does not hold"),
        ({"exp": 1e400}, "does not hold"),
        ({"iat": 9_999_999_999}, "does not hold"),
        ({"nbf": 9_999_999_999}, "does not hold"),
        ({"sub": ...}, "does not hold"),
    ],
)
def test_an_id_token_that_proves_something_else_lets_nobody_in(changes: Mapping[str, Any], reason: str) -> None:
    assert reason in refusal(changes)


@pytest.mark.parametrize(
    ("forge", "reason"),
    [
        (lambda google: google.token("second", kid="first"), "not signed by its issuer"),
        (lambda google: google.token("second"), "a key that Google does not list"),
        (lambda google: jwt.encode(google.claims, "s" * 32, "HS256", {"kid": "first"}), "in an unknown way"),
        (lambda google: jwt.encode(google.claims, None, "none", {"kid": "first"}), "in an unknown way"),
        (lambda google: jwt.encode(google.claims, rsa_key("first"), "RS256"), "in an unknown way"),
        (lambda google: jwt.encode(google.claims, rsa_key("first"), "RS512", {"kid": "first"}), "in an unknown way"),
        (lambda google: google.token("curve", kid="first"), "does not hold"),
        (lambda google: google.token()[:-8] + "AAAAAAAA", "not signed by its issuer"),
        (lambda google: "x.y.z", "cannot be read"),
        (lambda google: "", "cannot be read"),
        (lambda google: "." * 5000, "cannot be read"),
    ],
)
def test_an_id_token_that_google_did_not_sign_lets_nobody_in(forge: Any, reason: str) -> None:
    async def scenario(google: Google) -> None:
        with pytest.raises(LoginRefused, match=reason):
            await google.login(forge(google))

    play(scenario)


def test_both_ways_of_signing_are_understood() -> None:
    async def scenario(google: Google) -> Any:
        google.keys = ["first", "curve"]
        return await google.login(google.token("curve"))

    assert play(scenario) == [Identity("ann@example.com", "google")]


def test_the_configuration_and_the_keys_are_kept_for_an_hour() -> None:
    async def scenario(google: Google) -> list[int]:
        counts = []
        for now in (0, 1, 3599, 3601):
            google.now = now
            await google.login()
            counts.append(sum(path != "/token" for path in google.script.paths))
        return counts

    assert play(scenario) == [2, 2, 2, 4]


def test_a_new_key_is_asked_for_once_and_an_old_one_is_forgotten_with_it() -> None:
    async def scenario(google: Google) -> int:
        await google.login()
        google.keys = ["second"]
        await google.login(google.token("second"))
        with pytest.raises(LoginRefused):
            await google.login(google.token("first"))
        return google.script.paths.count("/keys")

    assert play(scenario) == 3


def test_a_strange_key_does_not_take_the_others_away() -> None:
    async def scenario(google: Google) -> Any:
        strange = [
            5,
            {"kty": "RSA", "kid": "x"},
            {"kty": "oct", "k": "AA", "kid": "y"},
            {"kty": "RSA", "n": 5, "kid": "z"},
        ]
        google.script.replies["/keys"] = ScriptedReply({"keys": [*strange, public("first")]})
        return await google.login()

    assert play(scenario) == [Identity("ann@example.com", "google")]


@pytest.mark.parametrize(
    ("domains", "hd", "allowed"),
    [
        (["example.com"], "example.com", True),
        (["Example.COM"], "EXAMPLE.com", True),
        (["other.example", "example.com"], "example.com", True),
        (["example.com"], ..., False),
        (["example.com"], None, False),
        (["example.com"], "evil.example", False),
        (["example.com"], "sub.example.com", False),
        (["example.com"], "example.com.evil.example", False),
    ],
)
def test_only_accounts_of_a_hosted_domain_get_in(domains: list[str], hd: object, allowed: bool) -> None:
    if allowed:
        people = play(
            lambda google: google.login(google.token(claims={**google.claims, "hd": hd})), google_hosted_domain=domains
        )
        assert people == [Identity("ann@example.com", "google", frozenset(("example.com",)))]
    else:
        assert "Access denied to 'ann@example.com'" in refusal({"hd": hd}, google_hosted_domain=domains)


@pytest.mark.parametrize(
    ("domains", "groups", "permitted"),
    [
        ([], [], True),
        ([], ["example.com"], True),
        (["Example.com"], ["example.com"], True),
        (["example.com"], [], False),
        (["example.com"], ["former.example"], False),
    ],
)
def test_a_login_from_before_is_held_against_the_domains_of_now(
    domains: list[str], groups: list[str], permitted: bool
) -> None:
    identity = Identity("ann@example.com", "google", frozenset(groups))
    assert make(google_hosted_domain=domains).permits(identity) is permitted


def test_an_answer_of_another_issuer_is_refused() -> None:
    async def scenario(google: Google) -> None:
        assert await google.login(iss=google.script.url)
        with pytest.raises(LoginRefused, match="comes from another provider"):
            await google.login(iss="https://evil.example")

    play(scenario)


@pytest.mark.parametrize(
    "change",
    [
        {"issuer": "https://evil.example"},
        {"token_endpoint": "http://evil.example/token"},
        {"token_endpoint": "file:///etc/passwd"},
        {"token_endpoint": 5},
        {"jwks_uri": "http://evil.example/keys"},
        {"jwks_uri": ""},
    ],
)
def test_a_configuration_that_leads_astray_is_not_followed(change: Mapping[str, Any]) -> None:
    async def scenario(google: Google) -> None:
        google.configuration.update(change)
        with pytest.raises(ProviderFailed, match="Google's configuration"):
            await google.login()

    play(scenario)


@pytest.mark.parametrize(
    "info",
    [
        {"aud": "another"},
        {"aud": "another", "azp": "id"},
        {"aud": "id", "azp": "another"},
        {"aud": "id", "azp": 5},
        {"aud": ["id"]},
        {},
    ],
)
def test_a_bearer_token_of_another_client_is_nobody(info: Mapping[str, Any]) -> None:
    async def scenario(google: Google) -> Any:
        google.script.replies["/tokeninfo"] = ScriptedReply(info)
        google.script.replies["/userinfo"] = ScriptedReply(google.claims)
        return await google.provider.bearer("token"), google.script.paths

    assert play(scenario) == ((), ["/tokeninfo"])


@pytest.mark.parametrize("verified", [False, "true", None])
def test_a_bearer_token_of_an_unverified_address_is_nobody(verified: object) -> None:
    """S17."""

    async def scenario(google: Google) -> Any:
        google.script.replies["/tokeninfo"] = ScriptedReply({"aud": "id"})
        google.script.replies["/userinfo"] = ScriptedReply({**google.claims, "email_verified": verified})
        return list(await google.provider.bearer("token"))

    assert play(scenario) == []


def test_the_nonce_and_a_single_domain_are_named_on_the_way() -> None:
    assert make().more(TICKET) == {"nonce": "the-nonce"}
    assert make(google_hosted_domain=["a.example"]).more(TICKET) == {"nonce": "the-nonce", "hd": "a.example"}
    assert make(google_hosted_domain=["a.example", "b.example"]).more(TICKET) == {"nonce": "the-nonce"}


def test_the_denial_is_in_the_words_of_flower_2() -> None:
    text = make().denial([Identity("ann@example.com", "google")])
    assert text == (
        "Access denied to 'ann@example.com'. "
        "Please use another account or ask your admin to add your email to flower --auth."
    )


@pytest.mark.parametrize("domain", ["", "ann@example.com", "ex\u00e4mple.com"])
def test_a_hosted_domain_that_is_none_stops_the_start(domain: str) -> None:
    with pytest.raises(ConfigurationError, match="google_hosted_domain"):
        make(google_hosted_domain=[domain])
