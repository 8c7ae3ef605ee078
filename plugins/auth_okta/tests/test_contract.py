"""The rules every plugin and every login provider keeps."""

from __future__ import annotations

from collections.abc import Sequence

from flower_auth_okta import plugin
from flower_auth_okta.provider import OktaProvider
from flower_plugins import LoginProvider, LoginTicket
from flower_plugins.testing import LoginProviderContract, PluginContract, ScriptedReply, offer_context


class TestPlugin(PluginContract):
    plugin = plugin


class TestProvider(LoginProviderContract):
    def make(self, url: str) -> LoginProvider:
        return OktaProvider(
            offer_context(
                *plugin.flower_options(),
                oauth2_key=self.client_id,
                oauth2_secret=self.secret,
                oauth2_redirect_uri="http://localhost:5555/login",
                oauth2_okta_base_url=f"{url}/oauth2",
                okta_allowed_groups=("Operators",),
            )
        )

    def replies(self, url: str, ticket: LoginTicket) -> dict[str, ScriptedReply]:
        user = {"sub": "1", "email": "ann@example.com", "email_verified": True, "groups": ["Operators", "Everyone"]}
        return {
            "/oauth2/v1/token": ScriptedReply({"access_token": "a-token", "token_type": "Bearer", "id_token": "x"}),
            "/oauth2/v1/introspect": ScriptedReply({"active": True, "client_id": self.client_id}),
            "/oauth2/v1/userinfo": ScriptedReply(user),
        }

    def names(self) -> Sequence[str]:
        return ["ann@example.com"]
