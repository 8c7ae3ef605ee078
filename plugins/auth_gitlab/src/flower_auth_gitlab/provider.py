"""Who somebody is according to GitLab: https://docs.gitlab.com/api/oauth2/, /api/users/ and /api/groups/."""

from __future__ import annotations

from collections.abc import Sequence

from flower_plugins import ConfigurationError, Identity, LoginRefused, OfferContext
from flower_plugins.oauth2 import Endpoints, OAuthProvider, lower_ascii, url_option

__all__ = ["GitLabProvider"]

_DENIED = "Access denied. Please use another account or contact your admin."
_HIGHEST = 60  # administrator; owner is 50


class GitLabProvider(OAuthProvider):
    """Lets in who is active, has a confirmed address and, where groups are listed, belongs to one.

    `Identity.groups` holds those of the listed groups that somebody belongs to.
    """

    label = "GitLab"

    def __init__(self, context: OfferContext) -> None:
        super().__init__(context)
        settings = context.settings
        self._url = self.trust("gitlab_oauth_domain", url_option(settings, "gitlab_oauth_domain"))
        listed = settings["gitlab_auth_allowed_groups"] or ()
        self._allowed = frozenset(lower_ascii(path.strip().strip("/")) for path in listed) - {""}
        if listed and not self._allowed:
            where = settings.origin("gitlab_auth_allowed_groups")
            mend = "Give full paths such as group/subgroup, or leave it out."
            raise ConfigurationError("gitlab_auth_allowed_groups names no group", where=where, mend=mend)
        self._level = int(settings["gitlab_min_access_level"])
        if not 0 < self._level <= _HIGHEST:
            where = settings.origin("gitlab_min_access_level")
            mend = "Give 10 for guests, 20 for reporters, 30 for developers, 40 for maintainers, 50 for owners."
            raise ConfigurationError(f"gitlab_min_access_level cannot be {self._level}", where=where, mend=mend)

    async def endpoints(self) -> Endpoints:
        """Return GitLab's pages."""
        return Endpoints(f"{self._url}/oauth/authorize", f"{self._url}/oauth/token")

    def scopes(self) -> Sequence[str]:
        """Ask for the profile, and for reading the API only where groups have to be read."""
        return ["read_api"] if self._allowed else ["read_user"]

    async def people(self, token: str) -> Sequence[Identity]:
        """Return the user with the listed groups that apply."""
        user = (await self.wire.ask("user", f"{self._url}/api/v4/user", bearer=token)).record()
        address = user.address("email")
        if user.text("state") != "active" or not user.text_if_any("confirmed_at"):
            raise LoginRefused(f"{_DENIED} Your account at GitLab is not active, or its address is not confirmed.")
        groups = await self._groups(token) if self._allowed else frozenset[str]()
        if self._allowed and not groups:
            raise LoginRefused(_DENIED)
        return [Identity(address, "gitlab", groups)]

    async def is_ours(self, token: str) -> bool:
        """Compare the application a token belongs to."""
        info = (await self.wire.ask("word about a token", f"{self._url}/oauth/token/info", bearer=token)).record()
        application = info.fields.get("application")  # null for a personal access token
        return isinstance(application, dict) and application.get("uid") == self.client_id

    def permits(self, identity: Identity) -> bool:
        """Hold the groups of a login against the list as it is now."""
        return not self._allowed or not self._allowed.isdisjoint(identity.groups)

    def denial(self, identities: Sequence[Identity]) -> str:
        """Say it as Flower 2 did."""
        return _DENIED

    async def _groups(self, token: str) -> frozenset[str]:
        url = f"{self._url}/api/v4/groups?min_access_level={self._level}"
        found: set[str] = set()
        async for group in self.wire.pages("groups", url, bearer=token):
            found |= self._listed(lower_ascii(group.text("full_path")))
        return frozenset(found)

    def _listed(self, path: str) -> frozenset[str]:
        """Return the listed groups that a group is, or is a subgroup of."""
        parts = path.split("/")
        return self._allowed & {"/".join(parts[:depth]) for depth in range(1, len(parts) + 1)}
