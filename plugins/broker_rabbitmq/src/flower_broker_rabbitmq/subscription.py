"""From a broker's URL to a consumer on Celery's event exchange: everything before the first event.

Exchange, queue and wake-up follow Celery's receiver (celery.events.receiver). Kombu reads the URL and
its py-amqp connection shakes hands, so that login, TLS, virtual host and failover are those of the workers.
"""

from __future__ import annotations

import json
import logging
import socket
from collections.abc import Mapping
from contextlib import suppress
from typing import Any
from uuid import uuid4

import kombu
import kombu.pidbox
from amqp import spec
from kombu.transport import pyamqp
from kombu.utils.url import parse_url

from flower_plugins import Broker, ConfigurationError, Unavailable

__all__ = ["Subscription"]

# Kombu is annotated in part, which strict typing takes for more than it is.
_kombu: Any = kombu
_Connection: Any = pyamqp.Connection

_CONNECT_SECONDS = 4.0
_ANSWER_SECONDS = 3.0
_HEARTBEAT_SECONDS = 4
_LEAVING_SECONDS = 0.5

_TRANSPORTS = {"amqp": "pyamqp", "amqps": "amqps", "pyamqp": "pyamqp", "rabbitmq": "pyamqp"}

# A user's transport options hold for the workers; these three decide how this reader works.
_OWN_OPTIONS = frozenset(("confirm_publish", "frame_handler", "heartbeat"))


class Subscription:
    """One connection and the queue on it. Methods run on one thread, except `cut`.

    After `open`, `socket` belongs to the caller: py-amqp reads exactly up to the answer that confirms the
    consumer, and the next byte begins a frame.
    """

    def __init__(self, broker: Broker, log: logging.Logger) -> None:
        """Raise ConfigurationError for a URL that cannot be read, or that is another transport's."""
        self._urls = ";".join(_py_amqp_url(url) for url in broker.url.split(";"))
        self._broker = broker
        self._options = broker.event_options
        self._log = log
        self._place = ""
        self._wire: Any = None
        self._cut = False
        self._connection: Any = None
        self.queue = ""
        self.channel = self.wake_channel = 0

    @property
    def socket(self) -> socket.socket:
        """The connection's socket, of which the timeout is the caller's."""
        sock: socket.socket = self._wire.sock
        return sock

    @property
    def frame_max(self) -> int:
        """Bytes of the largest frame, as negotiated."""
        return int(self._connection.frame_max)

    @property
    def heartbeat(self) -> float:
        """Seconds between two signs of life, as negotiated."""
        return float(self._connection.heartbeat)

    def open(self) -> None:
        """Connect, declare, consume, and ask the workers to speak up. Raise what kombu and py-amqp raise."""
        try:
            self._subscribe()
        except TimeoutError as error:
            raise Unavailable(f"The broker at {self._place} did not answer in time") from error

    def close(self) -> None:
        """Close the socket."""
        if self._wire is not None and self._wire.sock is not None:
            with suppress(OSError):
                self._wire.sock.settimeout(_LEAVING_SECONDS)
            with suppress(Exception):  # guards the thread's end: this connection is being given up anyway
                self._wire.close()

    def cut(self) -> None:
        """End whatever waits for the broker, from any thread."""
        self._cut = True
        sock = getattr(self._wire, "sock", None)
        if sock is not None:
            with suppress(OSError):
                # Not SSLSocket's own method, which takes the TLS state from under the other thread.
                socket.socket.shutdown(sock, socket.SHUT_RDWR)

    def _subscribe(self) -> None:
        self._connect()
        self.socket.settimeout(_ANSWER_SECONDS)
        channel = self._connection.channel()
        self.queue = self._declare(channel)
        mailbox = self._mailbox()
        channel.basic_consume(self.queue, no_ack=True, consumer_tag=f"flower-{uuid4()}")
        self.channel = channel.channel_id
        # From here on nothing may wait for an answer, which would swallow messages before it.
        if mailbox is not None:
            _publish_wake_up(*mailbox)

    def _connect(self) -> None:
        """Try each URL of a failover list once, in kombu's order; waiting in between is core's business."""
        use_ssl = self._broker.use_ssl
        connection = _kombu.Connection(
            self._urls,
            ssl=dict(use_ssl) if isinstance(use_ssl, Mapping) else use_ssl or False,
            transport_options={k: v for k, v in self._broker.transport_options.items() if k not in _OWN_OPTIONS},
            connect_timeout=_CONNECT_SECONDS,
            login_method=self._options.get("broker_login_method"),
            failover_strategy=self._options.get("broker_failover_strategy"),
        )
        for left in reversed(range(max(len(connection.alt), 1))):
            transport = connection.transport
            connection.heartbeat = _HEARTBEAT_SECONDS
            transport.Connection = self._tapped
            try:
                self._connection = transport.establish_connection()
                return
            except transport.connection_errors:
                if not left or self._cut:
                    raise
                self.close()
                connection.maybe_switch_next()

    def _tapped(self, **options: Any) -> Any:
        self._place = options["host"]
        return _TappedConnection(self, **options)

    def adopt(self, wire: Any) -> Any:
        """Keep hold of the transport before it connects, so that `cut` reaches it."""
        self._wire = wire
        if self._cut:
            raise Unavailable("The connection was given up")
        return wire

    def _declare(self, channel: Any) -> str:
        """Declare a queue of our own, bound to all events; return its name."""
        options = self._options
        durable = bool(options.get("event_queue_durable", False))
        queue = _kombu.Queue(
            f"{options.get('event_queue_prefix', 'celeryev')}.{uuid4()}",
            exchange=_kombu.Exchange(str(options.get("event_exchange", "celeryev")), type="topic"),
            routing_key="#",
            auto_delete=not durable,
            durable=durable,
            exclusive=bool(options.get("event_queue_exclusive", False)),
            message_ttl=options.get("event_queue_ttl", 5.0),
            expires=options.get("event_queue_expires", 60.0),
        )
        queue(channel).declare()
        return str(queue.name)

    def _mailbox(self) -> tuple[Any, Any] | None:
        """Declare the exchange that workers take orders from; return a channel and it, None when that is refused.

        On a channel of its own, because whoever may not give orders may still watch.
        """
        name = str(self._options.get("control_exchange", "celery"))
        exchange = _kombu.pidbox.Mailbox(name, type="fanout").exchange
        channel = self._connection.channel()
        self.wake_channel = channel.channel_id
        try:
            exchange(channel).declare()
        except self._connection.channel_errors as error:
            self._log.warning("Workers were not asked for a heartbeat: %s", error)
            return None
        return channel, exchange


