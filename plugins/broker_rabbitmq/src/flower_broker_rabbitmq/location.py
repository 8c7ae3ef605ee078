"""Where the management API is and who asks it, from `broker_api` and the broker's URL."""

from __future__ import annotations

import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import SplitResult, quote, unquote, urlsplit

from flower_plugins import Broker

__all__ = ["Location", "check_api_url", "locate"]

_SECURE = frozenset(("amqps", "pyamqps"))


@dataclass(frozen=True, slots=True, repr=False)
class Location:
    """A management API: `url` of the queues of one virtual host, without credentials."""

    url: str
    user: str
    password: str
    verify: bool = True
    ca_certs: str | None = None

    @property
    def host(self) -> str:
        """Host and port, fit for a message."""
        return urlsplit(self.url).netloc


def check_api_url(url: str) -> str:
    """Return the URL if it can be one of a management API; raise ValueError without showing its password."""
    invalid = "Invalid '--broker-api' option"
    try:
        parts = urlsplit(url.strip())
        host, _ = parts.hostname, parts.port
    except ValueError:
        raise ValueError(f"{invalid}: the host or port cannot be read") from None
    if parts.scheme not in ("http", "https"):
        raise ValueError(f"{invalid}: invalid scheme {parts.scheme!r}, expected 'http' or 'https'")
    if not host:
        raise ValueError(f"{invalid}: no host in url")
    return url.strip()


def locate(api_url: str | None, broker: Broker) -> list[Location]:
    """Return the places to ask, one for each broker URL unless `api_url` names one."""
    brokers = [urlsplit(url.strip()) for url in broker.url.split(";") if url.strip()]
    options = broker.use_ssl if isinstance(broker.use_ssl, Mapping) else {}
    if api_url:
        return [_location(urlsplit(api_url), brokers[0], options)]
    return [_location(_default(parts, secure=_is_secure(parts, broker)), parts, options) for parts in brokers]


def _is_secure(parts: SplitResult, broker: Broker) -> bool:
    return parts.scheme in _SECURE or bool(broker.use_ssl)


def _default(parts: SplitResult, *, secure: bool) -> SplitResult:
    host = parts.hostname or "localhost"
    host = f"[{host}]" if ":" in host else host
    # Credentials that travelled encrypted to the broker do not travel in clear to its API.
    return urlsplit(f"https://{host}:15671/api/" if secure else f"http://{host}:15672/api/")


def _location(api: SplitResult, broker: SplitResult, options: Mapping[Any, Any]) -> Location:
    user, password = _credentials(api) or _credentials(broker) or ("guest", "guest")
    host = api.netloc.rpartition("@")[2]
    required = options.get("ssl_cert_reqs", options.get("cert_reqs", ssl.CERT_REQUIRED))
    ca_certs = options.get("ssl_ca_certs", options.get("ca_certs"))
    return Location(
        f"{api.scheme}://{host}{_api_path(api.path)}/queues/{quote(_virtual_host(broker.path), safe='')}",
        user,
        password,
        verify=required not in (ssl.CERT_NONE, "none", "CERT_NONE", None),
        ca_certs=str(ca_certs) if ca_certs else None,
    )


def _api_path(path: str) -> str:
    """Return the path up to its segment `api`, which is added when missing; what follows is ignored."""
    segments = [segment for segment in path.split("/") if segment]
    if "api" in segments:
        segments = segments[: segments.index("api") + 1]
    else:
        segments.append("api")
    return "/" + "/".join(segments)


def _credentials(parts: SplitResult) -> tuple[str, str] | None:
    userinfo, at, _ = parts.netloc.rpartition("@")
    if not at:
        return None
    user, _, password = userinfo.partition(":")
    return (unquote(user), unquote(password)) if user else None


def _virtual_host(path: str) -> str:
    return unquote(path[1:]) or "/"
