"""The rules every plugin and every login provider keeps."""

from __future__ import annotations

from collections.abc import Sequence

from flower_auth_gitlab import plugin
from flower_auth_gitlab.provider import GitLabProvider
from flower_plugins import LoginProvider, LoginTicket
from flower_plugins.testing import LoginProviderContract, PluginContract, ScriptedReply, offer_context


class TestPlugin(PluginContract):
    plugin = plugin


class TestProvider(LoginProviderContract):
    def make(self, url: str) -> LoginProvider:
        return GitLabProvider(
            offer_context(
                *plugin.flower_options(),
                oauth2_key=self.client_id,
                oauth2_secret=self.secret,
                oauth2_redirect_uri="http://localhost:5555/login",
                gitlab_oauth_domain=url,
                gitlab_auth_allowed_groups=("shop",),
            )
        )

    def replies(self, url: str, ticket: LoginTicket) -> dict[str, ScriptedReply]:
        user = {"id": 1, "email": "ann@example.com", "state": "active", "confirmed_at": "2020-01-01T00:00:00Z"}
        return {
            "/oauth/token": ScriptedReply({"access_token": "a-token", "token_type": "Bearer", "expires_in": 7200}),
            "/oauth/token/info": ScriptedReply({"application": {"uid": self.client_id}, "scope": ["read_api"]}),
            "/api/v4/user": ScriptedReply(user),
            "/api/v4/groups": ScriptedReply([{"id": 1, "full_path": "shop"}]),
        }

    def names(self) -> Sequence[str]:
        return ["ann@example.com"]
