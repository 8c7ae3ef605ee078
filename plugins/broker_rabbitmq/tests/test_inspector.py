"""Reading the management API: the real one, and answers no real one gives."""

from __future__ import annotations

import asyncio
import base64
import json
import socket
import time
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any
from urllib.parse import quote

import pytest
from tornado.httpserver import HTTPServer
from tornado.testing import bind_unused_port
from tornado.web import Application, RequestHandler

from flower_broker_rabbitmq.inspector import RabbitMQInspector
from flower_plugins import ConfigurationError, QueueStats, Unavailable
from flower_plugins.testing import offer_context

Answer = Callable[[RequestHandler], object]


def ask(broker: str, api: str | None, *names: str) -> list[QueueStats]:
    async def scenario() -> list[QueueStats]:
        inspector = RabbitMQInspector(offer_context(broker_url=broker, broker_api=api))
        try:
            return list(await inspector.queues(names))
        finally:
            await inspector.close()

    return asyncio.run(scenario())


def with_server(answer: Answer, scenario: Callable[[str], Awaitable[Any]]) -> Any:
    """Run `scenario` with the URL of an API that answers as told."""

    class Handler(RequestHandler):
        def get(self) -> None:
            answer(self)

    async def run() -> Any:
        server = HTTPServer(Application([(r"/.*", Handler)]))
        sock, port = bind_unused_port(address="127.0.0.1")
        server.add_sockets([sock])
        try:
            return await scenario(f"http://ann:canary@127.0.0.1:{port}/api/")
        finally:
            server.stop()
            await server.close_all_connections()

    return asyncio.run(run())


def refused(answer: Answer) -> str:
    async def scenario(api: str) -> str:
        inspector = RabbitMQInspector(offer_context(broker_url="amqp://", broker_api=api))
        with pytest.raises(Unavailable) as caught:
            await inspector.queues(["a"])
        await inspector.close()
        return caught.value.message

    return str(with_server(answer, scenario))


def test_all_numbers_and_the_own_words_of_rabbitmq_are_there(virtual_host: str) -> None:
    url = f"amqp://guest:guest@127.0.0.1:5672/{quote(virtual_host, safe='')}"
    (row,) = ask(url, "http://guest:guest@127.0.0.1:15672/api", "a b/c", "never declared", "a b/c")
    assert (row.name, row.messages, row.ready, row.unacknowledged, row.consumers) == ("a b/c", 2, 2, 0, 0)
    assert row.extra["vhost"] == virtual_host
    assert row.extra["durable"] is False


def test_wrong_credentials_are_named_as_the_cause(management: Any) -> None:
    with pytest.raises(Unavailable, match="refused the credentials") as caught:
        ask("amqp://", "http://guest:canary@127.0.0.1:15672/api/", "a")
    assert "canary" not in caught.value.message


def test_an_unknown_virtual_host_is_named_as_the_cause(management: Any) -> None:
    with pytest.raises(Unavailable, match=r"virtual host|credentials"):
        ask("amqp://guest:guest@127.0.0.1//no-such-host", None, "a")


def test_a_redirect_is_not_followed_and_gets_no_credentials() -> None:
    """S39, S63."""
    seen: list[str] = []

    def answer(handler: RequestHandler) -> None:
        seen.append(str(handler.request.path))
        handler.redirect("/elsewhere")

    assert "HTTP 302" in refused(answer)
    assert seen == ["/api/queues/%2F"]


def test_an_answer_of_more_than_five_megabytes_is_refused() -> None:
    """S63."""

    def answer(handler: RequestHandler) -> None:
        handler.write(json.dumps([{"name": "a", "filler": "x" * 6_000_000}]))

    assert "cannot be reached" in refused(answer)


@pytest.mark.parametrize("body", ["", "{}", "<html>", "5", "null", "[" * 5000, '{"error": "x"}'])
def test_what_is_no_management_api_is_called_so(body: str) -> None:
    assert "is not RabbitMQ's management API" in refused(lambda handler: handler.finish(body))


def test_odd_queues_do_not_harm_the_others() -> None:
    body = '[5, {"name": 3}, {}, {"name": "a", "messages": "many", "idle_since": 4, "x": NaN}, {"name": "b"}]'

    async def scenario(api: str) -> list[QueueStats]:
        inspector = RabbitMQInspector(offer_context(broker_url="amqp://", broker_api=api))
        rows = list(await inspector.queues(["a", "b"]))
        await inspector.close()
        return rows

    rows = with_server(lambda handler: handler.finish(body), scenario)
    assert [(row.name, row.messages, row.idle_since) for row in rows] == [("a", None, None), ("b", None, None)]
    assert rows[0].extra["x"] is None


