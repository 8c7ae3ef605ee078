"""The login handlers that Flower 2's could be made from hold people to the same rules as the plugins."""

from __future__ import annotations

import asyncio
import inspect
from typing import Any

import pytest

from flower.web.classic import ClassicLogin, GitHubLogin, GitLabLogin
from flower_plugins import LoginRefused

CONFIRMED = {"email": "ann@example.com", "state": "active", "confirmed_at": "2024-01-01T00:00:00Z"}


class Asked(GitLabLogin):
    """Answers for GitLab, and notes who was let in."""

    person: dict[str, Any]
    entered: object = None

    async def _fetch(self, url: str, token: str = "", form: Any = None) -> Any:
        return self.person

    def _enter(self, mail: object) -> None:
        self.entered = mail


def entered(person: dict[str, Any]) -> object:
    handler = Asked.__new__(Asked)
    handler.person = person
    asyncio.run(handler._on_auth({"access_token": "t"}))
    return handler.entered


def test_who_is_confirmed_and_active_gets_in() -> None:
    assert entered(CONFIRMED) == "ann@example.com"


@pytest.mark.parametrize(
    "change", [{"confirmed_at": None}, {"confirmed_at": ""}, {"state": "blocked"}, {"state": None}, {"state": 1}]
)
def test_who_is_not_is_refused(change: dict[str, Any]) -> None:
    """S18"""
    with pytest.raises(LoginRefused):
        entered({**CONFIRMED, **change})


@pytest.mark.parametrize("missing", ["confirmed_at", "state"])
def test_what_is_not_told_does_not_count(missing: str) -> None:
    """S18"""
    with pytest.raises(LoginRefused):
        entered({key: value for key, value in CONFIRMED.items() if key != missing})


def test_a_provider_at_another_address_is_named_by_the_variable_or_by_a_subclass(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    class Own(GitHubLogin):
        _OAUTH_DOMAIN = "git.example.com"  # type: ignore[assignment]

    monkeypatch.setenv("FLOWER_GITLAB_OAUTH_DOMAIN", "lab.example.com")
    lab, own = GitLabLogin.__new__(GitLabLogin), Own.__new__(Own)
    assert lab._OAUTH_AUTHORIZE_URL == "https://lab.example.com/oauth/authorize"
    assert lab._OAUTH_ACCESS_TOKEN_URL == "https://lab.example.com/oauth/token"
    assert own._OAUTH_ACCESS_TOKEN_URL == "https://git.example.com/login/oauth/access_token"


def test_a_handler_says_itself_whom_a_token_is_of() -> None:
    assert inspect.isabstract(ClassicLogin)
