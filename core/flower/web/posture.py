"""How open this server is: computed once at start, shown to everybody it concerns."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from flower_plugins import Banner

__all__ = ["Posture", "Weakness"]


class Weakness(NamedTuple):
    """One way in which a configuration is not safe, and how to mend it.

    `reason` is a label value of the metric. `banner` is the level of the banner that every page carries, "" for
    what concerns nobody but the operator.
    """

    reason: str
    text: str
    mend: str
    banner: str = ""


_LOGIN = "Start Flower with --basic_auth=user:password"
_NO_AUTH = "Nobody has to log in here: whoever reaches this address can read every task, and actions are switched off."
_OPEN_API = (
    "FLOWER_UNAUTHENTICATED_API is set: whoever reaches this address can run tasks and shut down workers.",
    f"{_LOGIN} instead.",
)


class Posture(NamedTuple):
    """The facts that access decisions rest on.

    `authenticated` means that a login is configured. `loopback_only` means that only programs on
    this machine can connect. `open_api` is FLOWER_UNAUTHENTICATED_API. `further` are the weaknesses
    that do not follow from these facts. With a `unix_socket` no address is listened on.
    """

    authenticated: bool
    loopback_only: bool
    open_api: bool
    read_only: bool
    further: Sequence[Weakness] = ()
    unix_socket: bool = False

    def weaknesses(self) -> Sequence[Weakness]:
        """Return every way in which this configuration is not safe: the one list that all others are made of."""
        return [*self._access(), *self.further]

    def insecure(self) -> Sequence[str]:
        """Return the reasons why this configuration is not safe, as metric label values."""
        return list(dict.fromkeys(weakness.reason for weakness in self.weaknesses()))

    def banners(self) -> Sequence[Banner]:
        """Return the sentences that every page and the log must carry."""
        return [Banner(each.banner, f"{each.text} {each.mend}") for each in self.weaknesses() if each.banner]

    def _access(self) -> list[Weakness]:
        if self.authenticated:
            return []
        found = []
        if not self.loopback_only:
            mend = f"{_LOGIN}." if self.unix_socket else f"{_LOGIN}, or with --address=127.0.0.1."
            found.append(Weakness("no_auth", _NO_AUTH, mend, "" if self.open_api else "warning"))
        if self.open_api:
            found.append(Weakness("unauthenticated_api", *_OPEN_API, "" if self.loopback_only else "danger"))
        return found
