"""Who somebody is according to GitHub: https://docs.github.com/apps/oauth-apps and /rest/users/emails."""

from __future__ import annotations

from collections.abc import Sequence
from urllib.parse import quote

from flower_plugins import ConfigurationError, Identity, LoginRefused, OfferContext
from flower_plugins.oauth2 import Endpoints, OAuthProvider, lower_ascii, url_option

__all__ = ["GitHubProvider"]

_NO_MAILS = (
    "Failed to fetch user emails from GitHub. Make sure the GitHub OAuth app has permission to read email addresses "
    "(Account permissions > Email addresses > Read-only)."
)


class GitHubProvider(OAuthProvider):
    """Lets in by any verified address and, where organizations or teams are listed, only their members.

    `Identity.groups` holds those of the listed organizations and teams that somebody belongs to.
    """

    label = "GitHub"

    def __init__(self, context: OfferContext) -> None:
        super().__init__(context)
        settings = context.settings
        self._url = self.trust("github_oauth_domain", url_option(settings, "github_oauth_domain"))
        self._api = _api(self._url)
        listed = settings["github_allowed_organizations"] or ()
        self._allowed = frozenset(lower_ascii(name.strip()) for name in listed) - {""}
        odd = [name for name in self._allowed if name.count("/") > 1 or not all(name.split("/"))]
        if odd or (listed and not self._allowed):
            where = settings.origin("github_allowed_organizations")
            mend = "Give names of organizations, or of teams as organization/team, or leave it out."
            raise ConfigurationError("github_allowed_organizations names no organization", where=where, mend=mend)

    async def endpoints(self) -> Endpoints:
        """Return GitHub's pages."""
        return Endpoints(f"{self._url}/login/oauth/authorize", f"{self._url}/login/oauth/access_token")

    def scopes(self) -> Sequence[str]:
        """Ask for addresses, and for memberships only where they count."""
        return ["user:email", "read:org"] if self._allowed else ["user:email"]

    async def people(self, token: str) -> Sequence[Identity]:
        """Return an identity for each verified address, in lower case and GitHub's order."""
        addresses = await self._addresses(token)
        if not addresses:
            raise LoginRefused(self.denial(()))
        groups = await self._groups(token) if self._allowed else frozenset[str]()
        if self._allowed and not groups:
            raise LoginRefused(self.denial(()))
        return [Identity(address, "github", groups) for address in addresses]

    async def is_ours(self, token: str) -> bool:
        """Ask GitHub about a token as only the application itself may."""
        url = f"{self._api}/applications/{quote(self.client_id, safe='')}/token"
        what, body = "word about a token", {"access_token": token}
        info = (await self.wire.ask(what, url, basic=self.credentials, json_body=body)).record()
        application = info.fields.get("app")
        return isinstance(application, dict) and application.get("client_id") == self.client_id

    def permits(self, identity: Identity) -> bool:
        """Hold the memberships of a login against the list as it is now."""
        return not self._allowed or not self._allowed.isdisjoint(identity.groups)

    async def _addresses(self, token: str) -> Sequence[str]:
        mails = self.wire.pages("mails", f"{self._api}/user/emails", bearer=token)
        try:
            found = [lower_ascii(mail.address("email")) async for mail in mails if mail.is_true("verified")]
        except LoginRefused:
            raise LoginRefused(_NO_MAILS) from None
        return list(dict.fromkeys(found))

    async def _groups(self, token: str) -> frozenset[str]:
        found: set[str] = set()
        if any("/" not in name for name in self._allowed):
            async for record in self.wire.pages("organizations", f"{self._api}/user/orgs", bearer=token):
                found.add(lower_ascii(record.text("login")))
        if any("/" in name for name in self._allowed):
            async for record in self.wire.pages("teams", f"{self._api}/user/teams", bearer=token):
                organization = record.record("organization").text("login")
                found.add(lower_ascii(f"{organization}/{record.text('slug')}"))
        return frozenset(found & self._allowed)


def _api(url: str) -> str:
    """Return where the API is: on a host of its own in GitHub's cloud, below the pages on a server of one's own."""
    host = url.removeprefix("https://")
    if host == "github.com" or (host.endswith(".ghe.com") and "/" not in host):
        return f"https://api.{host}"
    return f"{url}/api/v3"
