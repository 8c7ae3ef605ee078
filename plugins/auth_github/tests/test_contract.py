"""The rules every plugin and every login provider keeps."""

from __future__ import annotations

from collections.abc import Sequence

from flower_auth_github import plugin
from flower_auth_github.provider import GitHubProvider
from flower_plugins import LoginProvider, LoginTicket
from flower_plugins.testing import LoginProviderContract, PluginContract, ScriptedReply, offer_context


class TestPlugin(PluginContract):
    plugin = plugin


class TestProviderByOrganization(LoginProviderContract):
    allowed = "Shop"

    def make(self, url: str) -> LoginProvider:
        return GitHubProvider(
            offer_context(
                *plugin.flower_options(),
                oauth2_key=self.client_id,
                oauth2_secret=self.secret,
                oauth2_redirect_uri="http://localhost:5555/login",
                github_oauth_domain=url,
                github_allowed_organizations=(self.allowed,),
            )
        )

    def replies(self, url: str, ticket: LoginTicket) -> dict[str, ScriptedReply]:
        return {
            "/login/oauth/access_token": ScriptedReply({"access_token": "a-token", "token_type": "bearer"}),
            f"/api/v3/applications/{self.client_id}/token": ScriptedReply({"app": {"client_id": self.client_id}}),
            "/api/v3/user/emails": ScriptedReply([{"email": "Ann@Example.com", "verified": True, "primary": True}]),
            "/api/v3/user/orgs": ScriptedReply([{"login": "Shop"}]),
            "/api/v3/user/teams": ScriptedReply([{"slug": "tellers", "organization": {"login": "bank"}}]),
        }

    def names(self) -> Sequence[str]:
        return ["ann@example.com"]


class TestProviderByTeam(TestProviderByOrganization):
    allowed = "bank/Tellers"
