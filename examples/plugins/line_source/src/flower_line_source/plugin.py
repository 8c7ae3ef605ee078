"""Entry point: an event source that reads one event a line."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from flower_plugins import EventSource, Messages, Offer, OfferContext, Option, Pump, hookimpl

FLOWER_API_VERSION = 1


class LineSource(EventSource):
    """What it reads may be anything: the pump refuses what is no event, and counts it."""

    def __init__(self, context: OfferContext) -> None:
        self._port = context.settings["line_source_port"]

    async def run(self, pump: Pump) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", self._port)
        try:
            pump.connected({"port": str(self._port)})
            while line := await reader.readline():
                pump.offer(Messages([line]))
            pump.lost("the other side closed the connection")
        finally:
            writer.close()


@hookimpl
def flower_options() -> Sequence[Option]:
    return [Option("line_source_port", int, 7777, "Where events are read, one a line")]


@hookimpl
def flower_event_sources() -> Sequence[Offer[EventSource]]:
    return [Offer("lines", "flower_line_source.plugin:LineSource", "lines of a TCP connection")]