class _TappedConnection(_Connection):  # type: ignore[misc]
    """A connection that shows its transport before it blocks in connecting."""

    def __init__(self, subscription: Subscription, **options: Any) -> None:
        self._subscription = subscription
        super().__init__(**options)

    def Transport(self, *args: Any, **kwargs: Any) -> Any:  # noqa: N802  py-amqp's name
        return self._subscription.adopt(super().Transport(*args, **kwargs))


def _py_amqp_url(url: str) -> str:
    """Return the URL with the name of kombu's transport: `amqp` means librabbitmq where that is installed."""
    try:
        parse_url(url)
    except (KeyError, ValueError):
        # The message of that exception quotes the URL, which may be a part of the password.
        raise ConfigurationError(
            "The broker's URL cannot be read",
            where="broker",
            mend="Percent-encode special characters of the user and the password.",
        ) from None
    scheme, separator, rest = url.partition("://")
    if separator and scheme not in _TRANSPORTS:
        raise ConfigurationError(
            f"The event source for RabbitMQ does not speak {scheme}", where="broker", mend="Try --event_source=kombu."
        )
    return f"{_TRANSPORTS[scheme]}://{rest}" if separator else url


def _publish_wake_up(channel: Any, exchange: Any) -> None:
    """Ask all workers for a heartbeat, as `Control.broadcast("heartbeat")` does."""
    everyone = {"destination": None, "pattern": None, "matcher": None}
    message = channel.prepare_message(
        json.dumps({"method": "heartbeat", "arguments": {}, **everyone}),
        content_type="application/json",
        content_encoding="utf-8",
        headers={"clock": 0, "expires": 0},
        properties={"delivery_mode": 1},
    )
    # Not basic_publish, which first reads from the socket to learn whether the connection is blocked.
    channel.send_method(spec.Basic.Publish, "Bssbb", (0, exchange.name, "", False, False), message)
