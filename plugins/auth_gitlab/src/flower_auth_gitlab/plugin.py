"""Entry point: GitLab as a login provider, with its settings."""

from __future__ import annotations

from collections.abc import Sequence

from flower_plugins import AuthProvider, Offer, Option, hookimpl

_UNAVAILABLE = "Login through GitLab is not part of this version of Flower"


@hookimpl
def flower_options() -> Sequence[Option]:
    """Declare what this provider can be told."""
    return [
        Option(
            "gitlab_oauth_domain",
            str,
            "gitlab.com",
            "Host of GitLab, for an own installation.",
            claims=True,
            unavailable=_UNAVAILABLE,
        ),
        Option(
            "gitlab_auth_allowed_groups",
            str,
            (),
            "Full paths of groups, one of which a user must belong to.",
            multiple=True,
            claims=True,
            unavailable=_UNAVAILABLE,
        ),
        Option(
            "gitlab_min_access_level",
            int,
            20,
            "Access level a user needs in one of those groups; 20 is Reporter.",
            claims=True,
            unavailable=_UNAVAILABLE,
        ),
    ]


@hookimpl
def flower_auth_providers() -> Sequence[Offer[AuthProvider]]:
    """Offer GitLab under its name and under the class path that Flower 2.x documents."""
    alias = "flower.views.auth.GitLabLoginHandler"
    return [Offer("gitlab", "", label="GitLab", aliases=(alias,), unavailable=_UNAVAILABLE)]
