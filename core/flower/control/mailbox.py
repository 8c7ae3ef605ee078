"""Celery's remote-control messages, sent on connections of our own that cannot hang or retry for ever."""

# mypy: allow-untyped-calls
# kombu is annotated in part.

from __future__ import annotations

import gc
import itertools
import logging
import queue
import time
import uuid
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, TypeAlias

from kombu.connection import Connection
from kombu.entity import Exchange, Queue
from kombu.messaging import Consumer, Producer

from flower.connecting import failures, open_bounded, release
from flower.control.executor import Executor
from flower.control.replies import clean, clean_text
from flower.control.rounds import Rounds
from flower.masking import safe_error
from flower.quiet import QuietLog
from flower_plugins import Unavailable
from flower_plugins.bounds import MAX_NAME

__all__ = ["UNAVAILABLE", "UNSAFE", "Mailbox"]

UNAVAILABLE = "Broker or result backend unavailable"
UNSAFE = frozenset(("pickle", "application/x-python-serialize", "yaml", "application/x-yaml"))
"""Encodings, by name and content type, that may execute what they read."""

_CONNECT_SECONDS = 2.0
_ANSWER_SECONDS = 2.0
_CALL_SECONDS = 4.0
_OVERHEAD_SECONDS = 1.5
_MAX_REPLIES = 40_000
_COLLECT_EVERY = 20

_Command: TypeAlias = tuple[str, dict[str, Any]]
_Question: TypeAlias = tuple[Mapping[str, Mapping[str, Any]], float]


