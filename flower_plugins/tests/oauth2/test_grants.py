"""The protocol without a network."""

from __future__ import annotations

import base64
import hashlib
import json
import os
import sys
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from flower_plugins import ConfigurationError, LoginRefused, LoginTicket, ProviderFailed
from flower_plugins.oauth2 import Reply
from flower_plugins.oauth2.grants import authorize_url, code_in, grant_in, is_token, load_oauthlib, token_form

TICKET = LoginTicket("the-state", "v" * 43, "the-nonce", "http://flower.example.com/login")
MISMATCH = "OAuth authenticator error: State tokens do not match. Please try logging in again."


def reply(value: Any, status: int = 200) -> Reply:
    return Reply("GitLab's token", status, {}, value if isinstance(value, bytes) else json.dumps(value).encode())


@pytest.mark.parametrize("endpoint", ["https://gitlab.com/oauth/authorize", "http://127.0.0.1:3000/oauth/authorize"])
def test_the_address_names_what_the_protocol_asks_for(endpoint: str) -> None:
    """S24."""
    url = authorize_url(endpoint, "the id", TICKET, ["openid", "email"], {"nonce": "n"})
    assert url.startswith(endpoint + "?")
    digest = hashlib.sha256(TICKET.verifier.encode()).digest()
    assert {name: value[0] for name, value in parse_qs(urlsplit(url).query).items()} == {
        "response_type": "code",
        "client_id": "the id",
        "redirect_uri": "http://flower.example.com/login",
        "scope": "openid email",
        "state": "the-state",
        "code_challenge": base64.urlsafe_b64encode(digest).decode().rstrip("="),
        "code_challenge_method": "S256",
        "nonce": "n",
    }


def test_a_missing_oauthlib_is_named_with_the_way_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "oauthlib.oauth2", None)
    with pytest.raises(ConfigurationError, match=r"pip install 'flower-plugins\[oauth\]'"):
        load_oauthlib()


def test_a_redirect_over_plain_http_works_without_a_switch_for_the_whole_process() -> None:
    assert not {"OAUTHLIB_INSECURE_TRANSPORT", "OAUTHLIB_RELAX_TOKEN_SCOPE"} & set(os.environ)
    assert code_in("GitLab", "id", TICKET, {"state": "the-state", "code": "a&b=c"}) == "a&b=c"


def test_the_form_carries_code_verifier_and_secret() -> None:
    """S24."""
    assert {name: value[0] for name, value in parse_qs(token_form("id", "s&t", TICKET, "c")).items()} == {
        "grant_type": "authorization_code",
        "client_id": "id",
        "client_secret": "s&t",
        "code": "c",
        "code_verifier": TICKET.verifier,
        "redirect_uri": TICKET.redirect_uri,
    }


@pytest.mark.parametrize(
    ("answer", "text"),
    [
        ({"state": "other", "code": "c"}, MISMATCH),
        ({"code": "c"}, MISMATCH),
        ({}, MISMATCH),
        ({"state": "the-state"}, "GitLab sent you back without a code. Please try logging in again."),
        ({"state": "the-state", "code": ""}, "GitLab sent you back without a code. Please try logging in again."),
        ({"state": "the-state", "error": "access_denied"}, "GitLab did not let you in: access_denied"),
        (
            {"state": "the-state", "error": "access_denied", "error_description": "You\nsaid \x1bno"},
            "GitLab did not let you in: access_denied (You said  no)",
        ),
        ({"state": "the-state", "error": "\ud800", "code": "c"}, "GitLab did not let you in: ?"),
        ({"state": "the-state", "error": "strange", "code": "c"}, "GitLab did not let you in: strange"),
    ],
)
def test_an_answer_without_a_code_of_this_login_is_refused(answer: dict[str, str], text: str) -> None:
    """S26."""
    with pytest.raises(LoginRefused) as caught:
        code_in("GitLab", "id", TICKET, answer)
    assert caught.value.message == text


