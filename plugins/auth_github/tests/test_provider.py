"""Whom GitHub lets in, by what it says about them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import pytest
from tornado.httputil import HTTPServerRequest

from flower_auth_github import plugin
from flower_auth_github.provider import GitHubProvider
from flower_plugins import ConfigurationError, Identity, LoginRefused, LoginTicket, ProviderFailed
from flower_plugins.testing import ScriptedProvider, ScriptedReply, offer_context, play_provider

TICKET = LoginTicket("the-state", "v" * 43, "the-nonce", "http://localhost:5555/login")
GRANT = ScriptedReply({"access_token": "a", "token_type": "bearer", "scope": "read:org,user:email"})
DENIED = "Access denied. Please use another account or ask your admin to add your email to flower --auth."
Reply = ScriptedReply | Callable[[HTTPServerRequest], ScriptedReply]


def make(url: str = "github.com", **settings: Any) -> GitHubProvider:
    settings = {"oauth2_key": "id", "oauth2_secret": "s", "oauth2_redirect_uri": TICKET.redirect_uri, **settings}
    return GitHubProvider(offer_context(*plugin.flower_options(), github_oauth_domain=url, **settings))


def login(
    mails: Reply, *, token: ScriptedReply = GRANT, allowed: Sequence[str] = (), **lists: Any
) -> Sequence[Identity]:
    """Return who gets in; `orgs` and `teams` are what GitHub lists."""

    async def scenario(script: ScriptedProvider) -> Sequence[Identity]:
        script.replies["/login/oauth/access_token"] = token
        script.replies["/api/v3/user/emails"] = mails
        script.replies.update({f"/api/v3/user/{name}": ScriptedReply(value) for name, value in lists.items()})
        provider = make(script.url, github_allowed_organizations=allowed)
        try:
            people = await provider.finish(TICKET, {"state": TICKET.state, "code": "c"})
            assert all(provider.permits(person) for person in people)
            return people
        finally:
            await provider.close()

    return play_provider(scenario)


def mail(address: str, verified: object = True) -> dict[str, object]:
    return {"email": address, "verified": verified, "primary": False, "visibility": None}


def test_every_verified_address_is_an_identity_in_lower_case_and_order() -> None:
    """S20, S23."""
    mails = [
        mail("Ann@Example.com"),
        mail("evil@corp.example", False),
        mail("ann@home.example"),
        mail("ANN@example.com"),
    ]
    names = [person.name for person in login(ScriptedReply(mails))]
    assert names == ["ann@example.com", "ann@home.example"]


@pytest.mark.parametrize("verified", [False, None, "true", "false", 1, 0, [], {}])
def test_an_address_that_is_not_verified_is_nobody(verified: object) -> None:
    """S20."""
    with pytest.raises(LoginRefused, match=DENIED):
        login(ScriptedReply([mail("ann@example.com", verified)]))


def test_letters_that_only_look_alike_are_not_made_alike() -> None:
    (person,) = login(ScriptedReply([mail("\u212aate@example.com")]))
    assert person.name == "\u212aate@example.com"


def test_every_page_of_addresses_is_read() -> None:
    def pages(request: HTTPServerRequest) -> ScriptedReply:
        if request.arguments["page"] == [b"2"]:
            return ScriptedReply([mail("last@example.com")])
        return ScriptedReply(
            [mail("first@example.com")], headers={"Link": '<https://x/user/emails?page=2>; rel="next"'}
        )

    assert [person.name for person in login(pages)] == ["first@example.com", "last@example.com"]


@pytest.mark.parametrize("status", [401, 403, 404])
def test_addresses_that_may_not_be_read_are_explained(status: int) -> None:
    with pytest.raises(LoginRefused, match="Failed to fetch user emails from GitHub"):
        login(ScriptedReply({"message": "Resource not accessible"}, status))


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        ("bad_verification_code", LoginRefused),
        ("unverified_user_email", LoginRefused),
        ("incorrect_client_credentials", ProviderFailed),
        ("redirect_uri_mismatch", ProviderFailed),
    ],
)
def test_an_error_with_status_200_is_an_error(error: str, kind: type[Exception]) -> None:
    """S20."""
    reply = ScriptedReply({"error": error, "error_description": "The code passed is incorrect or expired."})
    with pytest.raises(kind, match=error):
        login(ScriptedReply([mail("ann@example.com")]), token=reply)


@pytest.mark.parametrize(
    ("allowed", "orgs", "teams", "found"),
    [
        (["shop"], ["shop"], [], {"shop"}),
        (["Shop"], ["SHOP", "bank"], [], {"shop"}),
        (["shop", "bank/tellers"], [], [("bank", "tellers")], {"bank/tellers"}),
        (["shop", "bank/tellers"], ["shop", "bank"], [("Bank", "tellers")], {"shop", "bank/tellers"}),
        (["shop"], [], [], None),
        (["shop"], ["shopping"], [], None),
        (["shop"], [], [("shop", "tellers")], None),
        (["bank/tellers"], ["bank"], [], None),
        (["bank/tellers"], ["bank/tellers"], [("bank", "guards"), ("shop", "tellers")], None),
        (["k"], ["\u212a"], [], None),
    ],
)
def test_only_members_get_in_where_organizations_are_listed(
    allowed: list[str], orgs: list[str], teams: list[tuple[str, str]], found: set[str] | None
) -> None:
    lists = {
        "orgs": [{"login": name} for name in orgs],
        "teams": [{"slug": team, "organization": {"login": name}} for name, team in teams],
    }
    mails = ScriptedReply([mail("ann@example.com")])
    if found is None:
        with pytest.raises(LoginRefused, match=DENIED):
            login(mails, allowed=allowed, **lists)
    else:
        assert login(mails, allowed=allowed, **lists) == [Identity("ann@example.com", "github", frozenset(found))]


@pytest.mark.parametrize(
    ("domain", "api"),
    [
        ("github.com", "https://api.github.com"),
        ("https://github.com/", "https://api.github.com"),
        ("shop.ghe.com", "https://api.shop.ghe.com"),
        ("github.example.com", "https://github.example.com/api/v3"),
        ("http://127.0.0.1:3000", "http://127.0.0.1:3000/api/v3"),
    ],
)
def test_the_api_is_where_that_github_has_it(domain: str, api: str) -> None:
    assert make(domain)._api == api


def test_memberships_are_asked_for_only_where_they_count() -> None:
    assert make().scopes() == ["user:email"]
    assert make(github_allowed_organizations=["shop"]).scopes() == ["user:email", "read:org"]


def test_a_session_of_an_organization_that_is_no_longer_listed_ends() -> None:
    provider = make(github_allowed_organizations=["bank"])
    assert not provider.permits(Identity("ann@example.com", "github", frozenset({"shop"})))
    assert provider.permits(Identity("ann@example.com", "github", frozenset({"bank"})))


@pytest.mark.parametrize("names", [["a/b/c"], ["/"], ["a/"], [" "]])
def test_names_that_are_neither_organization_nor_team_stop_the_start(names: list[str]) -> None:
    with pytest.raises(ConfigurationError, match="names no organization"):
        make(github_allowed_organizations=names)


@pytest.mark.parametrize("application", [{"client_id": "another"}, {"client_id": 5}, {}, None, "id"])
def test_a_bearer_token_of_another_application_is_nobody(application: object) -> None:
    async def scenario(script: ScriptedProvider) -> tuple[Sequence[Identity], list[str], str]:
        script.replies["/api/v3/applications/id/token"] = ScriptedReply({"app": application})
        script.replies["/api/v3/user/emails"] = ScriptedReply([mail("ann@example.com")])
        provider = make(script.url)
        try:
            return await provider.bearer("token"), script.paths, script.requests[0].headers["Authorization"]
        finally:
            await provider.close()

    people, asked, authorization = play_provider(scenario)
    assert list(people) == []
    assert asked == ["/api/v3/applications/id/token"]
    assert authorization == "Basic aWQ6cw=="
