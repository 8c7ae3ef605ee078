"""Opens kombu connections that cannot hang: a broker that does not answer must not hold a thread for ever."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from kombu.exceptions import KombuError

__all__ = ["failures", "open_bounded", "release"]


def open_bounded(connection: Any, *, connect: float, answer: float, **amqp: object) -> None:
    """Open a `kombu.Connection` made a moment ago, with one try for each URL of its failover list.

    Connecting is given up after `connect` seconds and waiting for an answer after `answer`. `amqp` are
    further transport options for AMQP. A transport option that the user has set wins over all of these.
    Raise whatever the transport raises.
    """
    connection.connect_timeout = connect
    # By driver, as others take offence at options they do not know. Raises where its library is missing.
    defaults: Mapping[str, Mapping[str, object]] = {
        "py-amqp": {"read_timeout": answer, "write_timeout": answer, **amqp},
        "redis": {"socket_timeout": answer, "socket_connect_timeout": connect, "socket_keepalive": True},
    }
    own = defaults.get(connection.transport.driver_name, {})
    connection.transport_options = {**own, **(connection.transport_options or {})}
    tries = max(len(connection.alt) - 1, 0)
    connection.ensure_connection(max_retries=tries, interval_start=0, interval_step=0, interval_max=0)


def failures(connection: Any) -> tuple[type[BaseException], ...]:
    """Return what a broken broker, network or broker setting may raise.

    Transports stumble in their own code as well when a connection breaks under them or a peer sends
    nonsense: hence the last four.
    """
    own: tuple[type[BaseException], ...] = (
        *(OSError, KombuError, ImportError),
        *(ValueError, KeyError, AttributeError, TypeError),
    )
    if connection is None:
        return own
    return (*own, *connection.connection_errors, *connection.channel_errors)


def release(connection: Any) -> None:
    """Close a connection that may be broken."""
    try:
        connection.release()
    except failures(connection):
        return
