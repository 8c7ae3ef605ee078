"""What a request's headers prove about where it came from: allowed hosts, other sites, proxies."""

from __future__ import annotations

import socket
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

from tornado.httputil import HTTPServerRequest

from flower_plugins import ConfigurationError
from flower_plugins.web import netloc

__all__ = [
    "AllowedHosts",
    "TrustedProxies",
    "came_through_proxy",
    "host_of",
    "household",
    "is_here",
    "is_loopback",
    "may_be_forwarded",
    "names_loopback",
    "refuse_cross_site",
    "same_origin",
]

_FORWARDING = frozenset(
    ("Forwarded", "Via", "X-Forwarded-For", "X-Forwarded-Host", "X-Forwarded-Proto", "X-Real-Ip", "X-Scheme")
)
_LONGEST_ADDRESS = 80
"""Of an IPv6 address, the name of an interface after its percent sign included."""
_PRIVATE = ("127.0.0.0/8", "::1/128", "10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "fc00::/7", "fe80::/10")


def host_of(netloc: str) -> str:
    """Return the host of "host:port" or "[::1]:port", lower case, without a trailing dot."""
    if netloc.startswith("["):
        return netloc[1:].partition("]")[0].lower()
    return netloc.partition(":")[0].lower().rstrip(".")


def household(address: str) -> str:
    """Return what all addresses have in common that one sender can choose from.

    Of an IPv6 address that is the network of 64 bits, which nobody shares (RFC 6177); any other text stands for itself.
    """
    found = _address(address)
    if found is None or found.version == 4:
        return address
    return str(found.ipv4_mapped or f"{ip_address(int(found) >> 64 << 64)}/64")


class AllowedHosts:
    """The names this server answers to when nobody logs in, so that no other web page can pose as it.

    localhost, IP addresses, this machine's own names, the addresses listened on and those given pass.
    A request that came through a proxy passes too: a page that rebinds its own name to this address
    talks to it directly.
    """

    def __init__(self, names: Iterable[str]) -> None:
        own = socket.gethostname().lower()
        self._names = {"localhost", own, own.partition(".")[0], own.partition(".")[0] + ".local"}
        self._suffixes: list[str] = []
        for name in names:
            name = name.strip().lower().rstrip(".")
            if name.startswith("*."):
                self._suffixes.append(name[1:])
            elif name:
                self._names.add(name if _is_address(name) else host_of(name))

    def allows(self, request: HTTPServerRequest) -> bool:
        """Tell whether the request's Host header names this server."""
        host = host_of(request.headers.get("Host", ""))
        if host in self._names or host.endswith(".localhost") or any(host.endswith(end) for end in self._suffixes):
            return True
        return _is_address(host) or came_through_proxy(request)


def may_be_forwarded(headers: Mapping[str, str]) -> bool:
    """Tell whether a proxy says, truly or not, that it passed this request on for somebody else."""
    return not _FORWARDING.isdisjoint(headers)


def names_loopback(request: HTTPServerRequest) -> bool:
    """Tell whether a browser on this machine can have sent a request as it is to a socket of loopback alone.

    Its Host is then a name or an address of loopback, its Origin, which every browser sends with an unsafe request,
    names the same one, and it speaks at least HTTP/1.1. A proxy that is told nothing but where to pass requests to
    gives itself away: it speaks HTTP/1.0, leaves the outer Origin beside its own Host, or passes on the outer Host.
    """
    headers, host = request.headers, host_of(request.headers.get("Host", ""))
    if request.version == "HTTP/1.0" or netloc(headers.get("Origin", "")) not in ("", headers.get("Host", "").lower()):
        return False
    return is_here(host)


def is_here(host: str) -> bool:
    """Tell whether a name or an address in lower case is this machine's own, whoever resolves it."""
    return host == "localhost" or host.endswith(".localhost") or is_loopback(host)


def is_loopback(address: str) -> bool:
    """Tell whether a text is an address of this machine's own, such as 127.0.0.1."""
    found = _address(address)
    return found is not None and found.is_loopback


def came_through_proxy(request: HTTPServerRequest) -> bool:
    """Tell whether a proxy certainly stands between the browser and us.

    `Connection` is a header that no web page can set (Fetch Standard, forbidden request-headers), and
    browsers send "upgrade" in it only together with `Upgrade`. A proxy configured as the documentation
    shows sends `Connection: upgrade` with every request, an ordinary one too.
    """
    tokens = request.headers.get("Connection", "").lower()
    if "upgrade" not in tokens:
        return False
    named = {token.strip() for token in tokens.split(",")}
    return "upgrade" in named and not request.headers.get("Upgrade") and "Sec-WebSocket-Key" not in request.headers


def same_origin(request: HTTPServerRequest) -> bool:
    """Tell whether the browser vouches that our own page sent this request."""
    site = request.headers.get("Sec-Fetch-Site")
    if site is not None:
        return site == "same-origin"
    origin = request.headers.get("Origin", "")
    return not _in_clear(origin, request) and netloc(origin) == request.headers.get("Host", "").lower()


def refuse_cross_site(request: HTTPServerRequest) -> str | None:
    """Return why an unsafe request is refused as somebody else's, None when it may be ours or a script's.

    Browsers send Fetch Metadata on secure origins and loopback, and Origin with every unsafe request;
    scripts send neither.
    """
    headers, host = request.headers, request.headers.get("Host", "").lower()
    site = headers.get("Sec-Fetch-Site")
    if site is not None:
        return None if site == "same-origin" else "Cross-site request forbidden"
    origin = headers.get("Origin")
    if origin is not None:
        return None if netloc(origin) == host and not _in_clear(origin, request) else "Cross-origin request forbidden"
    referer = headers.get("Referer")
    if referer and (netloc(referer) != host or _in_clear(referer, request)):
        return "Cross-origin request forbidden"
    return None


class TrustedProxies:
    """The peers whose X-Real-Ip, X-Forwarded-For, X-Scheme and X-Forwarded-Proto are believed.

    Without `networks` these are loopback and private addresses, and one proxy is believed, the peer itself: a
    private address that it names may be a client's, whose own word must not count.
    """

    def __init__(self, networks: Sequence[str] = ()) -> None:
        self._chained = bool(networks)
        self._networks: list[IPv4Network | IPv6Network] = []
        for text in networks or _PRIVATE:
            try:
                self._networks.append(ip_network(text.strip(), strict=False))
            except ValueError:
                raise ConfigurationError(
                    f"{text!r} is not a network", where="trusted_proxies", mend="Write 10.0.0.5 or 10.0.0.0/8."
                ) from None

    def trusts(self, address: str) -> bool:
        """Tell whether an address belongs to a trusted network."""
        ip = _address(address)
        return ip is not None and any(ip in network for network in self._networks if network.version == ip.version)

    def apply(self, request: HTTPServerRequest, *, unix: bool) -> None:
        """Take the client's address and scheme from the headers when a trusted peer sent them.

        Of X-Forwarded-For the last entry counts that is not a proxy's named as trusted: what stands
        before it is the client's own word. X-Real-Ip counts only where there is no X-Forwarded-For. A header
        never makes a request a local one.
        """
        if not (unix or self.trusts(request.remote_ip or "")):
            return
        hops = [hop.strip() for hop in request.headers.get("X-Forwarded-For", "").split(",") if hop.strip()]
        client = next((hop for hop in reversed(hops) if not (self._chained and self.trusts(hop))), "")
        if not hops:
            client = request.headers.get("X-Real-Ip", "").strip()
        # What may follow a percent sign, an interface's name, could be any text.
        if "%" not in client and _is_address(client) and not is_loopback(client):
            request.remote_ip = client
        scheme = request.headers.get("X-Scheme", request.headers.get("X-Forwarded-Proto", ""))
        scheme = scheme.rpartition(",")[2].strip().lower()
        if scheme in ("http", "https"):
            request.protocol = scheme


def _in_clear(url: str, request: HTTPServerRequest) -> bool:
    """Tell whether a page that came in clear, which anybody on the way can write, asks for what came by https."""
    return request.protocol == "https" and url.lower().startswith("http:")


def _is_address(text: str) -> bool:
    return _address(text) is not None


def _address(text: str) -> IPv4Address | IPv6Address | None:
    """Return the address that a text is, None where it is none."""
    return _parsed(text) if len(text) <= _LONGEST_ADDRESS else None


@lru_cache(maxsize=256)
def _parsed(text: str) -> IPv4Address | IPv6Address | None:
    """Every request of a client brings the same texts, and parsing takes longer than all other checks together."""
    try:
        return ip_address(text)
    except ValueError:
        return None
