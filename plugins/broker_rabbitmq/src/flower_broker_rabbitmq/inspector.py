"""RabbitMQ's queues, through the HTTP API of its management plugin."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from tornado.httpclient import HTTPRequest, HTTPResponse
from tornado.simple_httpclient import SimpleAsyncHTTPClient

from flower_broker_rabbitmq.location import Location, check_api_url, locate
from flower_plugins import BrokerInspector, ConfigurationError, OfferContext, QueueStats, Unavailable

__all__ = ["RabbitMQInspector"]

_CONNECT_SECONDS = 1.0
_REQUEST_SECONDS = 5.0
_ONE_OF_MANY_SECONDS = 1.2
_MAX_BYTES = 5 * 1024 * 1024


class RabbitMQInspector(BrokerInspector):
    """Reads the queues of the broker's virtual host; `extra` of each is RabbitMQ's own object."""

    def __init__(self, context: OfferContext) -> None:
        super().__init__(context)
        api_url = context.settings["broker_api"]
        try:
            self._places = locate(check_api_url(api_url) if api_url else None, context.broker)
        except ValueError as error:
            where = context.settings.origin("broker_api") if api_url else "the broker's URL"
            raise ConfigurationError(
                str(error) if api_url else "The broker's URL cannot be read", where=where
            ) from None
        self._client: SimpleAsyncHTTPClient | None = None

    async def queues(self, names: Sequence[str]) -> Sequence[QueueStats]:
        """Return one row per existing queue of `names`. Raise Unavailable when no API answers."""
        if not names:
            return []
        failure = Unavailable("No RabbitMQ host is configured")
        for place in list(self._places):
            try:
                found = await self._fetch(place)
            except Unavailable as error:
                failure = error
                # Nodes of a cluster all know the same: the one that answers is asked first from now on.
                self._places.append(self._places.pop(0))
                continue
            return [_row(name, found[name]) for name in dict.fromkeys(names) if name in found]
        raise failure

    async def close(self) -> None:
        """Release connections."""
        if self._client is not None:
            self._client.close()
            self._client = None

    async def _fetch(self, place: Location) -> dict[str, Mapping[str, Any]]:
        if self._client is None:
            self._client = SimpleAsyncHTTPClient(
                force_instance=True, max_body_size=_MAX_BYTES, max_buffer_size=2 * _MAX_BYTES
            )
        request = HTTPRequest(
            place.url,
            auth_username=place.user,
            auth_password=place.password,
            headers={"Accept": "application/json"},
            follow_redirects=False,
            connect_timeout=_CONNECT_SECONDS,
            request_timeout=_REQUEST_SECONDS if len(self._places) == 1 else _ONE_OF_MANY_SECONDS,
            validate_cert=place.verify,
            ca_certs=place.ca_certs,
            client_cert=place.certificate if place.url.startswith("https:") else None,
            client_key=place.key if place.url.startswith("https:") else None,
        )
        try:
            response = await self._client.fetch(request, raise_error=False)
        except Exception as error:
            # Tornado lets through whatever sockets, TLS and a broken answer raise; all of it means the same here.
            raise Unavailable(_unreachable(place, type(error).__name__)) from None
        return _parse(place, response)


def _parse(place: Location, response: HTTPResponse) -> dict[str, Mapping[str, Any]]:
    if response.code in (401, 403):
        why = "; those of an encrypted broker URL are not sent in clear: name some in --broker_api"
        raise Unavailable(
            f"RabbitMQ's management API at {place.host} refused the credentials{why if place.withheld else ''}"
        )
    if response.code == 404:
        raise Unavailable(f"RabbitMQ's management API at {place.host} does not know the virtual host")
    if response.code != 200:
        raise Unavailable(_unreachable(place, f"HTTP {response.code}"))
    try:
        answer = json.loads(response.body, parse_constant=lambda _: None)
    except (ValueError, RecursionError):
        answer = None
    if not isinstance(answer, list):
        raise Unavailable(f"What answers at {place.host} is not RabbitMQ's management API")
    return {queue["name"]: queue for queue in answer if isinstance(queue, dict) and isinstance(queue.get("name"), str)}


def _unreachable(place: Location, why: str) -> str:
    return (
        f"RabbitMQ's management API at {place.host} cannot be reached ({why}); "
        "is its management plugin enabled, or --broker_api wrong?"
    )


def _row(name: str, queue: Mapping[str, Any]) -> QueueStats:
    idle = queue.get("idle_since")
    return QueueStats(
        name,
        messages=_count(queue, "messages"),
        ready=_count(queue, "messages_ready"),
        unacknowledged=_count(queue, "messages_unacknowledged"),
        consumers=_count(queue, "consumers"),
        idle_since=idle if isinstance(idle, str) else None,
        extra=queue,
    )


def _count(queue: Mapping[str, Any], key: str) -> int | None:
    value = queue.get(key)
    return value if isinstance(value, int) else None
