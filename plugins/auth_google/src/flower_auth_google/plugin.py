"""Entry point: Google as a login provider, with its settings."""

from __future__ import annotations

from collections.abc import Sequence

from flower_plugins import AuthProvider, Offer, hookimpl

_UNAVAILABLE = "Login through Google is not part of this version of Flower"


@hookimpl
def flower_auth_providers() -> Sequence[Offer[AuthProvider]]:
    """Offer Google under its name and under the class path that Flower 2.x documents."""
    alias = "flower.views.auth.GoogleAuth2LoginHandler"
    return [Offer("google", "", label="Google", aliases=(alias,), unavailable=_UNAVAILABLE)]
