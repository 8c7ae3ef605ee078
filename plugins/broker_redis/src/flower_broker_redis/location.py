"""Where a broker URL points, read the way kombu reads it, so that both look at the same queues."""

from __future__ import annotations

import ssl
from collections.abc import Mapping
from typing import Any
from urllib.parse import SplitResult, parse_qsl, unquote, urlsplit

from msgspec import Struct, field

from flower_plugins import Broker, ConfigurationError

__all__ = ["Location", "locate"]

_SSL_OPTIONS = frozenset(
    "ssl_keyfile ssl_certfile ssl_cert_reqs ssl_ca_certs ssl_ca_data ssl_ca_path ssl_check_hostname ssl_ciphers "
    "ssl_password ssl_min_version".split()
)
_CERT_REQS: Mapping[object, str] = {
    ssl.CERT_NONE: "none",
    ssl.CERT_OPTIONAL: "optional",
    ssl.CERT_REQUIRED: "required",
    None: "none",
    "none": "none",
    "optional": "optional",
    "required": "required",
}


class Location(Struct, frozen=True):
    """One Redis server, or the sentinels that know it; `options` are arguments of a redis client."""

    options: Mapping[str, Any]
    sentinels: tuple[tuple[str, int], ...] = ()
    master: str = ""
    sentinel_options: Mapping[str, Any] = field(default_factory=dict)

    def __repr__(self) -> str:
        return f"<Location {self.name}>"  # the options hold passwords

    @property
    def name(self) -> str:
        """Where it is, fit for a message."""
        if self.sentinels:
            return f"{self.master} of the sentinels " + ", ".join(f"{host}:{port}" for host, port in self.sentinels)
        path = self.options.get("unix_socket_path")
        return str(path) if path else f"{self.options['host']}:{self.options['port']}"


def locate(broker: Broker) -> list[Location]:
    """Return the servers to ask, in order. Raise ConfigurationError for a URL that cannot work."""
    urls = [url.strip() for url in broker.url.split(";") if url.strip()]
    try:
        parts = [_split(url) for url in urls]
        if parts and parts[0].scheme == "sentinel":
            return [_sentinels(parts, broker)]
        return [_server(part, broker) for part in parts]
    except ValueError as error:
        raise ConfigurationError(f"The broker's URL cannot be read: {error}") from None


def _split(url: str) -> SplitResult:
    parts = urlsplit(url)
    try:
        _ = parts.port
    except ValueError:
        # The standard library's message quotes what stands there, which may be part of a password.
        raise ValueError("the port is no number; quote special characters of the password") from None
    return parts


def _server(parts: SplitResult, broker: Broker) -> Location:
    query = dict(parse_qsl(parts.query))
    options = {**_timeouts(broker), **_login(parts)}
    if parts.scheme in ("redis+socket", "socket"):
        database = query.get("virtual_host", "")
        return Location({**options, "unix_socket_path": unquote(parts.path), "db": _database(database)})
    encryption = _encryption(query, broker, secure=parts.scheme == "rediss")
    host, port = unquote(parts.hostname or "") or "127.0.0.1", parts.port or 6379
    return Location({**options, **encryption, "host": host, "port": port, "db": _database(parts.path)})


def _sentinels(parts: list[SplitResult], broker: Broker) -> Location:
    master = broker.transport_options.get("master_name")
    if not isinstance(master, str) or not master:
        raise ConfigurationError(
            "Redis Sentinel needs the name of the master",
            where="broker_transport_options",
            mend="Set 'master_name' there.",
        )
    first = parts[0]
    sentinel_options = broker.transport_options.get("sentinel_kwargs")
    timeouts = _timeouts(broker)
    return Location(
        options={
            **timeouts,
            **_login(first),
            **_encryption(dict(parse_qsl(first.query)), broker, secure=False),
            "db": _database(first.path),
        },
        sentinels=tuple((unquote(part.hostname or "") or "127.0.0.1", part.port or 26379) for part in parts),
        master=master,
        sentinel_options={**timeouts, **(sentinel_options if isinstance(sentinel_options, Mapping) else {})},
    )


def _login(parts: SplitResult) -> dict[str, str | None]:
    return {
        "username": unquote(parts.username) if parts.username else None,
        "password": unquote(parts.password) if parts.password else None,
    }


def _database(text: str) -> int:
    number = unquote(text).lstrip("/")
    if not number:
        return 0
    if not (number.isascii() and number.isdigit()):
        raise ValueError("the database after the last slash is a number, such as redis://host:6379/0")
    return int(number)


def _timeouts(broker: Broker) -> dict[str, float]:
    result = {"socket_connect_timeout": 1.0, "socket_timeout": 2.0}
    for name in result:
        value = broker.transport_options.get(name)
        if isinstance(value, (int, float)) and value > 0:
            result[name] = float(value)
    return result


def _encryption(query: Mapping[str, str], broker: Broker, *, secure: bool) -> dict[str, Any]:
    given: dict[str, Any] = {}
    if isinstance(broker.use_ssl, Mapping):
        given.update(broker.use_ssl)
    given.update((name, value) for name, value in query.items() if name.startswith("ssl_"))
    if not (secure or broker.use_ssl or given):
        return {}
    options: dict[str, Any] = {"ssl": True, **{name: given[name] for name in given if name in _SSL_OPTIONS}}
    if "ssl_cert_reqs" in options:
        word = options["ssl_cert_reqs"]
        word = word.lower().removeprefix("cert_") if isinstance(word, str) else word
        if word not in _CERT_REQS:
            raise ValueError("ssl_cert_reqs is one of required, optional and none")
        options["ssl_cert_reqs"] = _CERT_REQS[word]
    elif not given and not broker.use_ssl:
        # kombu, and with it every worker, does not verify a bare rediss:// URL.
        options["ssl_cert_reqs"] = "none"
    check = options.get("ssl_check_hostname")
    if isinstance(check, str):
        options["ssl_check_hostname"] = check.lower() != "false"
    if options.get("ssl_cert_reqs") == "none":
        options["ssl_check_hostname"] = False
    return options
