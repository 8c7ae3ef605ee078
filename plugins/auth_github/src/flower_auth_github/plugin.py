"""Entry point: GitHub as a login provider, with its settings."""

from __future__ import annotations

from collections.abc import Sequence

from flower_plugins import AuthProvider, Offer, Option, hookimpl


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
        ),
        Option(
            "github_allowed_organizations",
            str,
            (),
            "Organizations, or teams as organization/team; a user must belong to one of them.",
            multiple=True,
            claims=True,
        ),
    ]


@hookimpl
def flower_auth_providers() -> Sequence[Offer[AuthProvider]]:
    """Offer GitHub under its name and under the class path that Flower 2.x documents."""
    alias = "flower.views.auth.GithubLoginHandler"
    return [Offer("github", "flower_auth_github.provider:GitHubProvider", label="GitHub", aliases=(alias,))]