class Mailbox:
    """Casts commands to workers and gathers their replies, by the wire format of `kombu.pidbox`.

    Pickled replies are refused: what the broker delivers must not execute. `asking` runs what waits for
    replies, so that silent workers hold up nothing else. The same command to several workers, given in the
    same turn of the event loop, goes out once.
    """

    def __init__(
        self, app: Any, executor: Executor, *, asking: Executor | None = None, log: logging.Logger | None = None
    ) -> None:
        self._app, self._executor, self._asking = app, executor, asking or executor
        self._quiet = QuietLog(log or logging.getLogger("flower.control"), interval=60)
        self._spares: queue.SimpleQueue[Connection] = queue.SimpleQueue()
        self._left = itertools.count(1)
        self._casts = Rounds(self._cast_now)
        self._questions = Rounds(self._ask_now)

    async def cast(
        self, method: str, arguments: Mapping[str, Any] | None = None, destination: Sequence[str] | None = None
    ) -> None:
        """Send one command without waiting for answers. Raise Unavailable when the broker is out of reach."""
        command = method, dict(arguments or {})
        if destination is None:
            await self._cast_now(command, None)
        else:
            await self._casts.join(command, destination)

    async def ask(
        self,
        commands: Mapping[str, Mapping[str, Any]],
        destination: Sequence[str] | None = None,
        *,
        timeout: float = 1.0,
    ) -> dict[str, dict[str, Any]]:
        """Send every command at once and return the cleaned replies by host name, then by method.

        Waits `timeout` seconds in all; with a destination, only until each worker named there has
        answered everything, and each that was asked the same at the same time. Raise Unavailable when the
        broker is out of reach.
        """
        question = commands, timeout
        if destination is None:
            return await self._ask_now(question, None)
        replies = await self._questions.join(question, destination)
        return {host: replies[host] for host in destination if host in replies}

    def close(self) -> None:
        """Release the spare connection."""
        spare = self._take_spare()
        if spare is not None:
            self._executor.submit(lambda: release(spare))

    async def _cast_now(self, command: _Command, destination: Sequence[str] | None) -> None:
        latest = time.monotonic() + _CALL_SECONDS
        await self._run(self._executor, self._cast, *command, destination, latest, timeout=_CALL_SECONDS)

    async def _ask_now(self, question: _Question, destination: Sequence[str] | None) -> dict[str, dict[str, Any]]:
        replies: dict[str, dict[str, Any]]
        commands, timeout = question
        limit = max(timeout + _OVERHEAD_SECONDS, _CALL_SECONDS)
        latest = time.monotonic() + limit
        replies = await self._run(self._asking, self._ask, commands, destination, timeout, latest, timeout=limit)
        return replies

    async def _run(self, executor: Executor, call: Callable[..., Any], *args: Any, timeout: float) -> Any:
        try:
            return await executor.run(call, *args, timeout=timeout)
        except TimeoutError:
            self._quiet.warning("silent", "The broker does not answer")
            raise Unavailable(UNAVAILABLE) from None

    def _cast(self, method: str, arguments: dict[str, Any], destination: Sequence[str] | None, latest: float) -> None:
        spare = self._take_spare()
        if spare is not None:
            try:
                self._publish(spare.default_channel, method, arguments, destination)
            except failures(spare):
                # It broke while nobody used it; a new one gets its try below.
                release(spare)
            else:
                self._keep(spare)
                return
        with self._connected(latest) as connection:
            self._publish(connection.default_channel, method, arguments, destination)
        self._keep(connection)

    def _ask(
        self,
        commands: Mapping[str, Mapping[str, Any]],
        destination: Sequence[str] | None,
        timeout: float,
        latest: float,
    ) -> dict[str, dict[str, Any]]:
        with self._connected(latest) as connection:
            oid = str(uuid.uuid4())
            inbox = self._reply_queue(oid)(connection.default_channel)
            inbox.declare()
            gathering = _Gathering(commands, destination, self._refuse)
            consumer = Consumer(
                connection.default_channel,
                [inbox],
                accept=self._accepted(),
                no_ack=True,
                auto_declare=False,
                callbacks=[gathering.take],
                on_decode_error=gathering.refuse,
            )
            consumer.consume()
            reply_to = {"exchange": inbox.exchange.name, "routing_key": oid}
            for method, arguments in commands.items():
                ticket = gathering.ticket(method)
                self._publish(
                    connection.default_channel, method, dict(arguments), destination, ticket, reply_to, timeout
                )
            gathering.wait(connection, timeout)
        # Leaving politely takes up to a second on Redis, whose blocked read must end first.
        self._asking.submit(lambda: self._leave(connection, consumer, inbox.name))
        return gathering.replies

    def _leave(self, connection: Connection, consumer: Consumer, queue: str) -> None:
        _leave(connection, consumer, queue)
        if next(self._left) % _COLLECT_EVERY == 0:
            # On Redis kombu makes a class for each channel, a cycle that holds 100 KB with all that hangs on it. Those
            # that lasted as long as a question does are old to the garbage collector, which then seldom looks for them.
            gc.collect()

    def _publish(
        self,
        channel: Any,
        method: str,
        arguments: dict[str, Any],
        destination: Sequence[str] | None,
        ticket: str = "",
        reply_to: Mapping[str, str] | None = None,
        timeout: float = 0,
    ) -> None:
        mailbox = self._app.control.mailbox
        message: dict[str, Any] = {
            "method": method,
            "arguments": arguments,
            "destination": None if destination is None else list(destination),
            "pattern": None,
            "matcher": None,
        }
        if ticket:
            message.update(ticket=ticket, reply_to=dict(reply_to or {}))
        Producer(channel, auto_declare=False).publish(
            message,
            exchange=mailbox.exchange.name,
            declare=[mailbox.exchange],
            headers={"clock": mailbox.clock.forward(), "expires": time.time() + timeout if timeout else 0},
            serializer=self._serializer(),
            retry=False,
        )

    def _reply_queue(self, oid: str) -> Queue:
        mailbox = self._app.control.mailbox
        name, mode = mailbox.reply_exchange.name, mailbox.reply_exchange.delivery_mode
        exchange = Exchange(name, type="direct", durable=False, delivery_mode=mode)
        return Queue(
            f"{oid}.{name}",
            exchange=exchange,
            routing_key=oid,
            durable=mailbox.queue_durable,
            exclusive=mailbox.queue_exclusive,
            auto_delete=not mailbox.queue_durable,
            expires=mailbox.reply_queue_expires,
            message_ttl=mailbox.reply_queue_ttl,
        )

    def _accepted(self) -> list[str]:
        return [kind for kind in self._app.conf.accept_content or ("json",) if kind not in UNSAFE] or ["json"]

    def _serializer(self) -> str:
        accepted = {str(kind) for kind in self._app.conf.accept_content or ("json",)}
        chosen = str(self._app.control.mailbox.serializer or "json")
        return "json" if accepted & {"json", "application/json"} else chosen

    def _refuse(self) -> None:
        self._quiet.warning(
            "refused", "A worker's reply was refused because its encoding is not safe to read, such as pickle"
        )

    @contextmanager
    def _connected(self, latest: float) -> Iterator[Connection]:
        """Yield a live connection; on failure, or after `latest` when nobody waits any more, raise Unavailable."""
        connection: Connection | None = None
        try:
            connection = self._app.connection_for_write()
            # Confirmed, so that an order which the broker did not take is not reported as given.
            open_bounded(connection, connect=_CONNECT_SECONDS, answer=_ANSWER_SECONDS, confirm_publish=True)
            connection.default_channel  # noqa: B018  # the broker answers, or this raises
            if time.monotonic() > latest:
                raise TimeoutError("the broker was too slow")
            yield connection
        except failures(connection) as error:
            if connection is not None:
                release(connection)
            self._quiet.warning("unreachable", f"The broker cannot be reached: {safe_error(error)}")
            raise Unavailable(UNAVAILABLE) from None

    def _take_spare(self) -> Connection | None:
        try:
            return self._spares.get_nowait()
        except queue.Empty:
            return None

    def _keep(self, connection: Connection) -> None:
        if self._spares.empty():
            self._spares.put(connection)
        else:
            release(connection)


