"""The protocol itself, without a network: what is asked and what an answer means (RFC 6749, RFC 7636), by oauthlib.

oauthlib has rules of its own about plain http, to be switched off only for a whole process; the rule here is
`urls.goes_in_clear`. So each address goes into oauthlib as https and comes out as it was.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from urllib.parse import urlencode

from flower_plugins.errors import ConfigurationError, LoginRefused, ProviderFailed
from flower_plugins.identity import LoginTicket
from flower_plugins.oauth2.records import parse_json
from flower_plugins.oauth2.wire import Reply

if TYPE_CHECKING:
    from oauthlib.oauth2 import WebApplicationClient

__all__ = ["Grant", "authorize_url", "code_in", "grant_in", "is_token", "load_oauthlib", "token_form"]

_TOKEN = re.compile(r"[A-Za-z0-9\-._~+/]{1,4096}=*")  # RFC 6750, section 2.1
_TEXTS = ("access_token", "token_type", "scope", "id_token", "error", "error_description")
_PERSONAL = {"access_denied", "bad_verification_code", "invalid_grant", "unverified_user_email"}
"""Errors of the token endpoint that concern this login; others concern how Flower is registered there."""
_LONGEST = 200


@dataclass(frozen=True, slots=True)
class Grant:
    """What a code was exchanged for; neither text is shown anywhere."""

    access_token: str = field(repr=False)
    id_token: str = field(default="", repr=False)


def load_oauthlib() -> None:
    """Import what comes with the extra [oauth] only, at the start: later it would hold up the event loop."""
    try:
        import oauthlib.oauth2  # noqa: F401
    except ImportError:
        raise ConfigurationError("oauthlib is missing", mend="Run: pip install 'flower-plugins[oauth]'") from None


def is_token(text: str) -> bool:
    """Tell whether a text can be an access token at all."""
    return _TOKEN.fullmatch(text) is not None


def authorize_url(
    endpoint: str, client_id: str, ticket: LoginTicket, scopes: Sequence[str], extra: Mapping[str, str]
) -> str:
    """Return the address to send the browser to."""
    client = _client(client_id)
    scheme, _, rest = endpoint.partition("://")
    url: str = client.prepare_request_uri(
        f"https://{rest}",
        redirect_uri=ticket.redirect_uri,
        scope=list(scopes),
        state=ticket.state,
        code_challenge=client.create_code_challenge(ticket.verifier, "S256"),
        code_challenge_method="S256",
        **extra,
    )
    return f"{scheme}://{url.partition('://')[2]}"


def code_in(label: str, client_id: str, ticket: LoginTicket, answer: Mapping[str, str]) -> str:
    """Return the code a browser came back with; raise LoginRefused with the provider's words when there is none."""
    from oauthlib.oauth2.rfc6749.errors import MismatchingStateError, MissingCodeError, OAuth2Error

    query = urlencode(answer, errors="replace")
    try:
        found = _client(client_id).parse_request_uri_response(f"https://flower/?{query}", ticket.state)
    except MismatchingStateError:
        raise LoginRefused(
            "OAuth authenticator error: State tokens do not match. Please try logging in again."
        ) from None
    except MissingCodeError:
        raise LoginRefused(f"{label} sent you back without a code. Please try logging in again.") from None
    except OAuth2Error as error:
        raise LoginRefused(f"{label} did not let you in: {_words(error)}") from None
    return str(found["code"])


def token_form(client_id: str, secret: str, ticket: LoginTicket, code: str) -> str:
    """Return the form that exchanges a code."""
    form: str = _client(client_id).prepare_request_body(
        code=code, redirect_uri=ticket.redirect_uri, code_verifier=ticket.verifier, client_secret=secret
    )
    return form


def grant_in(label: str, client_id: str, reply: Reply) -> Grant:
    """Return what a code was exchanged for.

    Raise LoginRefused when the provider does not take the code or the verifier, ProviderFailed when it
    does not take Flower, or answers anything else.
    """
    from oauthlib.oauth2.rfc6749.errors import MissingTokenError, OAuth2Error

    texts = _token_texts(label, reply)
    client = _client(client_id)
    try:
        # No scope is passed on: a narrower one than asked for would be raised as a bare Warning, and GitHub
        # writes scopes its own way. What a token does not reach is refused by the call that needs it.
        client.parse_request_body_response(json.dumps(texts))
    except MissingTokenError:
        raise ProviderFailed(f"OAuth authentication failed: {label} answered without an access token") from None
    except OAuth2Error as error:
        text = f"OAuth authentication failed: {label} answered {_words(error)}"
        raise (LoginRefused(text) if error.error in _PERSONAL else ProviderFailed(text)) from None
    if not is_token(texts["access_token"]) or texts.get("token_type", "bearer").lower() != "bearer":
        raise ProviderFailed(f"OAuth authentication failed: {label} answered with a token of an unknown kind")
    if not reply.ok:
        raise ProviderFailed(f"OAuth authentication failed: {label} answered with status {reply.status}")
    return Grant(texts["access_token"], texts.get("id_token", ""))


def _token_texts(label: str, reply: Reply) -> dict[str, str]:
    """Return the fields of a token reply that matter here, each of them a text."""
    try:
        value = parse_json(reply.body)
    except ValueError:
        value = None
    if not isinstance(value, dict):
        raise ProviderFailed(f"OAuth authentication failed: {label} answered with something that is no JSON object")
    texts = {name: value[name] for name in _TEXTS if value.get(name) is not None}
    if not all(isinstance(text, str) for text in texts.values()):
        raise ProviderFailed(f"OAuth authentication failed: {label} answered with values of the wrong type")
    return texts


def _client(client_id: str) -> WebApplicationClient:
    from oauthlib.oauth2 import WebApplicationClient

    return WebApplicationClient(client_id)


def _words(error: object) -> str:
    """Return what a provider says about an error: one line, not too long."""
    code, description = str(getattr(error, "error", "")), str(getattr(error, "description", "") or "")
    text = f"{code} ({description})" if description else code
    clean = "".join(letter if letter.isprintable() else " " for letter in text)
    return clean if len(clean) <= _LONGEST else clean[:_LONGEST] + "\u2026"
