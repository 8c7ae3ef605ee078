"""The HTTP server: TLS, limits, and a clean end."""

from __future__ import annotations

import logging
import ssl
from collections.abc import Sequence
from pathlib import Path

from tornado.httpserver import HTTPServer

from flower.web.binding import Binding, Listener, listen
from flower.web.guard import MAX_BODY
from flower.web.router import Router
from flower_plugins import ConfigurationError, Settings

__all__ = ["Server", "tls_context"]

log = logging.getLogger(__name__)

_IDLE_SECONDS = 75.0
_BODY_SECONDS = 30.0
_DRAIN_SECONDS = 2.0
_MAX_HEADER = 64 * 1024


def tls_context(settings: Settings) -> ssl.SSLContext | None:
    """Return the TLS context that the settings ask for, None for plain HTTP.

    With `ca_certs`, clients must present a certificate signed by one of them.
    """
    certfile, keyfile = settings["certfile"], settings["keyfile"]
    if not certfile and not keyfile:
        if settings["ca_certs"]:
            raise ConfigurationError("'ca_certs' needs 'certfile' and 'keyfile'", mend="Give all three.")
        return None
    if not (certfile and keyfile):
        raise ConfigurationError("Both 'certfile' and 'keyfile' are required to enable SSL")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    try:
        context.load_cert_chain(_path(certfile), _path(keyfile))
        if settings["ca_certs"]:
            context.load_verify_locations(_path(settings["ca_certs"]))
            context.verify_mode = ssl.CERT_REQUIRED
    except OSError as error:  # ssl.SSLError is one
        raise ConfigurationError(
            f"the TLS files cannot be used: {error.strerror or error}",
            where=f"certfile={certfile}, keyfile={keyfile}, ca_certs={settings['ca_certs'] or ''}",
            mend="Give PEM files that this user may read and that belong together.",
        ) from None
    return context


class Server:
    """Listens, serves the router, and stops without cutting short answers off."""

    def __init__(self, router: Router, binding: Binding, context: ssl.SSLContext | None) -> None:
        self._router = router
        self._http = HTTPServer(
            router,
            ssl_options=None if binding.unix_socket else context,
            max_body_size=MAX_BODY,
            max_buffer_size=4 * MAX_BODY,
            max_header_size=_MAX_HEADER,
            idle_connection_timeout=_IDLE_SECONDS,
            body_timeout=_BODY_SECONDS,
        )
        self._listener: Listener = listen(binding, "https" if context else "http")

    @property
    def urls(self) -> Sequence[str]:
        """The addresses really bound."""
        return self._listener.urls

    def start(self) -> None:
        """Accept connections."""
        self._http.add_sockets(self._listener.sockets)

    async def stop(self) -> None:
        """Stop accepting, give answers under way two seconds, close connections, remove the unix socket."""
        self._http.stop()
        await self._router.drained(_DRAIN_SECONDS)
        await self._http.close_all_connections()
        if self._listener.unix_socket:
            Path(self._listener.unix_socket).expanduser().unlink(missing_ok=True)


def _path(text: str) -> str:
    return str(Path(text).expanduser())
