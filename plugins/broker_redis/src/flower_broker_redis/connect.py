"""Opens connections for listening: the master of the sentinels, TLS, login.

The client library is imported for the first two only: it takes 30 ms that most starts can do without.
"""

# mypy: allow-untyped-calls
# redis is annotated in part.

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

from flower_broker_redis.connection import Connection, RefusedError
from flower_broker_redis.faults import describe
from flower_broker_redis.location import Location
from flower_plugins import Unavailable

__all__ = ["ANSWER_SECONDS", "connect", "encryption", "find_server"]

ANSWER_SECONDS = 3.0

_CONNECT_SECONDS = 4.0

T = TypeVar("T")


async def find_server(place: Location) -> Location:
    """Return the server itself: where sentinels guard it, the one they call master. Raise Unavailable."""
    if not place.sentinels:
        return place
    from redis.asyncio.retry import Retry
    from redis.asyncio.sentinel import Sentinel
    from redis.backoff import NoBackoff
    from redis.exceptions import RedisError

    options = {"retry": Retry(NoBackoff(), 0), **place.sentinel_options}
    sentinel = Sentinel(place.sentinels, sentinel_kwargs=options)
    try:
        host, port = await sentinel.discover_master(place.master)
    except (RedisError, OSError) as error:
        raise Unavailable(describe(place, error, "name the master")) from None
    finally:
        for guard in sentinel.sentinels:
            await guard.aclose()
    return Location({**place.options, "host": host, "port": port})


async def connect(server: Location, deliver: Callable[[list[bytes]], None], name: object = None) -> Connection:
    """Return a connection that has logged in, and introduced itself as `name`. Raise Unavailable."""
    context = encryption(server)
    seconds = max(_CONNECT_SECONDS, server.options["socket_connect_timeout"])
    connection = Connection(deliver)
    try:
        await _within(seconds, _open(connection, server.options, context))
        await _introduce(connection, server, name)
    except (RefusedError, OSError) as error:
        await connection.close()
        raise Unavailable(describe(server, error, "talk to us")) from None
    except BaseException:
        await connection.close()
        raise
    return connection


def encryption(server: Location) -> ssl.SSLContext | None:
    """Return what redis-py makes of the `ssl_*` options, None where there is no encryption. Raise Unavailable."""
    if not server.options.get("ssl"):
        return None
    from redis.asyncio.connection import SSLConnection
    from redis.exceptions import RedisError

    options = {name: value for name, value in server.options.items() if name.startswith("ssl_")}
    try:
        context: ssl.SSLContext = SSLConnection(**options).ssl_context.get()
    except (RedisError, OSError, TypeError, ValueError) as error:
        reason = getattr(error, "strerror", None) or type(error).__name__
        raise Unavailable(f"TLS for Redis at {server.name} cannot be set up: {reason}") from None
    return context


async def _open(connection: Connection, options: Any, encryption: ssl.SSLContext | None) -> None:
    loop = asyncio.get_running_loop()
    path = options.get("unix_socket_path")
    if path:
        await loop.create_unix_connection(lambda: connection, path)
    else:
        await loop.create_connection(lambda: connection, options["host"], options["port"], ssl=encryption)


async def _introduce(connection: Connection, server: Location, name: object) -> None:
    user, password = server.options["username"], server.options["password"]
    if user or password:
        login = (user, password or "") if user else (password,)
        try:
            await connection.ask("AUTH", *login, seconds=ANSWER_SECONDS)
        except RefusedError:
            raise Unavailable(f"Redis at {server.name} refused the credentials") from None
    if isinstance(name, str) and name:
        await connection.ask("CLIENT", "SETNAME", name, seconds=ANSWER_SECONDS)


async def _within(seconds: float, work: Coroutine[Any, Any, T]) -> T:
    """Return what `work` returns, or raise TimeoutError. Unlike wait_for before 3.12, no cancellation is lost."""
    task = asyncio.ensure_future(work)
    try:
        await asyncio.wait({task}, timeout=seconds)
    finally:
        if not task.done():
            task.cancel()
            await asyncio.wait({task})
    if task.cancelled():
        raise TimeoutError("no connection in time")
    return task.result()
