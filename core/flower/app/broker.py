"""The broker as a Celery app is configured to reach it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from kombu.utils.url import maybe_sanitize_url

from flower_plugins import Broker

__all__ = ["describe_broker"]

_DEFAULT = "amqp://guest:guest@localhost:5672//"
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
    """Return the facts that event sources and inspectors connect by."""
    configured = app.conf.broker_read_url or app.conf.broker_url or _DEFAULT
    url = configured if isinstance(configured, str) else ";".join(configured)
    options: Mapping[str, Any] = app.conf.broker_transport_options or {}
    return Broker(
        url=url,
        scheme=url.partition("://")[0],
        safe_url=";".join(maybe_sanitize_url(part) for part in url.split(";")),
        transport_options=dict(options),
        use_ssl=app.conf.broker_use_ssl or None,
        event_options={name: app.conf[name] for name in _EVENT_SETTINGS if name in app.conf},
    )
