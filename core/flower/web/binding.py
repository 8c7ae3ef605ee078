"""Where to listen: loopback unless somebody decided otherwise."""

from __future__ import annotations

import errno
import os
import socket
import stat
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from tornado.netutil import bind_unix_socket

from flower.web.origins import is_loopback
from flower_plugins import ConfigurationError, Settings

__all__ = ["Binding", "Listener", "in_container", "listen", "plan"]

_BACKLOG = 1024
"""Connections that wait to be accepted; one more would be tried again by its client after a second."""
_LOOPBACK_6 = "::1"
_CONTAINER_FILES = ("/.dockerenv", "/run/.containerenv")


class Binding(NamedTuple):
    """What will be listened on: `addresses` ("" means every interface) or a unix socket path."""

    addresses: Sequence[str]
    port: int
    unix_socket: str = ""
    unix_socket_mode: int = 0o660

    @property
    def loopback_only(self) -> bool:
        """Tell whether only programs on this machine can connect."""
        return not self.unix_socket and all(_is_loopback(address) for address in self.addresses)


class Listener(NamedTuple):
    """Open sockets and the URLs they answer to."""

    sockets: Sequence[socket.socket]
    urls: Sequence[str]
    unix_socket: str = ""


def in_container() -> bool:
    """Tell whether this process seems to run in a container, where loopback reaches nobody."""
    return "KUBERNETES_SERVICE_HOST" in os.environ or any(Path(file).exists() for file in _CONTAINER_FILES)


def plan(settings: Settings, *, authenticated: bool, container: bool) -> Binding:
    """Decide where to listen.

    An address that somebody gave is used as given, an empty one for all interfaces. Without one:
    all interfaces when logins are configured or in a container (unless it is the demo), else loopback.
    """
    port = int(settings["port"])
    if settings["unix_socket"]:
        return Binding((), port, str(settings["unix_socket"]), int(settings["unix_socket_mode"], 8))
    if settings.given("address"):
        return Binding((settings["address"] or "",), port)
    if settings["demo"] or not (authenticated or container):
        return Binding(("127.0.0.1", _LOOPBACK_6), port)
    return Binding(("",), port)


def listen(binding: Binding, scheme: str) -> Listener:
    """Open the sockets. Raise ConfigurationError when an address cannot be bound."""
    if binding.unix_socket:
        return Listener([_open_unix(binding)], [], binding.unix_socket)
    sockets: list[socket.socket] = []
    port = binding.port
    try:
        for address in binding.addresses:
            if sockets and port == 0:
                port = sockets[0].getsockname()[1]
            sockets.extend(_open(address, port))
        if not sockets:
            raise ConfigurationError("this machine has no address to listen on", mend="Choose one with --address.")
    except ConfigurationError:
        for opened in sockets:
            opened.close()
        raise
    return Listener(sockets, [_url(scheme, opened) for opened in sockets])


def _open(address: str, port: int) -> list[socket.socket]:
    """Open one socket per IP address that `address` stands for, all on one port; none where it does not exist.

    A machine without IPv6 has no ::1, and may still resolve names to it.
    """
    opened: list[socket.socket] = []
    missing: OSError | None = None
    try:
        found = socket.getaddrinfo(address or None, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
        for family, _, _, _, place in dict.fromkeys(found):
            place = (place[0], opened[0].getsockname()[1], *place[2:]) if opened and port == 0 else place
            try:
                opened.append(_open_one(family, place))
            except OSError as error:
                if family != socket.AF_INET6 or error.errno not in (errno.EAFNOSUPPORT, errno.EADDRNOTAVAIL):
                    raise
                missing = error
        if missing is not None and not opened and address != _LOOPBACK_6:
            raise missing
    except OSError as error:
        for sock in opened:
            sock.close()
        raise ConfigurationError(
            f"cannot listen on {address or 'all interfaces'} port {port}: {error.strerror or error}",
            mend="Choose another with --port or --address, or stop the program that holds it.",
        ) from None
    return opened


def _open_one(family: int, place: tuple[object, ...]) -> socket.socket:
    sock = socket.socket(family, socket.SOCK_STREAM)
    try:
        sock.setblocking(False)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6:
            sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)  # IPv4 has a socket of its own
        sock.bind(place)
        sock.listen(_BACKLOG)
    except OSError:
        sock.close()
        raise
    return sock


def _open_unix(binding: Binding) -> socket.socket:
    path = Path(binding.unix_socket).expanduser()
    try:
        if path.exists() and not stat.S_ISSOCK(path.lstat().st_mode):
            raise ConfigurationError(f"{path} exists and is not a socket", mend="Give --unix_socket another path.")
        if path.exists() and _answers(path):
            raise ConfigurationError(
                f"another program listens on {path}", mend="Stop it, or give --unix_socket another path."
            )
        return bind_unix_socket(str(path), mode=binding.unix_socket_mode, backlog=_BACKLOG)
    except OSError as error:
        raise ConfigurationError(
            f"cannot listen on {path}: {error.strerror or error}", mend="Give --unix_socket a path you may write to."
        ) from None


def _answers(path: Path) -> bool:
    with socket.socket(socket.AF_UNIX) as probe:
        probe.settimeout(1)
        return probe.connect_ex(str(path)) == 0


def _url(scheme: str, opened: socket.socket) -> str:
    host, port = opened.getsockname()[:2]
    return f"{scheme}://{f'[{host}]' if ':' in host else host}:{port}"


def _is_loopback(address: str) -> bool:
    return address.lower() == "localhost" or is_loopback(address)
