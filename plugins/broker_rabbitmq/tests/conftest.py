"""RabbitMQ: the node that runs, with its management plugin."""

from __future__ import annotations

import json
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from urllib.parse import quote

import pytest

API = "http://127.0.0.1:15672/api/"


class Management:
    """The running node, by its management API."""

    def call(self, method: str, path: str, value: object = None) -> object:
        request = urllib.request.Request(
            API + path,
            method=method,
            data=None if value is None else json.dumps(value).encode(),
            headers={"Authorization": "Basic Z3Vlc3Q6Z3Vlc3Q=", "Content-Type": "application/json"},
        )
        with urllib.request.urlopen(request, timeout=3) as response:
            body = response.read()
        return json.loads(body) if body else None

    def publish(self, virtual_host: str, queue: str, count: int) -> None:
        """Declare a queue and put messages in."""
        host, name = quote(virtual_host, safe=""), quote(queue, safe="")
        self.call("PUT", f"queues/{host}/{name}", {"durable": False, "arguments": {"x-expires": 3600000}})
        message = {"properties": {}, "routing_key": queue, "payload": "x", "payload_encoding": "string"}
        for _ in range(count):
            self.call("POST", f"exchanges/{host}/amq.default/publish", message)

    def messages(self, virtual_host: str) -> dict[str, int | None]:
        """Return the lengths of all queues as the statistics have them, some seconds late; None until all is there."""
        found = self.call("GET", f"queues/{quote(virtual_host, safe='')}")
        if not isinstance(found, list):
            return {}
        return {queue["name"]: queue.get("messages") if "consumers" in queue else None for queue in found}


@pytest.fixture(scope="session")
def management() -> Management:
    node = Management()
    try:
        node.call("GET", "overview")
    except (OSError, urllib.error.URLError):
        pytest.skip(
            "RabbitMQ's management API is not running on 127.0.0.1:15672: "
            "install rabbitmq-server, then rabbitmq-plugins enable rabbitmq_management"
        )
    return node


@pytest.fixture(scope="session")
def virtual_host(management: Management) -> Iterator[str]:
    """A virtual host with a slash in its name that has the queues "full" of 3 messages and "a b/c" of 2."""
    name = f"flower/test {time.time_ns()}"
    path = quote(name, safe="")
    management.call("PUT", f"vhosts/{path}", {})
    management.call("PUT", f"permissions/{path}/guest", {"configure": ".*", "write": ".*", "read": ".*"})
    filled = {"full": 3, "a b/c": 2}
    for queue, count in filled.items():
        management.publish(name, queue, count)
    wait_for(lambda: management.messages(name) == filled)
    yield name
    management.call("DELETE", f"vhosts/{path}")


def wait_for(condition: Callable[[], bool], seconds: float = 15) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "did not happen in time"
        time.sleep(0.1)
