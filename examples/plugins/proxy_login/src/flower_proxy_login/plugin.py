"""Entry point: a login provider that trusts a proxy which knows a secret."""

from __future__ import annotations

from collections.abc import Sequence
from hmac import compare_digest

from flower_plugins import AuthProvider, ConfigurationError, Identity, Offer, OfferContext, Option, Request, hookimpl

FLOWER_API_VERSION = 1

SHORTEST = 16


class ProxyLogin(AuthProvider):
    """Whoever cannot show the secret is nobody."""

    name = "proxy"

    def __init__(self, context: OfferContext) -> None:
        self._secret = (context.settings["proxy_login_secret"] or "").encode()
        if len(self._secret) < SHORTEST:
            raise ConfigurationError(f"The secret has less than {SHORTEST} characters", where="proxy_login_secret")

    async def identify(self, request: Request) -> Identity | None:
        user = request.headers.get("X-Forwarded-User", "")
        secret = request.headers.get("X-Proxy-Secret", "")
        if user and compare_digest(secret.encode(), self._secret):
            return Identity(user, provider=self.name)
        return None


@hookimpl
def flower_options() -> Sequence[Option]:
    return [Option("proxy_login_secret", str, None, "What the proxy shows in X-Proxy-Secret", secret=True)]


@hookimpl
def flower_auth_providers() -> Sequence[Offer[AuthProvider]]:
    return [Offer("proxy", "flower_proxy_login.plugin:ProxyLogin", "A proxy in front", when="proxy_login_secret")]
