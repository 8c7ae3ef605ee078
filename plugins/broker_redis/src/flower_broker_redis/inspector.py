"""Queue lengths in Redis: kombu keeps one list per queue and priority step."""

# mypy: allow-untyped-calls
# redis is annotated in part.

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from flower_broker_redis.connect import encryption
from flower_broker_redis.declared import DeclaredQueues
from flower_broker_redis.faults import describe
from flower_broker_redis.location import Location, locate
from flower_broker_redis.unacked import addresses, by_queue, destinations
from flower_plugins import BrokerInspector, ConfigurationError, OfferContext, QueueStats, Unavailable

if TYPE_CHECKING:
    # Imported where it is used: the library takes 30 ms and some megabytes, and the start does not wait for it.
    from redis.asyncio import Redis
    from redis.asyncio.sentinel import Sentinel

__all__ = ["RedisInspector"]

_SEPARATOR = "\x06\x16"
_STEPS = (0, 3, 6, 9)
_UNACKED = "unacked"
_BINDINGS = "_kombu.binding.{}"
_MAX_UNACKED_BYTES = 1_000_000
_MAX_EXCHANGES = 20


class RedisInspector(BrokerInspector):
    """Counts messages that wait, and those that workers took and have not acknowledged where that is cheap to tell."""

    def __init__(self, context: OfferContext) -> None:
        super().__init__(context)
        options = context.broker.transport_options
        self._places = locate(context.broker)
        self._prefix = str(options.get("global_keyprefix") or "")
        self._separator = str(options.get("sep") or _SEPARATOR)
        self._steps = _steps(options.get("priority_steps"))
        self._unacked = self._prefix + str(options.get("unacked_key") or _UNACKED)
        self._declared = DeclaredQueues(self._prefix + _BINDINGS, self._separator)
        self._clients: dict[int, tuple[Redis, Sentinel | None]] = {}

    async def queues(self, names: Sequence[str]) -> Sequence[QueueStats]:
        """Return one row per name: Redis does not tell an empty queue from none. Raise Unavailable."""
        from redis.exceptions import RedisError

        if not names:
            return []
        failure = Unavailable("No Redis server is configured")
        for index, place in enumerate(self._places):
            try:
                client = self._client(index, place)
                rows = await self._rows(client, names)
                with suppress(RedisError, OSError):  # what was asked for is known
                    await self._declared.look(client)
                return rows
            except Unavailable as error:
                failure = error
            except (RedisError, OSError) as error:
                failure = Unavailable(describe(place, error, "count messages"))
        raise failure

    async def others(self) -> Sequence[str]:
        """Return the queues that clients and workers have ever declared, as far as earlier questions came by them."""
        return self._declared.names

    async def close(self) -> None:
        """Release connections."""
        clients, self._clients = list(self._clients.values()), {}
        for client, sentinel in clients:
            await client.aclose()
            for guard in sentinel.sentinels if sentinel is not None else ():
                await guard.aclose()

    def _client(self, index: int, place: Location) -> Redis:
        if index not in self._clients:
            encryption(place)  # says what is wrong with its options in better words than a connection would
            self._clients[index] = _connect(place)
        return self._clients[index][0]

    async def _rows(self, client: Redis, names: Sequence[str]) -> list[QueueStats]:
        async with client.pipeline(transaction=False) as pipe:
            for name in names:
                for step in self._steps:
                    pipe.llen(self._key(name, step))
            pipe.hlen(self._unacked)
            pipe.memory_usage(self._unacked)
            answers: list[Any] = await pipe.execute(raise_on_error=False)
        *lengths, held, size = answers
        if all(isinstance(answer, Exception) for answer in lengths):
            raise lengths[0]
        unacked = await self._held(client, held, size)
        width = len(self._steps)
        totals = (_sum(lengths[start : start + width]) for start in range(0, len(lengths), width))
        return [
            QueueStats(
                name, messages=total, ready=total, unacknowledged=None if unacked is None else unacked.get(name, 0)
            )
            for name, total in zip(names, totals, strict=True)
        ]

    async def _held(self, client: Redis, held: Any, size: Any) -> dict[str, int] | None:
        """Return how many messages workers hold, by queue; None where that cannot be told or is too much to read."""
        from redis.exceptions import ResponseError

        if held == 0:
            return {}
        if not isinstance(held, int) or not isinstance(size, int) or size > _MAX_UNACKED_BYTES:
            return None
        try:
            entries: Any = await client.hvals(self._unacked)  # bytes, as these clients do not decode
            sent = addresses(entries)
            if sent is None:
                return None
            exchanges = sorted({exchange for exchange, _ in sent if exchange})
            if len(exchanges) > _MAX_EXCHANGES:
                return None
            bound: dict[tuple[str, str], str] = {}
            for exchange in exchanges:
                bindings: Any = await client.smembers(self._prefix + _BINDINGS.format(exchange))
                bound.update(destinations(exchange, bindings, self._separator))
        except ResponseError:  # this user of the access list may not
            return None
        return by_queue(sent, bound)

    def _key(self, name: str, step: int) -> str:
        return f"{self._prefix}{name}{self._separator}{step}" if step else f"{self._prefix}{name}"


def _steps(value: object) -> tuple[int, ...]:
    if value is None:
        return _STEPS
    if not isinstance(value, (list, tuple, range)) or not value or not all(isinstance(step, int) for step in value):
        raise ConfigurationError("priority_steps is a list of numbers", where="broker_transport_options")
    return tuple(dict.fromkeys(value))


def _connect(place: Location) -> tuple[Redis, Sentinel | None]:
    from redis.asyncio import Redis
    from redis.asyncio.retry import Retry
    from redis.asyncio.sentinel import Sentinel
    from redis.backoff import NoBackoff
    from redis.exceptions import ConnectionError as RedisConnectionError

    # One more try mends a connection that the server closed while nobody used it; a silent server gets none.
    retry = Retry(NoBackoff(), 1, supported_errors=(RedisConnectionError,))
    if not place.sentinels:
        return Redis(retry=retry, **place.options), None
    sentinel = Sentinel(place.sentinels, sentinel_kwargs={"retry": retry, **place.sentinel_options})
    client: Redis = sentinel.master_for(place.master, retry=retry, **place.options)
    return client, sentinel


def _sum(answers: Sequence[Any]) -> int | None:
    """Add up the steps of one queue; None when a key of that name holds something else than a list."""
    return None if any(isinstance(answer, Exception) for answer in answers) else sum(answers)
