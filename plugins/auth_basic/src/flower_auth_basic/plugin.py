"""What this plugin brings: the option `basic_auth` and the provider it chooses."""

from __future__ import annotations

from collections.abc import Sequence

from flower_auth_basic.credentials import check_entry
from flower_plugins import AuthProvider, Offer, Option, hookimpl

FLOWER_API_VERSION = 1


@hookimpl
def flower_options() -> Sequence[Option]:
    return [
        Option(
            "basic_auth",
            help="Let in only these users: user:password, several joined by commas or given one by one.",
            default=(),
            multiple=True,
            secret=True,
            claims=True,
            check=check_entry,
        )
    ]


@hookimpl
def flower_auth_providers() -> Sequence[Offer[AuthProvider]]:
    return [
        Offer(
            "basic",
            "flower_auth_basic.provider:BasicAuthProvider",
            label="HTTP Basic authentication",
            when="basic_auth",
        )
    ]
