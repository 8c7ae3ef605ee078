"""Whom Okta lets in, by what it says about them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from flower_auth_okta import plugin
from flower_auth_okta.provider import OktaProvider
from flower_plugins import ConfigurationError, Identity, LoginRefused, LoginTicket, ProviderFailed
from flower_plugins.testing import ScriptedProvider, ScriptedReply, offer_context, play_provider

TICKET = LoginTicket("the-state", "v" * 43, "the-nonce", "http://localhost:5555/login")
USER = {"sub": "1", "email": "ann@example.com", "email_verified": True}
DENIED = "Access denied. Please use another account or ask your admin to add your email to flower --auth."


def make(url: Any = "https://shop.okta.com/oauth2/default", **settings: Any) -> OktaProvider:
    settings = {"oauth2_key": "id", "oauth2_secret": "s", "oauth2_redirect_uri": TICKET.redirect_uri, **settings}
    return OktaProvider(offer_context(*plugin.flower_options(), oauth2_okta_base_url=url, **settings))


def login(user: dict[str, Any], **settings: Any) -> Sequence[Identity]:
    async def scenario(script: ScriptedProvider) -> Sequence[Identity]:
        script.replies["/oauth2/v1/token"] = ScriptedReply({"access_token": "a", "token_type": "Bearer"})
        script.replies["/oauth2/v1/userinfo"] = ScriptedReply(user)
        provider = make(f"{script.url}/oauth2/", **settings)
        try:
            people = await provider.finish(TICKET, {"state": TICKET.state, "code": "c"})
            assert all(provider.permits(person) for person in people)
            return people
        finally:
            await provider.close()

    return play_provider(scenario)


def bearer(info: dict[str, Any]) -> tuple[Sequence[Identity], ScriptedProvider]:
    async def scenario(script: ScriptedProvider) -> tuple[Sequence[Identity], ScriptedProvider]:
        script.replies["/v1/introspect"] = ScriptedReply(info)
        script.replies["/v1/userinfo"] = ScriptedReply(USER)
        provider = make(script.url)
        try:
            return await provider.bearer("token"), script
        finally:
            await provider.close()

    return play_provider(scenario)


def test_a_verified_address_gets_in() -> None:
    assert login(USER) == [Identity("ann@example.com", "okta")]


@pytest.mark.parametrize("verified", [False, None, "true", "false", 1, 0, [], {}])
def test_an_address_that_is_not_verified_stays_out(verified: object) -> None:
    """S19."""
    with pytest.raises(LoginRefused, match=DENIED):
        login({**USER, "email_verified": verified})


def test_an_address_nothing_is_said_about_stays_out() -> None:
    """S19."""
    with pytest.raises(LoginRefused, match=DENIED):
        login({"sub": "1", "email": "ann@example.com"})


@pytest.mark.parametrize(
    ("groups", "found"),
    [
        (["Operators"], {"Operators"}),
        (["Everyone", "Operators", "Night Shift"], {"Operators", "Night Shift"}),
        (["operators"], None),
        (["Everyone"], None),
        ([], None),
        (None, None),
    ],
)
def test_only_members_get_in_where_groups_are_listed(groups: list[str] | None, found: set[str] | None) -> None:
    allowed = ["Operators", "Night Shift"]
    if found is None:
        with pytest.raises(LoginRefused, match=DENIED):
            login({**USER, "groups": groups}, okta_allowed_groups=allowed)
    else:
        (person,) = login({**USER, "groups": groups}, okta_allowed_groups=allowed)
        assert person.groups == found


@pytest.mark.parametrize("groups", ["Operators", {"Operators": True}, [["Operators"]], 5, True])
def test_groups_of_the_wrong_type_are_a_failure_of_the_provider(groups: object) -> None:
    with pytest.raises(ProviderFailed):
        login({**USER, "groups": groups}, okta_allowed_groups=["Operators"])


def test_groups_are_asked_for_only_where_they_count() -> None:
    assert make().scopes() == ["openid", "email"]
    assert make(okta_allowed_groups=["Operators"]).scopes() == ["openid", "email", "groups"]


def test_a_session_of_a_group_that_is_no_longer_listed_ends() -> None:
    provider = make(okta_allowed_groups=["Operators"])
    assert not provider.permits(Identity("ann@example.com", "okta", frozenset({"Everyone"})))
    assert provider.permits(Identity("ann@example.com", "okta", frozenset({"Operators"})))


@pytest.mark.parametrize(
    ("settings", "complaint"),
    [
        ({"url": None}, "oauth2_okta_base_url is missing"),
        ({"url": ""}, "oauth2_okta_base_url is missing"),
        ({"url": "ftp://shop.okta.com"}, "not the address of a server"),
        ({"okta_allowed_groups": [""]}, "names no group"),
    ],
)
def test_settings_that_cannot_work_stop_the_start(settings: dict[str, Any], complaint: str) -> None:
    with pytest.raises(ConfigurationError, match=complaint):
        make(**settings)


def test_a_token_is_asked_about_with_the_credentials_of_the_client() -> None:
    people, script = bearer({"active": True, "client_id": "id"})
    assert people == [Identity("ann@example.com", "okta")]
    form = {"token": "token", "token_type_hint": "access_token", "client_id": "id", "client_secret": "s"}
    assert script.form("/v1/introspect") == form


@pytest.mark.parametrize(
    "info",
    [
        {"active": False},
        {"active": "true", "client_id": "id"},
        {"active": 1, "client_id": "id"},
        {"client_id": "id"},
        {"active": True, "client_id": "another"},
        {"active": True, "client_id": ["id"]},
        {"active": True},
    ],
)
def test_a_bearer_token_that_is_spent_or_of_another_client_is_nobody(info: dict[str, Any]) -> None:
    people, script = bearer(info)
    assert list(people) == []
    assert script.paths == ["/v1/introspect"]
