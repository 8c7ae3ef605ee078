"""What this plugin brings: the options `basic_auth` and `basic_auth_file`, and the provider they choose."""

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
        ),
        Option(
            "basic_auth_file",
            help="Let in the users of this file: one user:hash a line, the hash by bcrypt, argon2 or scrypt. "
            "It is read again when it changes.",
            claims=True,
        ),
    ]


@hookimpl
def flower_auth_providers() -> Sequence[Offer[AuthProvider]]:
    return [
        Offer(
            "basic",
            "flower_auth_basic.provider:BasicAuthProvider",
            label="HTTP Basic authentication",
            when=("basic_auth", "basic_auth_file"),
        )
    ]
