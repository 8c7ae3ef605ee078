"""How open this server is: computed once at start, shown to everybody it concerns."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from flower_plugins import Banner

__all__ = ["Posture"]

_NO_AUTH = (
    "Nobody has to log in here: whoever reaches this address can read every task, and actions are switched off. "
    "Start Flower with --basic_auth=user:password, or with --address=127.0.0.1."
)
_OPEN_API = (
    "FLOWER_UNAUTHENTICATED_API is set: whoever reaches this address can run tasks and shut down workers. "
    "Start Flower with --basic_auth=user:password instead."
)


class Posture(NamedTuple):
    """The facts that access decisions rest on.

    `authenticated` means that a login is configured. `loopback_only` means that only programs on
    this machine can connect. `open_api` is FLOWER_UNAUTHENTICATED_API.
    """

    authenticated: bool
    loopback_only: bool
    open_api: bool
    read_only: bool

    def insecure(self) -> Sequence[str]:
        """Return the reasons why this configuration is not safe, as metric label values."""
        if self.authenticated or self.loopback_only:
            return ()
        return ("no_auth", "unauthenticated_api") if self.open_api else ("no_auth",)

    def banners(self) -> Sequence[Banner]:
        """Return the sentences that every page and the log must carry."""
        if not self.insecure():
            return ()
        return (Banner("danger" if self.open_api else "warning", _OPEN_API if self.open_api else _NO_AUTH),)
