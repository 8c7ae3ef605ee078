"""A login provider that speaks OAuth 2: subclasses know where, and whom a token stands for."""

from __future__ import annotations

import asyncio
from abc import abstractmethod
from collections.abc import Awaitable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar
from urllib.parse import urlsplit

from flower_plugins.errors import ConfigurationError, LoginRefused, ProviderFailed
from flower_plugins.identity import Identity, LoginProvider, LoginTicket
from flower_plugins.oauth2 import grants
from flower_plugins.oauth2.urls import goes_in_clear
from flower_plugins.oauth2.wire import Wire
from flower_plugins.offers import OfferContext

__all__ = ["Endpoints", "OAuthProvider"]

T = TypeVar("T")

_TOKENS_AT_ONCE = 8  # anybody can send tokens: they leave room for those who log in


@dataclass(frozen=True, slots=True)
class Endpoints:
    """Where a provider asks people for consent, and where codes are exchanged."""

    authorize: str
    token: str


class OAuthProvider(LoginProvider):
    """Authorization code with PKCE (S256), always, for the client of `oauth2_key` and `oauth2_secret`.

    Whatever a provider answers, `finish` and `bearer` return identities or raise LoginRefused or
    ProviderFailed, within `seconds`. Subclasses read JSON through `Reply.record()` and `Record`.
    """

    challenge = 'Bearer realm="flower"'
    seconds = 10.0
    """How long a whole login, all calls together, may take."""

    def __init__(self, context: OfferContext) -> None:
        super().__init__(context)
        grants.load_oauthlib()
        self._settings, self.log = context.settings, context.log
        self.client_id = self._required("oauth2_key")
        self._secret = self._required("oauth2_secret")
        redirect = self._required("oauth2_redirect_uri")
        if not _is_page(redirect):
            where = context.settings.origin("oauth2_redirect_uri")
            raise ConfigurationError(
                "oauth2_redirect_uri is no address", where=where, mend="Give https://flower.example.com/login."
            )
        self.trust("oauth2_redirect_uri", redirect)
        self.wire = Wire(self.label, self.seconds)
        self._tokens = asyncio.Semaphore(_TOKENS_AT_ONCE)

    def trust(self, option: str, url: str) -> str:
        """Return a base address from the settings, noted when it is plain http to another machine."""
        if goes_in_clear(url):
            self.insecure = (*self.insecure, f"{option} is plain http to another machine: {url}")
        return url

    @abstractmethod
    async def endpoints(self) -> Endpoints:
        """Return where to go. Raise ProviderFailed when that has to be asked for and cannot be had."""

    @abstractmethod
    def scopes(self) -> Sequence[str]:
        """Return what to ask people's consent for."""

    @abstractmethod
    async def people(self, token: str) -> Sequence[Identity]:
        """Return whom an access token stands for, after every check of the person; else raise LoginRefused."""

    @abstractmethod
    async def is_ours(self, token: str) -> bool:
        """Tell whether an access token was issued to this client."""

    def more(self, ticket: LoginTicket) -> Mapping[str, str]:
        """Return further parameters of the consent page's address."""
        return {}

    async def arrived(self, grant: grants.Grant, ticket: LoginTicket, answer: Mapping[str, str]) -> Sequence[Identity]:
        """Return who came back; whom the access token stands for, unless there is something better."""
        return await self.people(grant.access_token)

    def ask_form(self, **fields: str) -> Mapping[str, str]:
        """Return a form that authenticates this client."""
        return {**fields, "client_id": self.client_id, "client_secret": self._secret}

    @property
    def credentials(self) -> tuple[str, str]:
        """The client's id and secret, for HTTP Basic."""
        return self.client_id, self._secret

    async def authorize_url(self, ticket: LoginTicket) -> str:
        """Return the provider's consent page with everything it has to know."""
        endpoints = await self._within(self.endpoints())
        return grants.authorize_url(endpoints.authorize, self.client_id, ticket, self.scopes(), self.more(ticket))

    async def finish(self, ticket: LoginTicket, answer: Mapping[str, str]) -> Sequence[Identity]:
        """Exchange the code, and return who came back."""
        code = grants.code_in(self.label, self.client_id, ticket, answer)
        return await self._within(self._exchange(ticket, code, answer))

    async def bearer(self, token: str) -> Sequence[Identity]:
        """Return whom a token of this client stands for; a refusal is nobody."""
        if not grants.is_token(token):
            return ()
        try:
            return await self._within(self._holder(token))
        except LoginRefused:
            return ()

    async def close(self) -> None:
        """Let go of connections."""
        self.wire.close()

    async def _exchange(self, ticket: LoginTicket, code: str, answer: Mapping[str, str]) -> Sequence[Identity]:
        endpoints = await self.endpoints()
        form = grants.token_form(self.client_id, self._secret, ticket, code)
        reply = await self.wire.ask("token", endpoints.token, form=form)
        return await self.arrived(grants.grant_in(self.label, self.client_id, reply), ticket, answer)

    async def _holder(self, token: str) -> Sequence[Identity]:
        async with self._tokens:
            return await self.people(token) if await self.is_ours(token) else ()

    async def _within(self, work: Awaitable[T]) -> T:
        try:
            return await asyncio.wait_for(work, self.seconds)
        except asyncio.TimeoutError:
            raise ProviderFailed(f"{self.label} took longer than {self.seconds:g} seconds") from None

    def _required(self, name: str) -> str:
        value = self._settings[name]
        if not isinstance(value, str) or not value.strip():
            raise ConfigurationError(
                f"{name} is missing, and login through {self.label} cannot work without it",
                mend=f"Set --{name} or FLOWER_{name.upper()} to what {self.label} shows for your application.",
            )
        return value.strip()


def _is_page(url: str) -> bool:
    try:
        parts = urlsplit(url)
    except ValueError:
        return False
    return parts.scheme in ("http", "https") and bool(parts.hostname) and not parts.fragment
