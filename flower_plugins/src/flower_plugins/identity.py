"""Who is asking: identities and the providers that establish them."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import Protocol

from msgspec import Struct

from flower_plugins.offers import OfferContext

__all__ = ["AuthProvider", "Identity", "LoginProvider", "LoginTicket", "Request"]


class Identity(Struct, frozen=True):
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

    name = ""
    """Stands in metrics and in what is said about this Flower: "basic"."""

    challenge = ""
    """Value of the WWW-Authenticate header sent with a 401, "" for none."""

    def __init__(self, context: OfferContext) -> None:
        """Read settings; raise ConfigurationError when they cannot work."""

    @abstractmethod
    async def identify(self, request: Request) -> Identity | None:
        """Return who sent the request, None if that cannot be established.

        Raise TooManyAttempts to have the caller wait. Anything else raised counts as None.
        """

    def permits(self, identity: Identity) -> bool:
        """Narrow by what only the provider knows, such as group membership. Asked on every request."""
        return True


class LoginTicket(Struct, frozen=True):
    """What ties a provider's answer to the browser that was sent there; made by core, one for each login.

    `state` travels through the provider and comes back once. `verifier` is the PKCE code verifier
    (RFC 7636, 43 to 128 characters), `nonce` goes into OpenID Connect requests. `redirect_uri` is
    where the provider sends the browser back to.
    """

    state: str
    verifier: str
    nonce: str
    redirect_uri: str


class LoginProvider(AuthProvider):
    """Sends people away to log in, and says who came back. Core keeps the ticket, the session and `--auth`.

    An identity's name is a verified e-mail address, which `--auth` is matched against. Who has several
    is several identities, of which core keeps the last one that may enter.
    """

    label = ""
    """Stands on the login page: "GitHub"."""
    insecure: Sequence[str] = ()
    """What about the settings lets others listen, such as plain http: core warns and counts it."""

    async def identify(self, request: Request) -> Identity | None:
        """Nothing in a request itself says who sent it: core looks at its session."""
        return None

    @abstractmethod
    async def authorize_url(self, ticket: LoginTicket) -> str:
        """Return the provider's page to send the browser to. Raise ProviderFailed."""

    @abstractmethod
    async def finish(self, ticket: LoginTicket, answer: Mapping[str, str]) -> Sequence[Identity]:
        """Return who came back, as one identity for each verified address, in the provider's order.

        `answer` is the query of the callback; core has checked and used up its `state`. Raise
        LoginRefused for a person that proves too little, ProviderFailed for a provider that does.
        """

    async def bearer(self, token: str) -> Sequence[Identity]:
        """Return whom an access token stands for, as `finish` does, none when it was not issued to this client.

        Core asks for `Authorization: Bearer` on `/api/*` and keeps the answer for a minute at most. Raise
        ProviderFailed when the provider cannot be asked: nobody is let in, and the next request asks again.
        """
        return ()

    def denial(self, identities: Sequence[Identity]) -> str:
        """Return what to tell a person of whose identities none may enter; shown escaped, with a 403."""
        return "Access denied. Please use another account or ask your admin to add your email to flower --auth."

    async def close(self) -> None:
        """Let go of connections; called once at the end."""