def test_a_long_story_is_cut() -> None:
    with pytest.raises(LoginRefused) as caught:
        code_in("GitLab", "id", TICKET, {"state": "the-state", "error": "e", "error_description": "x" * 10_000})
    assert len(caught.value.message) < 300


@pytest.mark.parametrize("kind", ["Bearer", "bearer", "BEARER", None])
def test_a_grant_is_read(kind: str | None) -> None:
    grant = grant_in(
        "GitLab", "id", reply({"access_token": "a.b-c_d", "token_type": kind, "id_token": "x", "expires_in": 5})
    )
    assert (grant.access_token, grant.id_token) == ("a.b-c_d", "x")
    assert "a.b-c_d" not in repr(grant)


@pytest.mark.parametrize("scope", ["", "openid", "something else", "read:org,user:email", None])
def test_another_scope_than_asked_for_is_no_error(scope: str | None) -> None:
    assert grant_in("GitLab", "id", reply({"access_token": "a", "scope": scope})).access_token == "a"


@pytest.mark.parametrize("field", ["expires_in", "expires_at", "refresh_token", "created_at", "anything"])
@pytest.mark.parametrize("value", ["soon", {}, [], 1e308, -1, True, None])
def test_fields_that_do_not_matter_may_hold_anything(field: str, value: Any) -> None:
    assert grant_in("GitLab", "id", reply({"access_token": "a", field: value})).access_token == "a"


@pytest.mark.parametrize("status", [200, 400, 401])
@pytest.mark.parametrize("error", ["invalid_grant", "bad_verification_code", "access_denied"])
def test_a_code_or_verifier_that_is_not_taken_refuses_the_login(error: str, status: int) -> None:
    """S20, S24."""
    with pytest.raises(LoginRefused, match=f"OAuth authentication failed: GitLab answered {error}"):
        grant_in("GitLab", "id", reply({"error": error, "access_token": "a"}, status))


@pytest.mark.parametrize("status", [200, 400, 401])
@pytest.mark.parametrize(
    "error", ["invalid_client", "unauthorized_client", "server_error", "incorrect_client_credentials"]
)
def test_a_client_that_is_not_taken_is_a_failure(error: str, status: int) -> None:
    with pytest.raises(ProviderFailed, match=f"GitLab answered {error}"):
        grant_in("GitLab", "id", reply({"error": error}, status))


@pytest.mark.parametrize(
    "value",
    [
        b"",
        b"access_token=a&token_type=bearer",
        b"<html>",
        b'{"access_token": NaN}',
        None,
        [],
        [{"access_token": "a"}],
        "a",
        5,
        {},
        {"access_token": None},
        {"access_token": ""},
        {"access_token": 5},
        {"access_token": ["a"]},
        {"access_token": {"a": "b"}},
        {"access_token": "a b"},
        {"access_token": "a\r\nX: y"},
        {"access_token": "\u00fc"},
        {"access_token": "x" * 5000},
        {"access_token": "a", "token_type": "mac"},
        {"access_token": "a", "token_type": 5},
        {"access_token": "a", "id_token": 5},
        {"access_token": "a", "scope": ["x"]},
        {"error": 5},
        {"error": {"code": 1}},
        {"error": ""},
    ],
)
def test_a_reply_that_makes_no_sense_is_a_failure(value: Any) -> None:
    """S20."""
    with pytest.raises(ProviderFailed, match="OAuth authentication failed"):
        grant_in("GitLab", "id", reply(value))


def test_a_token_in_a_refusal_is_a_failure() -> None:
    with pytest.raises(ProviderFailed, match="status 401"):
        grant_in("GitLab", "id", reply({"access_token": "a"}, 401))


@pytest.mark.parametrize("text", ["a", "A9-._~+/==", "x" * 4096])
def test_a_token_is_made_of_what_the_standard_says(text: str) -> None:
    assert is_token(text)


@pytest.mark.parametrize("text", ["", "=", "a b", "a=b", "a\n", "\u00e4", "x" * 4097])
def test_anything_else_is_no_token(text: str) -> None:
    assert not is_token(text)
