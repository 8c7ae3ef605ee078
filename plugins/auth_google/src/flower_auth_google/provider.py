"""Who somebody is according to Google: https://developers.google.com/identity/openid-connect/openid-connect."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence

import jwt

from flower_auth_google.tokens import Expected, key_id, read_keys, verify
from flower_plugins import ConfigurationError, Identity, LoginRefused, LoginTicket, OfferContext, ProviderFailed
from flower_plugins.oauth2 import (
    Endpoints,
    Grant,
    OAuthProvider,
    Record,
    base_url,
    goes_in_clear,
    lower_ascii,
    url_option,
)

__all__ = ["GoogleProvider"]

_KEPT = 3600.0  # seconds; Google changes its keys every few days, its addresses hardly ever


class GoogleProvider(OAuthProvider):
    """OpenID Connect: lets in by a verified address and, where domains are listed, only accounts of these.

    `Identity.groups` then holds the domain that somebody's account belongs to.
    """

    label = "Google"
    clock = staticmethod(time.monotonic)

    def __init__(self, context: OfferContext) -> None:
        super().__init__(context)
        settings = context.settings
        self._issuer = self.trust("google_oauth_issuer", url_option(settings, "google_oauth_issuer"))
        self._tokeninfo = self.trust("google_tokeninfo_url", url_option(settings, "google_tokeninfo_url"))
        listed = settings["google_hosted_domain"] or ()
        self._domains = [domain.strip().lower() for domain in listed if domain.strip()]
        if (listed and not self._domains) or any("@" in domain or not domain.isascii() for domain in self._domains):
            where = settings.origin("google_hosted_domain")
            raise ConfigurationError("google_hosted_domain is no domain", where=where, mend="Give example.com.")
        self._metadata: Record | None = None
        self._metadata_until = 0.0
        self._keys: dict[str, jwt.PyJWK] = {}
        self._keys_until = 0.0

    async def endpoints(self) -> Endpoints:
        """Return what Google's discovery document names."""
        metadata = await self._discover()
        authorize, token = self._place(metadata, "authorization_endpoint"), self._place(metadata, "token_endpoint")
        return Endpoints(authorize, token)

    def scopes(self) -> Sequence[str]:
        """Ask for the address."""
        return ["openid", "email"]

    def more(self, ticket: LoginTicket) -> Mapping[str, str]:
        """Name the nonce, and the domain when there is one: Google then offers accounts of it."""
        return {"nonce": ticket.nonce, **({"hd": self._domains[0]} if len(self._domains) == 1 else {})}

    async def arrived(self, grant: Grant, ticket: LoginTicket, answer: Mapping[str, str]) -> Sequence[Identity]:
        """Return whom the id_token names."""
        metadata = await self._discover()
        if answer.get("iss", self._issuer) != metadata.text("issuer"):  # RFC 9207
            raise LoginRefused("Google auth failed: the answer comes from another provider")
        expected = Expected([self._issuer, self._issuer.removeprefix("https://")], self.client_id, ticket.nonce)
        try:
            key = await self._key(key_id(grant.id_token))
            claims = verify(grant.id_token, key, expected)
        except ValueError as error:
            raise LoginRefused(f"Google auth failed: {error}") from None
        return self._admitted(Record("Google's id_token", claims))

    async def people(self, token: str) -> Sequence[Identity]:
        """Return whom Google names for an access token."""
        url = self._place(await self._discover(), "userinfo_endpoint")
        return self._admitted((await self.wire.ask("user", url, bearer=token)).record())

    async def is_ours(self, token: str) -> bool:
        """Ask Google which client a token was issued to, and for."""
        reply = await self.wire.ask("word about a token", self._tokeninfo, form={"access_token": token})
        info = reply.record()
        return info.fields.get("aud") == self.client_id and info.fields.get("azp", self.client_id) == self.client_id

    def permits(self, identity: Identity) -> bool:
        """Hold the domain of a login against the list as it is now."""
        return not self._domains or not identity.groups.isdisjoint(self._domains)

    def denial(self, identities: Sequence[Identity]) -> str:
        """Say it as Flower 2 did."""
        name = identities[-1].name if identities else ""
        return (
            f"Access denied to '{name}'. "
            "Please use another account or ask your admin to add your email to flower --auth."
        )

    def _admitted(self, user: Record) -> Sequence[Identity]:
        person = Identity(user.address("email"), "google")
        if not user.is_true("email_verified"):
            raise LoginRefused(f"Google auth failed: the address '{person.name}' is not verified")
        if not self._domains:
            return [person]
        domain = lower_ascii(user.text_if_any("hd"))
        if domain not in self._domains:
            raise LoginRefused(self.denial([person]))
        return [Identity(person.name, "google", frozenset((domain,)))]

    async def _discover(self) -> Record:
        """Return the discovery document, an hour old at most (OpenID Connect Discovery 1.0, section 4)."""
        if self._metadata is None or self.clock() >= self._metadata_until:
            url = f"{self._issuer}/.well-known/openid-configuration"
            metadata = (await self.wire.ask("configuration", url)).record()
            if metadata.text("issuer") != self._issuer:
                raise ProviderFailed("Google's configuration is that of another issuer")
            self._metadata, self._metadata_until = metadata, self.clock() + _KEPT
        return self._metadata

    def _place(self, metadata: Record, name: str) -> str:
        """Return an address of the discovery document, as safe as the one the document came from."""
        try:
            url = base_url(metadata.text(name))
        except ValueError:
            raise ProviderFailed(f"Google's configuration names no proper {name!r}") from None
        if goes_in_clear(url) and not goes_in_clear(self._issuer):
            raise ProviderFailed(f"Google's configuration names a {name!r} that is plain http")
        return url

    async def _key(self, name: str) -> jwt.PyJWK:
        """Return a key by its id; an unknown one is asked for once."""
        if name not in self._keys or self.clock() >= self._keys_until:
            url = self._place(await self._discover(), "jwks_uri")
            document = (await self.wire.ask("keys", url)).record()
            try:
                self._keys = read_keys(document.fields)
            except ValueError as error:
                raise ProviderFailed(f"Google's keys cannot be read: {error}") from None
            self._keys_until = self.clock() + _KEPT
        if name not in self._keys:
            raise ValueError("the id_token is signed with a key that Google does not list")
        return self._keys[name]
