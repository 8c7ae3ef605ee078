"""Login handlers in the manner of Flower 2, to be subclassed: each step is a method or an attribute of its own."""

from __future__ import annotations

import base64
import hashlib
import inspect
import json
import os
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import urlencode

from tornado.auth import GoogleOAuth2Mixin, OAuth2Mixin
from tornado.httpclient import HTTPClientError
from tornado.web import RequestHandler

from flower.web.door import Door
from flower_plugins import Identity, LoginRefused, LoginTicket, ProviderFailed

__all__ = ["ClassicHandler", "ClassicLogin", "GitHubLogin", "GitLabLogin", "GoogleLogin", "OktaLogin"]

_SECONDS = 10.0
_MOST_PAGES = 20
_LEAST_ACCESS = "20"
_DENIED = "Access denied. Please use another account or ask your admin to add your email to flower --auth."
_DENIED_GROUPS = "Access denied. Please use another account or contact your admin."
_MAKES_NO_SENSE = "The login provider does not answer as it should"


class ClassicHandler(RequestHandler):
    """Knows who is logged in; `self.application.options` has the settings as attributes."""

    def get_current_user(self) -> str | None:
        """Return the name of whoever is logged in."""
        user = self.get_signed_cookie("user")
        return user.decode() if user else None


class ClassicLogin(ClassicHandler, OAuth2Mixin, ABC):
    """Authorization code with PKCE and a one-time state. Subclasses say where, and override `_on_auth`."""

    _OAUTH_SETTINGS_KEY = "oauth"
    _OAUTH_SCOPE: Sequence[str] = ()
    _OAUTH_AUTHORIZE_URL: str
    _OAUTH_ACCESS_TOKEN_URL: str
    _ticket: LoginTicket

    async def get(self) -> None:
        """Send the browser away, or take it back."""
        if "error" in self.request.query_arguments:
            raise LoginRefused(f"The login provider refused: {self.get_argument('error')[:200]}")
        if not self.get_argument("code", ""):
            self._go()
            return
        returned = self._door().tickets.redeem(self.request, self.get_argument("state", ""))
        self._ticket = returned.ticket
        self.request.arguments["next"] = [returned.next.encode()]
        user = await self.get_authenticated_user(self._client["redirect_uri"], self.get_argument("code"))
        done = self._on_auth(user)
        if inspect.isawaitable(done):  # a subclass may have made it a plain function
            await done

    async def get_authenticated_user(self, redirect_uri: str, code: str) -> Any:
        """Return the provider's answer to the code, a dict with an `access_token`. Raise ProviderFailed."""
        form = {
            "redirect_uri": redirect_uri,
            "code": code,
            "client_id": self._client["key"],
            "client_secret": self._client["secret"],
            "grant_type": "authorization_code",
            "code_verifier": self._ticket.verifier,
        }
        answer = _record(await self._fetch(self._OAUTH_ACCESS_TOKEN_URL, form=form))
        if not isinstance(answer.get("access_token"), str):
            raise LoginRefused("OAuth authentication failed")
        return answer

    @abstractmethod
    async def _on_auth(self, user: Any) -> None:
        """Find out whose token `user["access_token"]` is, and let them in."""

    def _enter(self, mail: object) -> None:
        """Let in whose verified address this is, and lead them to where they wanted to be."""
        if not isinstance(mail, str) or not mail:
            raise LoginRefused(_DENIED)
        self.set_signed_cookie("user", mail)
        self.redirect(self.get_argument("next", "/"))

    def _go(self) -> None:
        door = self._door()
        ticket, cookies = door.tickets.issue(self.request, self.get_argument("next", f"{door.prefix}/"))
        for line in cookies:
            self.add_header("Set-Cookie", line)
        digest = hashlib.sha256(ticket.verifier.encode()).digest()
        self.authorize_redirect(
            redirect_uri=self._client["redirect_uri"],
            client_id=self._client["key"],
            scope=list(self._OAUTH_SCOPE),
            response_type="code",
            extra_params={
                "state": ticket.state,
                "code_challenge": base64.urlsafe_b64encode(digest).rstrip(b"=").decode(),
                "code_challenge_method": "S256",
            },
        )

    async def _fetch(self, url: str, token: str = "", form: Mapping[str, str] | None = None) -> Any:
        """Return the JSON that the provider answers with. Raise LoginRefused or ProviderFailed."""
        headers = {"Accept": "application/json", "User-Agent": "Flower"}
        if token:
            headers["Authorization"] = f"Bearer {token}"
        try:
            response = await self.get_auth_http_client().fetch(
                url,
                method="GET" if form is None else "POST",
                body=None if form is None else urlencode(form),
                headers=headers,
                request_timeout=_SECONDS,
                follow_redirects=False,
            )
            return json.loads(response.body)
        except HTTPClientError as error:
            if error.code in (400, 401, 403):
                raise LoginRefused("OAuth authentication failed") from None
            raise ProviderFailed(_MAKES_NO_SENSE) from None
        except (OSError, ValueError, RecursionError):
            raise ProviderFailed(_MAKES_NO_SENSE) from None

    @property
    def _client(self) -> dict[str, str]:
        client: dict[str, str] = self.settings[self._OAUTH_SETTINGS_KEY]
        return client

    def _door(self) -> Door:
        door: Door = vars(self)["route"].options["door"]
        return door


