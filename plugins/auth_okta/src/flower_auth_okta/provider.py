"""Who somebody is according to Okta: https://developer.okta.com/docs/reference/api/oidc/."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from flower_plugins import ConfigurationError, Identity, LoginRefused, LoginTicket, OfferContext, ProviderFailed
from flower_plugins.oauth2 import Endpoints, OAuthProvider, Record, url_option

__all__ = ["OktaProvider"]


class OktaProvider(OAuthProvider):
    """Lets in by a verified address and, where groups are listed, only their members.

    `Identity.groups` holds those of the listed groups that somebody belongs to.
    """

    label = "Okta"

    def __init__(self, context: OfferContext) -> None:
        super().__init__(context)
        settings = context.settings
        if not settings["oauth2_okta_base_url"]:
            mend = "Give the address where Okta's OAuth paths begin, such as https://my-company.okta.com/oauth2."
            raise ConfigurationError("oauth2_okta_base_url is missing", mend=mend)
        self._url = self.trust("oauth2_okta_base_url", url_option(settings, "oauth2_okta_base_url"))
        listed = settings["okta_allowed_groups"] or ()
        self._allowed = frozenset(name.strip() for name in listed) - {""}
        if listed and not self._allowed:
            where = settings.origin("okta_allowed_groups")
            raise ConfigurationError(
                "okta_allowed_groups names no group", where=where, mend="Give names of groups, or leave it out."
            )

    async def endpoints(self) -> Endpoints:
        """Return Okta's pages."""
        return Endpoints(f"{self._url}/v1/authorize", f"{self._url}/v1/token")

    def scopes(self) -> Sequence[str]:
        """Ask for the address, and for groups only where they count."""
        return ["openid", "email", "groups"] if self._allowed else ["openid", "email"]

    def more(self, ticket: LoginTicket) -> Mapping[str, str]:
        """Name the nonce that OpenID Connect asks for."""
        return {"nonce": ticket.nonce}

    async def people(self, token: str) -> Sequence[Identity]:
        """Return the user with the listed groups that apply."""
        user = (await self.wire.ask("user", f"{self._url}/v1/userinfo", bearer=token)).record()
        address = user.address("email")
        if not user.is_true("email_verified"):
            raise LoginRefused(self.denial(()))
        groups = frozenset(_groups(user)) & self._allowed if self._allowed else frozenset[str]()
        if self._allowed and not groups:
            raise LoginRefused(self.denial(()))
        return [Identity(address, "okta", groups)]

    async def is_ours(self, token: str) -> bool:
        """Ask Okta about a token as only the application itself may (RFC 7662)."""
        form = self.ask_form(token=token, token_type_hint="access_token")  # noqa: S106  a kind, not a token
        info = (await self.wire.ask("word about a token", f"{self._url}/v1/introspect", form=form)).record()
        return info.is_true("active") and info.fields.get("client_id") == self.client_id

    def permits(self, identity: Identity) -> bool:
        """Hold the groups of a login against the list as it is now."""
        return not self._allowed or not self._allowed.isdisjoint(identity.groups)


def _groups(user: Record) -> Sequence[str]:
    """Return the groups of a user; none when Okta does not tell."""
    groups = user.fields.get("groups")
    if groups is None:
        return ()
    if not isinstance(groups, list) or not all(isinstance(name, str) for name in groups):
        raise ProviderFailed(f"{user.source} came with groups that are no list of names")
    return groups
