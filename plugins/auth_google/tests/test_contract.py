"""The rules every plugin and every login provider keeps."""

from __future__ import annotations

import functools
import json
import time
from collections.abc import Sequence
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric import rsa

from flower_auth_google import plugin
from flower_auth_google.provider import GoogleProvider
from flower_plugins import LoginProvider, LoginTicket
from flower_plugins.testing import LoginProviderContract, PluginContract, ScriptedReply, offer_context


@functools.cache
def signing_key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(65537, 2048)


@functools.cache
def public_key() -> dict[str, Any]:
    key: dict[str, Any] = json.loads(jwt.algorithms.RSAAlgorithm.to_jwk(signing_key().public_key()))
    return {**key, "kid": "first", "alg": "RS256", "use": "sig"}


class TestPlugin(PluginContract):
    plugin = plugin


class TestProvider(LoginProviderContract):
    def make(self, url: str) -> LoginProvider:
        return GoogleProvider(
            offer_context(
                *plugin.flower_options(),
                oauth2_key=self.client_id,
                oauth2_secret=self.secret,
                oauth2_redirect_uri="http://localhost:5555/login",
                google_oauth_issuer=url,
                google_tokeninfo_url=f"{url}/tokeninfo",
                google_hosted_domain=("example.com",),
            )
        )

    def replies(self, url: str, ticket: LoginTicket) -> dict[str, ScriptedReply]:
        now = int(time.time())
        user = {"sub": "1", "email": "ann@example.com", "email_verified": True, "hd": "example.com"}
        claims = {**user, "iss": url, "aud": self.client_id, "nonce": ticket.nonce, "iat": now, "exp": now + 60}
        id_token = jwt.encode(claims, signing_key(), "RS256", {"kid": "first"})
        configuration = {
            "issuer": url,
            "authorization_endpoint": f"{url}/auth",
            "token_endpoint": f"{url}/token",
            "userinfo_endpoint": f"{url}/userinfo",
            "jwks_uri": f"{url}/keys",
        }
        return {
            "/.well-known/openid-configuration": ScriptedReply(configuration),
            "/token": ScriptedReply({"access_token": "a-token", "token_type": "Bearer", "id_token": id_token}),
            "/keys": ScriptedReply({"keys": [public_key()]}),
            "/tokeninfo": ScriptedReply({"aud": self.client_id, "azp": self.client_id, "exp": str(now)}),
            "/userinfo": ScriptedReply(user),
        }

    def names(self) -> Sequence[str]:
        return ["ann@example.com"]
