"""Entry point: Google as a login provider, with its settings."""

from __future__ import annotations

from collections.abc import Sequence

from flower_plugins import AuthProvider, Offer, Option, hookimpl


@hookimpl
def flower_options() -> Sequence[Option]:
    """Declare what this provider can be told."""
    return [
        Option(
            "google_hosted_domain",
            str,
            (),
            "Domains of Google Workspace or Cloud Identity; only accounts of these get in, whatever --auth says.",
            multiple=True,
            claims=True,
        ),
        Option(
            "google_oauth_issuer",
            str,
            "https://accounts.google.com",
            "Issuer of the accounts, under which the OpenID Connect configuration is found.",
            claims=True,
        ),
        Option(
            "google_tokeninfo_url",
            str,
            "https://oauth2.googleapis.com/tokeninfo",
            "Where to ask for which client a bearer token was issued.",
            claims=True,
        ),
    ]


@hookimpl
def flower_auth_providers() -> Sequence[Offer[AuthProvider]]:
    """Offer Google under its name and under the class path that Flower 2.x documents."""
    alias = "flower.views.auth.GoogleAuth2LoginHandler"
    return [Offer("google", "flower_auth_google.provider:GoogleProvider", label="Google", aliases=(alias,))]
