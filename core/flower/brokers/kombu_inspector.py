"""Queue lengths from any broker kombu can talk to, where no plugin knows better."""

# mypy: allow-untyped-calls
# kombu is annotated in part.

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import Sequence
from typing import Any

from kombu.connection import Connection
from kombu.exceptions import KombuError
from kombu.transport.virtual import Channel as VirtualChannel

from flower.connecting import open_bounded
from flower_plugins import BrokerInspector, NotFound, OfferContext, QueueStats, Unavailable

__all__ = ["KombuInspector"]

_SECONDS = 2.0
_NOT_FOUND = 404


class KombuInspector(BrokerInspector):
    """Asks by passive declaration, or where a transport lives on kombu's virtual channels by its own count.

    Works on one daemon thread at a time, with a connection that lasts for one question.
    """

    def __init__(self, context: OfferContext) -> None:
        super().__init__(context)
        self._broker = context.broker
        self._busy = False

    async def queues(self, names: Sequence[str]) -> Sequence[QueueStats]:
        """Return one row per existing queue of `names`.

        Raise Unavailable when the broker is out of reach, NotFound when its transport cannot count.
        """
        if not names:
            return []
        if self._busy:
            raise Unavailable(f"The broker {self._broker.safe_url} has not answered the last question yet")
        loop = asyncio.get_running_loop()
        future: asyncio.Future[Sequence[QueueStats]] = loop.create_future()
        self._busy = True

        def settle(rows: Sequence[QueueStats], error: Exception | None) -> None:
            if future.done():
                return
            if error is None:
                future.set_result(rows)
            else:
                future.set_exception(error)

        def work() -> None:
            rows: Sequence[QueueStats] = ()
            failure: Exception | None = None
            try:
                rows = self._count(list(names))
            except Exception as error:
                # Carried to the caller, who waits on the loop.
                failure = error
            finally:
                self._busy = False
            try:
                loop.call_soon_threadsafe(settle, rows, failure)
            except RuntimeError:
                # The loop closed meanwhile: nobody is left to tell.
                return

        threading.Thread(target=work, name="flower-queues", daemon=True).start()
        return await future

    def _count(self, names: Sequence[str]) -> list[QueueStats]:
        try:
            connection = self._connection()
        except (ImportError, NameError, RuntimeError) as error:  # transports differ in how they miss their library
            missing = f": {error.name} is missing" if isinstance(error, ImportError) and error.name else ""
            raise Unavailable(f"What kombu needs for the {self._scheme!r} broker is not installed{missing}") from None
        except KeyError:
            raise self._unsupported() from None
        except ValueError as error:
            raise Unavailable(f"The broker {self._broker.safe_url} cannot be used: {type(error).__name__}") from None
        # The built-in ones are what transports stumble over when a connection breaks or a setting is wrong.
        own = (OSError, KombuError, ValueError, KeyError, AttributeError, TypeError)
        failures = (*own, *connection.connection_errors, *connection.channel_errors)
        try:
            open_bounded(connection, connect=_SECONDS, answer=_SECONDS)
            return [row for name in names if (row := self._row(connection, name)) is not None]
        except failures as error:
            raise Unavailable(f"The broker {self._broker.safe_url} cannot be reached: {type(error).__name__}") from None
        finally:
            with contextlib.suppress(*failures):
                connection.release()

    @property
    def _scheme(self) -> str:
        return self._broker.scheme

    def _unsupported(self) -> NotFound:
        return NotFound(f"'{self._scheme}' broker is not supported")

    def _connection(self) -> Connection:
        broker = self._broker
        connection = Connection(
            broker.url, ssl=broker.use_ssl or False, transport_options=dict(broker.transport_options)
        )
        # Raises here when the transport or the library it needs is missing.
        _ = connection.transport
        return connection

    def _row(self, connection: Connection, name: str) -> QueueStats | None:
        channel: Any = connection.default_channel
        if isinstance(channel, VirtualChannel):
            # A declaration would do the same, but creates the queue on some transports.
            count = channel._size  # noqa: SLF001
            if getattr(count, "__func__", None) is VirtualChannel._size:  # noqa: SLF001
                raise self._unsupported()
            return QueueStats(name, messages=int(count(name)))
        channel = connection.channel()
        try:
            declared = channel.queue_declare(queue=name, passive=True)
        except connection.channel_errors as error:
            if getattr(error, "reply_code", _NOT_FOUND) == _NOT_FOUND:
                return None
            raise
        finally:
            connection.maybe_close_channel(channel)
        # AMQP counts ready messages only; those that workers hold are known to nobody here.
        return QueueStats(
            name, messages=declared.message_count, ready=declared.message_count, consumers=declared.consumer_count
        )