def test_the_credentials_arrive_decoded() -> None:
    seen: list[str] = []

    def answer(handler: RequestHandler) -> None:
        seen.append(handler.request.headers["Authorization"])
        handler.finish("[]")

    async def scenario(api: str) -> None:
        with_odd_user = api.replace("ann:canary", "%C3%BC%40x:p%2Fw")
        inspector = RabbitMQInspector(offer_context(broker_url="amqp://", broker_api=with_odd_user))
        await inspector.queues(["a"])
        await inspector.close()

    with_server(answer, scenario)
    assert [base64.b64decode(header.split()[1]).decode() for header in seen] == ["ü@x:p/w"]


def test_the_next_broker_of_the_list_is_tried_and_the_one_that_answers_comes_first_from_then_on(
    virtual_host: str,
) -> None:
    with pytest.raises(Unavailable, match=r"127\.0\.0\.2:15671"):
        ask("amqps://127.0.0.1:1;amqps://127.0.0.2:1", None, "a")
    vhost = quote(virtual_host, safe="")
    inspector = RabbitMQInspector(
        offer_context(broker_url=f"amqp://[::1]/{vhost};amqp://127.0.0.1/{vhost}", broker_api=None)
    )

    async def scenario() -> None:
        for _ in range(2):
            assert [row.name for row in await inspector.queues(["full"])] == ["full"]
            assert [place.host for place in inspector._places] == ["127.0.0.1:15672", "[::1]:15672"]
        await inspector.close()

    asyncio.run(scenario())


def test_a_silent_node_leaves_time_for_the_next(virtual_host: str) -> None:
    """R19: who asks waits three seconds at most."""
    vhost = quote(virtual_host, safe="")

    async def scenario() -> None:
        deaf = socket.socket()
        deaf.bind(("127.0.0.1", 0))
        deaf.listen()
        inspector = RabbitMQInspector(
            offer_context(broker_url=f"amqp://127.0.0.2/{vhost};amqp://127.0.0.1/{vhost}", broker_api=None)
        )
        inspector._places[0] = replace(
            inspector._places[0], url=f"http://127.0.0.1:{deaf.getsockname()[1]}/api/queues/x"
        )
        begun = time.monotonic()
        assert [row.name for row in await inspector.queues(["full"])] == ["full"]
        assert time.monotonic() - begun < 3
        await inspector.close()
        deaf.close()

    asyncio.run(scenario())


def test_a_user_and_a_virtual_host_of_odd_characters_are_served(management: Any, virtual_host: str) -> None:
    """A user with an @ and a /, whose password has them too, in a virtual host with a slash."""
    user, vhost = "ann@shop/a", quote(virtual_host, safe="")
    path = f"users/{quote(user, safe='')}"
    management.call("PUT", path, {"password": "p@s/s:w#%", "tags": "monitoring"})
    try:
        rights = {"configure": "", "write": "", "read": ".*"}
        management.call("PUT", f"permissions/{vhost}/{quote(user, safe='')}", rights)
        url = f"amqp://{quote(user, safe='')}:{quote('p@s/s:w#%', safe='')}@127.0.0.1:5672/{vhost}"
        assert [row.messages for row in ask(url, None, "full", "a b/c")] == [3, 2]
        with pytest.raises(Unavailable, match="refused the credentials") as caught:
            ask(url.replace("p%40s", "canary"), None, "full")
        assert "canary" not in caught.value.message
    finally:
        management.call("DELETE", path)


def test_withheld_credentials_are_said_to_be() -> None:
    """S39"""

    def answer(handler: RequestHandler) -> None:
        seen.append(handler.request.headers["Authorization"])
        handler.set_status(401)

    seen: list[str] = []

    async def scenario(api: str) -> str:
        port = api.rpartition(":")[2]
        # Another name of this machine: one that may be another machine's for all the inspector knows.
        inspector = RabbitMQInspector(
            offer_context(broker_url="amqps://ann:canary@h/v", broker_api=f"http://127.1:{port}")
        )
        with pytest.raises(Unavailable) as caught:
            await inspector.queues(["a"])
        await inspector.close()
        return caught.value.message

    message = with_server(answer, scenario)
    assert "not sent in clear" in message
    assert [base64.b64decode(header.split()[1]).decode() for header in seen] == ["guest:guest"]


def test_a_broker_api_that_cannot_work_stops_the_start() -> None:
    with pytest.raises(ConfigurationError, match="invalid scheme 'ftp'"):
        ask("amqp://", "ftp://host", "a")
