"""Entry point: Okta as a login provider, with its settings."""

from __future__ import annotations

from collections.abc import Sequence

from flower_plugins import AuthProvider, Offer, Option, hookimpl


@hookimpl
def flower_options() -> Sequence[Option]:
    """Declare what this provider can be told."""
    return [
        Option(
            "oauth2_okta_base_url",
            str,
            None,
            "Where the OAuth 2 paths of your Okta begin: https://my-company.okta.com/oauth2.",
            claims=True,
        ),
        Option(
            "okta_allowed_groups",
            str,
            (),
            "Groups of Okta; a user must belong to one of them.",
            multiple=True,
            claims=True,
        ),
    ]


@hookimpl
def flower_auth_providers() -> Sequence[Offer[AuthProvider]]:
    """Offer Okta under its name and under the class path that Flower 2.x documents."""
    alias = "flower.views.auth.OktaLoginHandler"
    return [Offer("okta", "flower_auth_okta.provider:OktaProvider", label="Okta", aliases=(alias,))]
