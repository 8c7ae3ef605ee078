"""Where the management API is and who asks it, from `broker_api` and the broker's URL."""

from __future__ import annotations

import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import SplitResult, parse_qsl, quote, unquote, urlsplit

from flower_plugins import Broker

__all__ = ["Location", "check_api_url", "locate"]

_SECURE = frozenset(("amqps", "pyamqps"))
_LOOPBACK = frozenset(("localhost", "127.0.0.1", "::1"))


@dataclass(frozen=True, slots=True, repr=False)
class Location:
    """A management API: `url` of the queues of one virtual host, without credentials."""

    url: str
    user: str
    password: str
    verify: bool = True
    ca_certs: str | None = None
    certificate: str | None = None
    key: str | None = None
    withheld: bool = False
    """Whether the broker's own credentials are not used because they would leave in clear."""

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
    if api_url:
        brokers = brokers[:1]
    return [_location(urlsplit(api_url) if api_url else None, parts, broker) for parts in brokers]


def _location(api: SplitResult | None, parts: SplitResult, broker: Broker) -> Location:
    query = dict(parse_qsl(parts.query))
    options: dict[str, Any] = {**(broker.use_ssl if isinstance(broker.use_ssl, Mapping) else {}), **query}
    secure = parts.scheme in _SECURE or bool(broker.use_ssl) or any(name.startswith("ssl") for name in query)
    place = api or _default(parts, secure=secure)
    own, brokers = _credentials(place), _credentials(parts)
    # Credentials that travel encrypted to the broker do not travel in clear to its API.
    withheld = own is None and brokers is not None and secure and place.scheme == "http" and not _is_here(place)
    user, password = own or (None if withheld else brokers) or ("guest", "guest")
    required = _option(options, "cert_reqs", ssl.CERT_REQUIRED)
    files = {name: _option(options, name) for name in ("ca_certs", "certfile", "keyfile")}
    host = place.netloc.rpartition("@")[2]
    return Location(
        f"{place.scheme}://{host}{_api_path(place.path)}/queues/{quote(_virtual_host(parts.path), safe='')}",
        user,
        password,
        verify=required not in (ssl.CERT_NONE, "none", "CERT_NONE", None),
        ca_certs=str(files["ca_certs"]) if files["ca_certs"] else None,
        certificate=str(files["certfile"]) if files["certfile"] else None,
        key=str(files["keyfile"]) if files["keyfile"] else None,
        withheld=withheld,
    )


def _option(options: Mapping[str, Any], name: str, default: Any = None) -> Any:
    """Return an option of TLS by either of the names that kombu and py-amqp give it."""
    return options.get(f"ssl_{name}", options.get(name, default))


def _is_here(parts: SplitResult) -> bool:
    return (parts.hostname or "") in _LOOPBACK


def _default(parts: SplitResult, *, secure: bool) -> SplitResult:
    host = parts.hostname or "localhost"
    host = f"[{host}]" if ":" in host else host
    return urlsplit(f"https://{host}:15671/api/" if secure else f"http://{host}:15672/api/")


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