class _Gathering:
    """Replies to several commands that share one reply queue."""

    def __init__(
        self, commands: Collection[str], destination: Sequence[str] | None, refused: Callable[[], None]
    ) -> None:
        self._tickets: dict[str, str] = {}
        self._missing: set[tuple[str, str]] | None = None
        self._wanted: frozenset[str] | None = None
        if destination is not None:
            self._wanted = frozenset(destination)
            self._missing = {(host, method) for host in destination for method in commands}
        self._refused = refused
        self._count = 0
        self.replies: dict[str, dict[str, Any]] = {}

    def ticket(self, method: str) -> str:
        """Return a new ticket under which replies to `method` arrive."""
        ticket = str(uuid.uuid4())
        self._tickets[ticket] = method
        return ticket

    def wait(self, connection: Connection, timeout: float) -> None:
        """Read replies until all are there or time is up."""
        deadline = time.monotonic() + timeout
        while (self._missing is None or self._missing) and self._count < _MAX_REPLIES:
            left = deadline - time.monotonic()
            if left <= 0:
                return
            try:
                connection.drain_events(timeout=left)
            except TimeoutError:
                return

    def take(self, body: Any, message: Any) -> None:
        """Keep one reply, unless it answers nothing that was asked."""
        self._count += 1
        method = self._tickets.get(_text(message.headers, "ticket"))
        if method is None or not isinstance(body, Mapping):
            return
        for hostname, reply in body.items():
            if not isinstance(hostname, str) or (self._wanted is not None and hostname not in self._wanted):
                continue
            name = hostname if self._wanted is not None else clean_text(hostname, MAX_NAME)
            self.replies.setdefault(name, {})[method] = clean(reply)
            if self._missing is not None:
                self._missing.discard((hostname, method))

    def refuse(self, message: Any, error: Exception) -> None:
        """Note a reply that cannot be decoded."""
        self._count += 1
        self._refused()


def _text(headers: Any, name: str) -> str:
    value = headers.get(name) if isinstance(headers, Mapping) else None
    return value if isinstance(value, str) else ""


def _leave(connection: Connection, consumer: Consumer, queue: str) -> None:
    try:
        consumer.cancel()
        connection.default_channel.after_reply_message_received(queue)
    except failures(connection):
        pass
    finally:
        release(connection)
