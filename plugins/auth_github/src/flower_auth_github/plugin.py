"""Entry point: GitHub as a login provider, with its settings."""

from __future__ import annotations

from collections.abc import Sequence

from flower_plugins import AuthProvider, Offer, Option, hookimpl

_UNAVAILABLE = "Login through GitHub is not part of this version of Flower"


@hookimpl
def flower_options() -> Sequence[Option]:
    """Declare what this provider can be told."""
    return [
        Option(
            "github_oauth_domain",
            str,
            "github.com",
            "Host of GitHub, for GitHub Enterprise.",
            claims=True,
            unavailable=_UNAVAILABLE,
        ),
    ]


@hookimpl
def flower_auth_providers() -> Sequence[Offer[AuthProvider]]:
    """Offer GitHub under its name and under the class path that Flower 2.x documents."""
    alias = "flower.views.auth.GithubLoginHandler"
    return [Offer("github", "", label="GitHub", aliases=(alias,), unavailable=_UNAVAILABLE)]