class GoogleLogin(ClassicLogin, GoogleOAuth2Mixin):  # type: ignore[misc]  # one argument fewer than Tornado's
    """Google; only a verified address counts."""

    _OAUTH_SETTINGS_KEY = "google_oauth"
    _OAUTH_SCOPE = ("profile", "email")

    async def _on_auth(self, user: Any) -> None:
        person = _record(await self._fetch(self._OAUTH_USERINFO_URL, user["access_token"]))
        verified = person.get("email_verified", person.get("verified_email"))
        self._enter(person.get("email") if verified is True else None)


class _AtDomain(ClassicLogin):
    """A provider that also runs elsewhere: at `_OAUTH_DOMAIN`, else at what the variable in `_domain` names."""

    _domain: tuple[str, str]
    _authorize_path: str
    _token_path: str

    @property
    def _OAUTH_DOMAIN(self) -> str:  # noqa: N802  # Flower 2's name, which subclasses set
        return os.environ.get(*self._domain)

    @property
    def _OAUTH_AUTHORIZE_URL(self) -> str:  # type: ignore[override]  # noqa: N802  # Tornado's name
        return f"https://{self._OAUTH_DOMAIN}{self._authorize_path}"

    @property
    def _OAUTH_ACCESS_TOKEN_URL(self) -> str:  # type: ignore[override]  # noqa: N802  # Tornado's name
        return f"https://{self._OAUTH_DOMAIN}{self._token_path}"


class GitHubLogin(_AtDomain):
    """GitHub, or GitHub Enterprise at `_OAUTH_DOMAIN`; the last verified address that may enter counts."""

    _OAUTH_SCOPE = ("user:email",)

    _domain = "FLOWER_GITHUB_OAUTH_DOMAIN", "github.com"
    _authorize_path, _token_path = "/login/oauth/authorize", "/login/oauth/access_token"

    async def _on_auth(self, user: Any) -> None:
        domain = self._OAUTH_DOMAIN
        api = "https://api.github.com" if domain == "github.com" else f"https://{domain}/api/v3"
        found = await self._fetch(f"{api}/user/emails", user["access_token"])
        records = [_record(each) for each in found] if isinstance(found, list) else []
        mails = [str(each.get("email")).lower() for each in records if each.get("verified") is True]
        allowed = [mail for mail in mails if self._door().may_enter(Identity(mail, "custom"))]
        self._enter(allowed[-1] if allowed else None)


class GitLabLogin(_AtDomain):
    """GitLab at `_OAUTH_DOMAIN`; confirmed and active people, of the groups in FLOWER_GITLAB_AUTH_ALLOWED_GROUPS."""

    _OAUTH_SCOPE = ("read_api",)

    _domain = "FLOWER_GITLAB_OAUTH_DOMAIN", "gitlab.com"
    _authorize_path, _token_path = "/oauth/authorize", "/oauth/token"

    async def _on_auth(self, user: Any) -> None:
        token, api = user["access_token"], f"https://{self._OAUTH_DOMAIN}/api/v4"
        person = _record(await self._fetch(f"{api}/user", token))
        wanted = {group.strip() for group in os.environ.get("FLOWER_GITLAB_AUTH_ALLOWED_GROUPS", "").split(",")} - {""}
        confirmed = person.get("state") == "active" and bool(person.get("confirmed_at"))
        if not confirmed or (wanted and not await self._is_member(f"{api}/groups", token, wanted)):
            raise LoginRefused(_DENIED_GROUPS)
        self._enter(person.get("email"))

    async def _is_member(self, url: str, token: str, wanted: set[str]) -> bool:
        level = os.environ.get("FLOWER_GITLAB_MIN_ACCESS_LEVEL", _LEAST_ACCESS)
        for page in range(1, _MOST_PAGES + 1):
            query = urlencode({"min_access_level": level, "per_page": 100, "page": page})
            found = await self._fetch(f"{url}?{query}", token)
            if not isinstance(found, list) or not found:
                return False
            if any(_record(each).get("full_path") in wanted for each in found):
                return True
        return False


class OktaLogin(ClassicLogin):
    """Okta at FLOWER_OAUTH2_OKTA_BASE_URL; only a verified address counts."""

    _OAUTH_SCOPE = ("openid", "email")

    @property
    def base_url(self) -> str:
        """Where Okta is."""
        return os.environ.get("FLOWER_OAUTH2_OKTA_BASE_URL", "").rstrip("/")

    @property
    def _OAUTH_AUTHORIZE_URL(self) -> str:  # type: ignore[override]  # noqa: N802  # Tornado's name
        return f"{self.base_url}/v1/authorize"

    @property
    def _OAUTH_ACCESS_TOKEN_URL(self) -> str:  # type: ignore[override]  # noqa: N802  # Tornado's name
        return f"{self.base_url}/v1/token"

    async def _on_auth(self, user: Any) -> None:
        person = _record(await self._fetch(f"{self.base_url}/v1/userinfo", user["access_token"]))
        self._enter(person.get("email") if person.get("email_verified") is True else None)


def _record(value: Any) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise ProviderFailed(_MAKES_NO_SENSE)
    return value
