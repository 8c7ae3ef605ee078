"""The event source for every broker kombu can reach: a blocking reader on a thread of its own.

Exchange, queue and wake-up follow Celery's receiver (celery.events.receiver, celery.events.event).
Bodies are handed on as they stand on the wire; decoding them is the gateway's work.
"""

from __future__ import annotations

import asyncio
import logging
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any
from uuid import uuid4

import kombu
import kombu.pidbox
from celery.events.event import get_exchange

from flower.connecting import open_bounded
from flower_plugins import Broker, EventSource, Messages, OfferContext, Pump

__all__ = ["KombuSource"]

# Kombu is annotated in part, which strict typing takes for more than it is.
_kombu: Any = kombu

_CONNECT_SECONDS = 4.0
_ANSWER_SECONDS = 3.0
_HEARTBEAT_SECONDS = 4.0
_SILENCE_SECONDS = 3.0
_IDLE_WAIT = 0.5
_BATCH_WAIT = 0.02
_BATCH_MESSAGES = 500
_BATCH_BYTES = 256 * 1024
_JUNK_IN_A_ROW = 100
_ENDING_SECONDS = 1.5

# What a malformed envelope makes kombu's virtual transports raise, after it was read off the socket.
_JUNK = (KeyError, RecursionError, TypeError, ValueError)


class KombuSource(EventSource):
    """Consumes the event exchange of the broker in `context`, over any transport."""

    def __init__(self, context: OfferContext) -> None:
        self._broker = context.broker
        self._log = context.log

    async def run(self, pump: Pump) -> None:
        """Deliver until cancelled; raise whatever ended the connection."""
        loop = asyncio.get_running_loop()
        outlet = _Outlet(pump)
        failure: asyncio.Future[BaseException | None] = loop.create_future()
        ended = asyncio.Event()

        def read() -> None:
            error: BaseException | None = None
            reader = _Reader(self._broker, outlet, self._log)
            try:
                reader.run()
            except BaseException as caught:  # guards the process: kombu and its drivers may raise anything
                error = caught
            # Told before closing, which a broker that hangs can delay by seconds.
            _tell(loop, lambda: None if failure.done() else failure.set_result(error))
            reader.close(graceful=error is None)
            _tell(loop, ended.set)

        thread = threading.Thread(target=read, name="flower-events", daemon=True)
        thread.start()
        try:
            await asyncio.wait({failure})
        finally:
            outlet.shut()
            # A thread that is stuck in a connect or close cannot be cut short. It ends at the socket's
            # timeout, and the shut outlet keeps it from saying anything until then.
            with suppress(asyncio.TimeoutError):
                await asyncio.wait_for(ended.wait(), _ENDING_SECONDS)
                thread.join()
        error = failure.result()
        if isinstance(error, Exception):
            raise error
        if error is not None:
            raise RuntimeError(f"{type(error).__name__} in the event reader") from error


class _Outlet:
    """The pump, until it is shut: after that a reader that lives on is not heard."""

    def __init__(self, pump: Pump) -> None:
        self._pump = pump
        self._lock = threading.Lock()
        self.closed = False

    def shut(self) -> None:
        with self._lock:
            self.closed = True

    def offer(self, batch: Messages) -> None:
        with self._lock:
            if not self.closed:
                self._pump.offer(batch)

    def connected(self, detail: Mapping[str, str]) -> None:
        with self._lock:
            if not self.closed:
                self._pump.connected(detail)


