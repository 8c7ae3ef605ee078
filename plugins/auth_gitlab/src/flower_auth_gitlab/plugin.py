"""Entry point: GitLab as a login provider, with its settings."""

from __future__ import annotations

from collections.abc import Sequence

from flower_plugins import AuthProvider, Offer, Option, hookimpl


@hookimpl
def flower_options() -> Sequence[Option]:
    """Declare what this provider can be told."""
    return [
        Option(
            "gitlab_oauth_domain",
            str,
            "gitlab.com",
            "Host of GitLab, for an own installation; an address such as https://example.com/gitlab works, too.",
            claims=True,
        ),
        Option(
            "gitlab_auth_allowed_groups",
            str,
            (),
            "Full paths of groups; a user must belong to one of them or to a subgroup.",
            multiple=True,
            claims=True,
        ),
        Option(
            "gitlab_min_access_level",
            int,
            20,
            "Access level a user needs in one of those groups; 20 is Reporter.",
            claims=True,
        ),
    ]


@hookimpl
def flower_auth_providers() -> Sequence[Offer[AuthProvider]]:
    """Offer GitLab under its name and under the class path that Flower 2.x documents."""
    alias = "flower.views.auth.GitLabLoginHandler"
    return [Offer("gitlab", "flower_auth_gitlab.provider:GitLabProvider", label="GitLab", aliases=(alias,))]
