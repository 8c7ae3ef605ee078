"""Entry point: an inspector that counts the message files of kombu's filesystem transport."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Sequence

from flower_plugins import BrokerInspector, Offer, OfferContext, QueueStats, Unavailable, hookimpl

FLOWER_API_VERSION = 1


class FolderQueues(BrokerInspector):
    """A message is a file named `<time>_<id>.<queue>.msg`."""

    def __init__(self, context: OfferContext) -> None:
        self._folder = str(context.broker.transport_options.get("data_folder_in", "data_in"))

    async def queues(self, names: Sequence[str]) -> Sequence[QueueStats]:
        try:
            files = await asyncio.to_thread(os.listdir, self._folder)
        except OSError as error:
            raise Unavailable(f"The folder {self._folder!r} cannot be read: {error.strerror}") from error
        queues = [file.partition(".")[2] for file in files]
        return [QueueStats(name, messages=queues.count(f"{name}.msg")) for name in names]


@hookimpl
def flower_broker_inspectors() -> Sequence[Offer[BrokerInspector]]:
    return [Offer("folder", "flower_folder_queues.plugin:FolderQueues", "files in a folder", schemes=("filesystem",))]
