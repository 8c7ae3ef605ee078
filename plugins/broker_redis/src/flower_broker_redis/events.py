"""Celery's events from Redis, read from pub/sub as fast as Redis sends them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from flower_broker_redis.connect import ANSWER_SECONDS, connect, find_server
from flower_broker_redis.connection import Connection, RefusedError
from flower_broker_redis.envelope import batches, wrap
from flower_broker_redis.fanout import Fanout
from flower_broker_redis.faults import describe
from flower_broker_redis.location import Location, locate
from flower_plugins import EventSource, Messages, OfferContext, Pump, Unavailable

__all__ = ["RedisEventSource"]

_PING_SECONDS = 2.5
_UNANSWERED_PINGS = 2
_REMEMBERED = 10_000


class RedisEventSource(EventSource):
    """Subscribes to what kombu would subscribe for an event queue, on the event loop.

    Servers of a failover list are tried in order; a server that hangs is noticed after 5 to 7.5 seconds.
    """

    def __init__(self, context: OfferContext) -> None:
        super().__init__(context)
        broker = context.broker
        self._places = [(place, Fanout.of(broker, place.options["db"])) for place in locate(broker)]
        self._exchange = str(broker.event_options.get("event_exchange", "celeryev"))
        self._mailbox = f"{broker.event_options.get('control_exchange', 'celery')}.pidbox"
        self._client_name = broker.transport_options.get("client_name")
        self._log = context.log
        self._connection: Connection | None = None

    def hurry(self) -> None:
        """Read what the socket was left to gather."""
        if self._connection is not None:
            self._connection.hurry()

    async def run(self, pump: Pump) -> None:
        """Deliver until cancelled; raise Unavailable when the connection ends or none can be made."""
        failure = Unavailable("No Redis server is configured")
        for place, fanout in self._places:
            try:
                server = await find_server(place)
                connection = await self._subscribe(server, fanout, pump)
            except Unavailable as error:
                failure = error
                continue
            try:
                await self._wake_workers(server, fanout)
                self._connection = connection
                pump.connected({"transport": "redis", "subscription": " ".join(fanout.subscriptions(self._exchange))})
                await _watch(connection, server)
            finally:
                self._connection = None
                await connection.close()
        raise failure

    async def _subscribe(self, server: Location, fanout: Fanout, pump: Pump) -> Connection:
        connection = await connect(server, _receiver(fanout, pump), self._client_name)
        try:
            for pattern in fanout.subscriptions(self._exchange):
                await connection.ask("PSUBSCRIBE", pattern, seconds=ANSWER_SECONDS)
        except (RefusedError, OSError) as error:
            await connection.close()
            raise Unavailable(describe(server, error, "subscribe")) from None
        except BaseException:
            await connection.close()
            raise
        return connection

    async def _wake_workers(self, server: Location, fanout: Fanout) -> None:
        """Ask all workers for a heartbeat, as Celery's receiver does (`Control.broadcast("heartbeat")`)."""
        everyone = {"destination": None, "pattern": None, "matcher": None}
        request = wrap(
            {"method": "heartbeat", "arguments": {}, **everyone}, {"clock": 0, "expires": 0}, exchange=self._mailbox
        )
        # Not on the connection that listens: a subscriber may not publish.
        connection = await connect(server, _ignore, self._client_name)
        try:
            for channel in fanout.channels(self._mailbox):
                await connection.ask("PUBLISH", channel, request, seconds=ANSWER_SECONDS)
        except RefusedError as error:
            # A user who may only listen is no fault: workers speak up by themselves.
            self._log.warning("Redis does not let this user ask workers for a heartbeat: %s", error.code)
        except OSError as error:
            raise Unavailable(describe(server, error, "publish")) from None
        finally:
            await connection.close()


async def _watch(connection: Connection, server: Location) -> None:
    """Ping until the connection ends or two pings in a row find no answer, then raise Unavailable."""
    loop = asyncio.get_running_loop()
    unanswered = 0
    while unanswered < _UNANSWERED_PINGS:
        asked = loop.time()
        connection.tell("PING")
        await asyncio.wait({connection.ended}, timeout=_PING_SECONDS)
        if connection.ended.done():
            raise Unavailable(f"Redis at {server.name} closed the connection: {_name(connection.ended.result())}")
        unanswered = 0 if connection.heard >= asked else unanswered + 1
    raise Unavailable(f"Redis at {server.name} does not answer")


def _receiver(fanout: Fanout, pump: Pump) -> Callable[[list[bytes]], None]:
    def deliver(payloads: list[bytes]) -> None:
        pump.offer(Messages(payloads, unwrap=batches))

    if len(fanout.prefixes) == 1:
        return deliver
    once = _Once()
    return lambda payloads: deliver(once.filter(payloads))


class _Once:
    """Leaves out payloads that arrived already, on the other of two channels."""

    def __init__(self) -> None:
        self._seen: dict[int, None] = {}

    def filter(self, payloads: list[bytes]) -> list[bytes]:
        fresh = []
        for payload in payloads:
            # Each message carries a delivery tag of its own, so that no two are alike.
            mark = hash(payload)
            if mark not in self._seen:
                fresh.append(payload)
                self._seen[mark] = None
                if len(self._seen) > _REMEMBERED:
                    del self._seen[next(iter(self._seen))]
        return fresh


def _ignore(payloads: list[bytes]) -> None:
    """Take no messages: nothing is subscribed here."""


def _name(error: Exception) -> str:
    return type(error).__name__
