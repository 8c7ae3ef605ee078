"""Who is asking: identities and the providers that establish them."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from flower_plugins.offers import OfferContext

__all__ = ["AuthProvider", "Identity", "Request"]


@dataclass(frozen=True, slots=True)
class Identity:
    """A caller whose claim was verified; `name` is a user name or an e-mail address."""

    name: str
    provider: str
    groups: frozenset[str] = frozenset()


class Request(Protocol):
    """What a provider may look at: the request line and headers, before the body is read."""

    method: str
    path: str
    remote_ip: str

    @property
    def headers(self) -> Mapping[str, str]: ...


class AuthProvider(ABC):
    """Answers *who is this?*, never *may they?*; that is core's policy, the same for all providers."""

    challenge = ""
    """Value of the WWW-Authenticate header sent with a 401, "" for none."""

    def __init__(self, context: OfferContext) -> None:
        """Read settings; raise ConfigurationError when they cannot work."""

    @abstractmethod
    async def identify(self, request: Request) -> Identity | None:
        """Return who sent the request, None if that cannot be established. Raising counts as None."""

    def permits(self, identity: Identity) -> bool:
        """Narrow by what only the provider knows, such as group membership."""
        return True
