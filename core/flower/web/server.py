"""The HTTP server: TLS, limits, and a clean end."""

from __future__ import annotations

import logging
import ssl
from collections.abc import Awaitable, Sequence
from pathlib import Path

from tornado.httpserver import HTTPServer
from tornado.httputil import HTTPConnection, HTTPHeaders, HTTPMessageDelegate, RequestStartLine, ResponseStartLine

from flower.quiet import Throttle
from flower.web.acceptor import Acceptor, connection_of
from flower.web.binding import Binding, Listener, listen
from flower.web.connections import Connection, Connections, Limits
from flower.web.guard import MAX_BODY
from flower.web.origins import is_loopback
from flower.web.router import Router
from flower_plugins import ConfigurationError, Settings

__all__ = ["Server", "tls_context"]

log = logging.getLogger(__name__)

_BODY_SECONDS = 30.0
_DRAIN_SECONDS = 2.0
_MAX_HEADER = 64 * 1024
_NO_LIMIT = 2**62
_CHATTY = "tornado.general"
"""The logger that has a line for every request it cannot read."""
_LINES_PER_SECOND = 5


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

    def __init__(self, router: Router, binding: Binding, context: ssl.SSLContext | None, limits: Limits) -> None:
        self._router = router
        self.connections = Connections(limits, self._exempt)
        """The books of what is open."""
        self._http = _Http(
            router,
            max_body_size=_NO_LIMIT,  # the router counts, and its refusal has headers and words
            max_buffer_size=4 * MAX_BODY,
            max_header_size=_MAX_HEADER,
            body_timeout=_BODY_SECONDS,
        )
        self._http.conn_params.header_timeout = None  # the books keep the time, and without a timer for each request
        inner = None if binding.unix_socket else context
        self._acceptor = Acceptor(self.connections, inner, self._http.handle_stream, 4 * MAX_BODY)
        self._throttle = Throttle(_LINES_PER_SECOND)
        self._listener: Listener = listen(binding, "https" if context else "http")

    @property
    def urls(self) -> Sequence[str]:
        """The addresses really bound."""
        return self._listener.urls

    def start(self) -> None:
        """Accept connections."""
        logging.getLogger(_CHATTY).addFilter(self._throttle)
        self._acceptor.start(self._listener.sockets)

    async def stop(self) -> None:
        """Stop accepting, give answers under way two seconds, close connections, remove the unix socket."""
        self._acceptor.stop()
        await self._router.drained(_DRAIN_SECONDS)
        await self._http.close_all_connections()
        self.connections.end()
        logging.getLogger(_CHATTY).removeFilter(self._throttle)
        if self._listener.unix_socket:
            Path(self._listener.unix_socket).expanduser().unlink(missing_ok=True)

    def _exempt(self, address: str) -> bool:
        """Tell whether many people may stand behind an address: a proxy's, or this machine's own."""
        proxies = self._router.proxies
        return not address or is_loopback(address) or (proxies is not None and proxies.trusts(address))


class _Http(HTTPServer):
    """Tornado's server, which tells each connection how far its request has come."""

    def start_request(self, server_conn: object, request_conn: HTTPConnection) -> HTTPMessageDelegate:
        connection, delegate = connection_of(server_conn), super().start_request(server_conn, request_conn)
        if connection is None:
            return delegate
        connection.begins()
        return _Progress(delegate, connection)


class _Progress(HTTPMessageDelegate):
    def __init__(self, inner: HTTPMessageDelegate, connection: Connection) -> None:
        self._inner, self._connection = inner, connection

    def headers_received(
        self, start_line: RequestStartLine | ResponseStartLine, headers: HTTPHeaders
    ) -> Awaitable[None] | None:
        body = "Transfer-Encoding" in headers or headers.get("Content-Length", "0") != "0"
        self._connection.headed(body=body)
        return self._inner.headers_received(start_line, headers)

    def data_received(self, chunk: bytes) -> Awaitable[None] | None:
        return self._inner.data_received(chunk)

    def finish(self) -> None:
        self._connection.complete()
        self._inner.finish()

    def on_connection_close(self) -> None:
        self._inner.on_connection_close()


def _path(text: str) -> str:
    return str(Path(text).expanduser())
