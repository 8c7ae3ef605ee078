"""What went wrong with a Redis server, in words that cannot quote a credential."""

from __future__ import annotations

import ssl

from flower_broker_redis.connection import RefusedError
from flower_broker_redis.location import Location

__all__ = ["describe"]

_CREDENTIALS = frozenset(("NOAUTH", "WRONGPASS"))


def describe(place: Location, error: Exception, task: str) -> str:
    """Return a sentence about an error that came up while Redis was asked to do `task`, such as "count messages"."""
    from redis.exceptions import AuthenticationError, ResponseError  # late: the start does not wait for the library
    from redis.exceptions import TimeoutError as RedisTimeoutError

    server = f"Redis at {place.name}"
    if isinstance(error, AuthenticationError) or (isinstance(error, RefusedError) and error.code in _CREDENTIALS):
        return f"{server} refused the credentials"
    if isinstance(error, (RedisTimeoutError, TimeoutError)):
        return f"{server} did not answer in time"
    if isinstance(error, RefusedError):
        return f"{server} refused to {task}: {error.code}"
    if isinstance(error, ResponseError):
        return f"{server} refused to {task}"
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"{server} has a certificate that is not trusted: {error.verify_message}"
    if isinstance(error, ssl.SSLError):
        return f"{server} does not agree on TLS: {error.reason}"
    return f"{server} cannot be reached"
