from __future__ import annotations

import queue
import socketserver
import threading
from collections.abc import Iterator

import pytest
from flower_line_source import plugin
from flower_line_source.plugin import LineSource

from flower_plugins.testing import EventSourceContract, PluginContract, offer_context

EVENT = b'{"type": "worker-heartbeat", "hostname": "w1@shop", "timestamp": 1700000000.0, "clock": 1}\n'


class TestPlugin(PluginContract):
    plugin = plugin


class Lines(socketserver.BaseRequestHandler):
    """Sends what is put into the queue, until None."""

    lines: queue.Queue[bytes | None] = queue.Queue()

    def handle(self) -> None:
        while (line := self.lines.get()) is not None:
            self.request.sendall(line)


class TestSource(EventSourceContract):
    port: int

    @pytest.fixture(autouse=True)
    def _served(self) -> Iterator[None]:
        with socketserver.TCPServer(("127.0.0.1", 0), Lines) as server:
            thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
            thread.start()
            type(self).port = server.server_address[1]
            yield
            Lines.lines.put(None)
            server.shutdown()
            thread.join()

    def make(self) -> LineSource:
        return LineSource(offer_context(line_source_port=self.port))

    def publish(self) -> None:
        Lines.lines.put(EVENT)
