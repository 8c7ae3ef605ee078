"""Whom GitLab lets in, by what it says about them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from tornado.httputil import HTTPServerRequest

from flower_auth_gitlab import plugin
from flower_auth_gitlab.provider import GitLabProvider
from flower_plugins import ConfigurationError, Identity, LoginRefused, LoginTicket
from flower_plugins.testing import ScriptedProvider, ScriptedReply, offer_context, play_provider

TICKET = LoginTicket("the-state", "v" * 43, "the-nonce", "http://localhost:5555/login")
USER = {"email": "ann@example.com", "state": "active", "confirmed_at": "2020-01-01T00:00:00Z"}
DENIED = "Access denied. Please use another account or contact your admin."
NO_GROUPS = ScriptedReply([])
Reply = ScriptedReply | Callable[[HTTPServerRequest], ScriptedReply]


def make(url: str = "gitlab.example.com", **settings: Any) -> GitLabProvider:
    settings = {"oauth2_key": "id", "oauth2_secret": "s", "oauth2_redirect_uri": TICKET.redirect_uri, **settings}
    return GitLabProvider(offer_context(*plugin.flower_options(), gitlab_oauth_domain=url, **settings))


def login(
    user: dict[str, Any] = USER, groups: Reply = NO_GROUPS, **settings: Any
) -> tuple[Sequence[Identity], list[str]]:
    """Return who gets in, and what was asked of GitLab."""

    async def scenario(script: ScriptedProvider) -> tuple[Sequence[Identity], list[str]]:
        script.replies["/oauth/token"] = ScriptedReply({"access_token": "a", "token_type": "Bearer"})
        script.replies["/api/v4/user"] = ScriptedReply(user)
        script.replies["/api/v4/groups"] = groups
        provider = make(script.url, **settings)
        try:
            people = await provider.finish(TICKET, {"state": TICKET.state, "code": "c"})
            assert all(provider.permits(person) for person in people)
            return people, [request.uri or "" for request in script.requests]
        finally:
            await provider.close()

    return play_provider(scenario)


def listed(*paths: str) -> ScriptedReply:
    return ScriptedReply([{"id": 1, "full_path": path} for path in paths])


def test_an_active_and_confirmed_user_gets_in_without_a_question_about_groups() -> None:
    people, asked = login()
    assert people == [Identity("ann@example.com", "gitlab")]
    assert asked == ["/oauth/token", "/api/v4/user"]


@pytest.mark.parametrize(
    "change",
    [
        {"state": "blocked"},
        {"state": "deactivated"},
        {"state": "ldap_blocked"},
        {"state": "Active"},
        {"confirmed_at": None},
        {"confirmed_at": ""},
    ],
)
def test_a_blocked_or_unconfirmed_user_stays_out(change: dict[str, Any]) -> None:
    """S18."""
    with pytest.raises(LoginRefused) as caught:
        login({**USER, **change})
    assert caught.value.message.startswith(DENIED)


def test_a_user_without_any_confirmation_date_stays_out() -> None:
    """S18."""
    with pytest.raises(LoginRefused):
        login({name: value for name, value in USER.items() if name != "confirmed_at"})


@pytest.mark.parametrize(
    ("allowed", "member", "found"),
    [
        (["shop"], ["shop"], {"shop"}),
        (["shop"], ["bank", "shop"], {"shop"}),
        (["shop"], ["shop/till"], {"shop"}),
        (["shop"], ["shop/till/night"], {"shop"}),
        (["shop/till"], ["shop/till"], {"shop/till"}),
        (["shop", "shop/till"], ["shop/till"], {"shop", "shop/till"}),
        (["Shop/"], ["SHOP"], {"shop"}),
        (["shop/till"], ["shop"], None),
        (["shop"], ["shopping"], None),
        (["shop"], ["bank/shop"], None),
        (["shop"], [], None),
        (["shop"], [""], None),
        (["k"], ["\u212a"], None),
    ],
)
def test_a_listed_group_and_its_subgroups_let_in(allowed: list[str], member: list[str], found: set[str] | None) -> None:
    if found is None:
        with pytest.raises(Exception, match=r"Access denied|proper 'full_path'"):
            login(groups=listed(*member), gitlab_auth_allowed_groups=allowed)
    else:
        people, _ = login(groups=listed(*member), gitlab_auth_allowed_groups=allowed)
        assert people == [Identity("ann@example.com", "gitlab", frozenset(found))]


@pytest.mark.parametrize("header", ["X-Next-Page", "Link"])
def test_every_page_of_groups_is_read(header: str) -> None:
    def pages(request: HTTPServerRequest) -> ScriptedReply:
        page = int(request.arguments["page"][0])
        link = (
            f'<http://elsewhere.invalid/api/v4/groups?page={page + 1}&per_page=100>; rel="next", <x?page=9>; rel="last"'
        )
        headers = {header: str(page + 1) if header == "X-Next-Page" else link} if page < 3 else {}
        return ScriptedReply([{"full_path": f"group-{page}"}], headers=headers)

    people, asked = login(groups=pages, gitlab_auth_allowed_groups=["group-3"])
    assert [person.groups for person in people] == [{"group-3"}]
    assert [parse_qs(urlsplit(uri).query)["page"] for uri in asked[2:]] == [["1"], ["2"], ["3"]]


def test_endless_pages_come_to_an_end() -> None:
    def pages(request: HTTPServerRequest) -> ScriptedReply:
        page = int(request.arguments["page"][0])
        return ScriptedReply([{"full_path": "shop"}], headers={"X-Next-Page": str(page + 1)})

    _, asked = login(groups=pages, gitlab_auth_allowed_groups=["shop"])
    assert len(asked) == 2 + 50


def test_a_page_that_names_itself_as_the_next_is_the_last() -> None:
    reply = ScriptedReply([{"full_path": "shop"}], headers={"X-Next-Page": "1"})
    _, asked = login(groups=reply, gitlab_auth_allowed_groups=["shop"])
    assert len(asked) == 3


def test_the_access_level_is_asked_for() -> None:
    _, asked = login(groups=listed("shop"), gitlab_auth_allowed_groups=["shop"], gitlab_min_access_level=40)
    assert parse_qs(urlsplit(asked[2]).query)["min_access_level"] == ["40"]


def test_reading_the_api_is_asked_for_only_where_groups_are() -> None:
    assert make().scopes() == ["read_user"]
    assert make(gitlab_auth_allowed_groups=["shop"]).scopes() == ["read_api"]


def test_a_session_of_a_group_that_is_no_longer_listed_ends() -> None:
    provider = make(gitlab_auth_allowed_groups=["bank"])
    assert not provider.permits(Identity("ann@example.com", "gitlab", frozenset({"shop"})))
    assert not provider.permits(Identity("ann@example.com", "gitlab"))
    assert provider.permits(Identity("ann@example.com", "gitlab", frozenset({"bank"})))


def test_the_denial_is_in_the_words_of_flower_2() -> None:
    assert make().denial(()) == DENIED


@pytest.mark.parametrize(
    ("settings", "complaint"),
    [
        ({"gitlab_auth_allowed_groups": [" ", "/"]}, "names no group"),
        ({"gitlab_min_access_level": 0}, "cannot be 0"),
        ({"gitlab_min_access_level": 100}, "cannot be 100"),
        ({"oauth2_key": None}, "oauth2_key is missing"),
        ({"oauth2_secret": ""}, "oauth2_secret is missing"),
        ({"oauth2_redirect_uri": None}, "oauth2_redirect_uri is missing"),
    ],
)
def test_settings_that_cannot_work_stop_the_start(settings: dict[str, Any], complaint: str) -> None:
    with pytest.raises(ConfigurationError, match=complaint):
        make(**settings)


@pytest.mark.parametrize("application", [{"uid": "another"}, {"uid": 5}, {}, None, "id", ["id"]])
def test_a_bearer_token_of_another_application_is_nobody(application: object) -> None:
    async def scenario(script: ScriptedProvider) -> tuple[Sequence[Identity], list[str]]:
        script.replies["/oauth/token/info"] = ScriptedReply({"application": application})
        script.replies["/api/v4/user"] = ScriptedReply(USER)
        provider = make(script.url)
        try:
            return await provider.bearer("token"), script.paths
        finally:
            await provider.close()

    people, asked = play_provider(scenario)
    assert list(people) == []
    assert asked == ["/oauth/token/info"]
