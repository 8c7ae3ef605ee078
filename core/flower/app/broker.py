"""The broker as a Celery app is configured to reach it."""

# mypy: allow-untyped-calls
# kombu is annotated in part.

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from importlib.util import find_spec
from typing import Any

from kombu.connection import Connection
from kombu.utils.url import parse_url

from flower.masking import mask_url
from flower_plugins import Broker, ConfigurationError

__all__ = ["describe_broker", "load_transport"]

_DEFAULT = "amqp://guest:guest@localhost:5672//"
_URLS = ("broker_url", "broker_read_url", "broker_write_url")
_REDIS = ("redis", "sentinel")
_EVENT_SETTINGS = (
    "event_exchange",
    "event_queue_prefix",
    "event_queue_ttl",
    "event_queue_expires",
    "event_queue_exclusive",
    "event_queue_durable",
    "control_exchange",
    "broker_login_method",
    "broker_failover_strategy",
)


def describe_broker(app: Any) -> Broker:
    """Return the facts that event sources and inspectors connect by. Raise ConfigurationError for what is no URL."""
    # Celery lets the latter two default to the first.
    _, url, _ = (_checked(getattr(app.conf, name) or _DEFAULT, name) for name in _URLS)
    options: Mapping[str, Any] = app.conf.broker_transport_options or {}
    return Broker(
        url=url,
        scheme=url.partition("://")[0],
        safe_url=mask_url(url),
        transport_options=dict(options),
        use_ssl=app.conf.broker_use_ssl or None,
        event_options={name: app.conf[name] for name in _EVENT_SETTINGS if name in app.conf},
    )


def load_transport(app: Any) -> None:
    """Import the broker's client library while there is one thread.

    Threads that import parts of one library at once, which import each other, may find Python refusing one of them.
    """
    with suppress(Exception):  # what is missing or broken is said when the connection is made
        app.connection_for_read().get_transport_cls()


def _checked(configured: Any, name: str) -> str:
    """Return the URL or URLs in one text. No message quotes them, as they hold passwords."""
    parts = configured.split(";") if isinstance(configured, str) else configured
    if not isinstance(parts, (list, tuple)) or not all(isinstance(part, str) for part in parts):
        raise ConfigurationError("The broker is neither a URL nor a list of URLs", where=name)
    if any(part.startswith(_REDIS) for part in parts):
        _require_redis(name)
    try:
        for part in parts:
            # What is missing for this kind of broker is said when the connection is made.
            with suppress(ImportError, KeyError):
                _read(part)
    except ValueError:
        raise ConfigurationError(
            "The broker's URL cannot be read",
            where=name,
            mend="In a user name or password, write / as %2F, : as %3A, @ as %40, # as %23 and ; as %3B.",
        ) from None
    return ";".join(parts)


def _read(url: str) -> None:
    """Have kombu read a URL. Raise ValueError where it cannot."""
    if url.startswith(_REDIS):
        parse_url(url.partition("+")[2] or url)  # what a connection does, without loading the client library
    else:
        Connection(url)


def _require_redis(name: str) -> None:
    """Refuse a Redis broker where kombu would stumble over the missing library in words nobody understands."""
    if find_spec("redis") is None:  # optional: only clusters on Redis need it; importing it takes 30 ms
        raise ConfigurationError(
            "The broker is Redis, and its client library is not installed",
            where=name,
            mend="Run: pip install 'flower[redis]'",
        ) from None