class _Reader:
    """One connection, from its opening to its end; lives on the thread."""

    def __init__(self, broker: Broker, outlet: _Outlet, log: logging.Logger) -> None:
        self._broker = broker
        self._options = broker.event_options
        self._outlet = outlet
        self._log = log
        self._batch = _Batch(outlet.offer)
        self._connection: Any = None

    def run(self) -> None:
        """Connect, subscribe and read until the outlet is shut."""
        connection = self._connect()
        channel = connection.channel()
        queue = self._subscribe(connection, channel)
        # Redis subscribes on the first read; only after that may workers be asked to speak up.
        self._drain(connection, _BATCH_WAIT)
        self._wake_workers(channel)
        self._outlet.connected({"queue": queue, "transport": str(connection.transport.driver_name)})
        self._read(connection, channel, queue)

    def close(self, *, graceful: bool) -> None:
        """Let go of the connection; with `graceful` tell the broker, so that it removes the queue."""
        if self._connection is None:
            return
        with suppress(Exception):  # guards the thread's end: this connection is being given up anyway
            if graceful:
                self._connection.release()
            else:
                self._connection.collect(socket_timeout=1.0)

    def _connect(self) -> Any:
        options = self._options
        connection = self._connection = _kombu.Connection(
            self._broker.url,
            ssl=self._broker.use_ssl or False,
            transport_options=dict(self._broker.transport_options),
            heartbeat=_HEARTBEAT_SECONDS,
            login_method=options.get("broker_login_method"),
            failover_strategy=options.get("broker_failover_strategy"),
        )
        open_bounded(connection, connect=_CONNECT_SECONDS, answer=_ANSWER_SECONDS)
        return connection

    def _subscribe(self, connection: Any, channel: Any) -> str:
        """Declare a queue of our own and consume from it; return its name."""
        options = self._options
        durable = bool(options.get("event_queue_durable", False))
        queue = _kombu.Queue(
            f"{options.get('event_queue_prefix', 'celeryev')}.{uuid4()}",
            exchange=get_exchange(connection, name=str(options.get("event_exchange", "celeryev"))),
            routing_key="#",
            auto_delete=not durable,
            durable=durable,
            exclusive=bool(options.get("event_queue_exclusive", False)),
            message_ttl=options.get("event_queue_ttl", 5.0),
            expires=options.get("event_queue_expires", 60.0),
        )
        queue(channel).declare()
        # Virtual transports build this for each message. Kombu's own class inflates compressed bodies
        # without a bound and raises on a malformed envelope; py-amqp hands over the bare frame anyway.
        channel.Message = _VirtualMessage
        channel.basic_consume(queue.name, no_ack=True, callback=self._batch.add, consumer_tag=f"flower-{uuid4()}")
        return str(queue.name)

    def _wake_workers(self, channel: Any) -> None:
        """Ask all workers for a heartbeat, as Celery's receiver does (`Control.broadcast("heartbeat")`)."""
        exchange = _kombu.pidbox.Mailbox(str(self._options.get("control_exchange", "celery")), type="fanout").exchange
        everyone = {"destination": None, "pattern": None, "matcher": None}
        # Not through Mailbox: it retries for ever where the broker is gone.
        _kombu.Producer(channel, auto_declare=False).publish(
            {"method": "heartbeat", "arguments": {}, **everyone},
            exchange=exchange.name,
            declare=[exchange],
            headers={"clock": 0, "expires": 0},
            serializer="json",
            retry=False,
        )

    def _read(self, connection: Any, channel: Any, queue: str) -> None:
        beats = bool(connection.supports_heartbeats)
        heard = checked = time.monotonic()
        while not self._outlet.closed:
            if self._drain(connection, _BATCH_WAIT if self._batch else _IDLE_WAIT):
                heard = time.monotonic()
            else:
                self._batch.flush()
            now = time.monotonic()
            if beats and now - checked >= 1.0:
                checked = now
                connection.heartbeat_check()
            elif not beats and now - max(heard, checked) >= _SILENCE_SECONDS:
                self._probe(connection, channel, queue)
                checked = time.monotonic()
        self._batch.flush()

    def _drain(self, connection: Any, timeout: float) -> bool:
        """Wait for messages; return False when none came."""
        try:
            connection.drain_events(timeout=timeout)
        except TimeoutError:
            return False
        except _JUNK as error:
            if isinstance(error, (*connection.connection_errors, *connection.channel_errors)):
                raise
            self._batch.junk += 1
            if self._batch.junk > _JUNK_IN_A_ROW:
                raise
            # The gateway counts it: this is a message, only one that nobody can read.
            self._outlet.offer(Messages([None]))
        return True

    def _probe(self, connection: Any, channel: Any, queue: str) -> None:
        """Ask the broker anything that needs an answer, after a silence, on transports without heartbeats."""
        try:
            channel.queue_declare(queue=queue, passive=True)
        except (*connection.connection_errors, OSError):
            raise
        except Exception as error:  # guards against transports that answer "no such queue", or cannot tell
            self._log.debug("The broker answered a check with %s", type(error).__name__)


class _VirtualMessage:
    """One message of a virtual transport, read without trust in its envelope and still compressed."""

    def __init__(self, payload: Any, channel: Any) -> None:
        envelope = payload if isinstance(payload, dict) else {}
        properties = envelope.get("properties")
        encoding = properties.get("body_encoding") if isinstance(properties, dict) else None
        self.delivery_tag = properties.get("delivery_tag") if isinstance(properties, dict) else None
        self.body = envelope.get("body")
        if self.body and encoding:
            # Broken base64 or an encoding nobody knows: the body stays as it is, for the gateway to refuse.
            with suppress(Exception):
                self.body = channel.decode_body(self.body, encoding)
        self.properties = {
            "content_type": envelope.get("content-type"),
            "content_encoding": envelope.get("content-encoding"),
            "application_headers": envelope.get("headers"),
        }


class _Batch:
    """Collects messages that share their encoding, and offers them when there are enough."""

    def __init__(self, offer: Callable[[Messages], None]) -> None:
        self._offer = offer
        self._kind = ("", "", "")
        self._bodies: list[Any] = []
        self._size = 0
        self._since = 0.0
        self.junk = 0

    def __bool__(self) -> bool:
        return bool(self._bodies)

    def add(self, message: Any) -> None:
        """Take one message: py-amqp's, or a virtual transport's with the same attributes."""
        self.junk = 0
        properties = message.properties
        headers = properties.get("application_headers")
        kind = (
            _word(properties.get("content_type")),
            _word(properties.get("content_encoding")) or "utf-8",
            _word(headers.get("compression")) if isinstance(headers, dict) else "",
        )
        now = time.monotonic()
        if self._bodies and kind != self._kind:
            self.flush()
        if not self._bodies:
            self._kind, self._since = kind, now
        body = message.body
        self._bodies.append(body)
        self._size += len(body) if isinstance(body, (bytes, str)) else 0
        if len(self._bodies) >= _BATCH_MESSAGES or self._size >= _BATCH_BYTES or now - self._since >= _BATCH_WAIT:
            self.flush()

    def flush(self) -> None:
        """Offer what there is."""
        if self._bodies:
            self._offer(Messages(self._bodies, *self._kind))
            self._bodies, self._size = [], 0


def _word(value: Any) -> str:
    return value if isinstance(value, str) else ""


def _tell(loop: asyncio.AbstractEventLoop, call: Callable[[], object]) -> None:
    # The loop may be closed before a thread that was stuck in a connect comes back.
    with suppress(RuntimeError):
        loop.call_soon_threadsafe(call)
