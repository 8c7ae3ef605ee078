"""Celery on a folder: kombu's filesystem broker and Celery's file results, without their torn reads.

Both write into the file that a reader may already see. With several workers polling, a reader meets
a half-written message every few minutes and its worker ends. Here a file appears whole or not at all.
File names and formats stay those of `filesystem://` and `file://`.
"""

from __future__ import annotations

import contextlib
import os
import time
import uuid
from pathlib import Path
from queue import Empty
from typing import Any

from celery import Celery
from celery.backends.filesystem import FilesystemBackend
from kombu.transport import TRANSPORT_ALIASES, filesystem
from kombu.utils.json import dumps, loads

from flower.demo.folder import DemoFolder
from flower.demo.shop import make_app

__all__ = ["Channel", "Results", "Transport", "spool_app"]


class Channel(filesystem.Channel):
    """A filesystem channel that publishes and takes messages by renaming files."""

    def _put(self, queue: str, message: Any, **kwargs: Any) -> None:  # type: ignore[override]
        milliseconds, rest = divmod(time.monotonic_ns(), 1_000_000)
        name = f"{milliseconds}_{rest:06d}_{uuid.uuid4()}.{queue}.msg"
        draft = Path(self.processed_folder, name)
        draft.write_text(dumps(message), encoding="utf-8")  # type: ignore[no-untyped-call]
        draft.rename(Path(self.data_folder_out, name))

    def _get(self, queue: str, timeout: float | None = None) -> Any:
        ending = f"{queue}.msg"
        for name in sorted(n for n in os.listdir(self.data_folder_in) if n.partition(".")[2] == ending):
            claim = Path(self.processed_folder, name)
            try:
                Path(self.data_folder_in, name).rename(claim)
            except FileNotFoundError:  # another consumer was faster
                continue
            text = claim.read_text(encoding="utf-8")
            claim.unlink()
            return loads(text)  # type: ignore[no-untyped-call]
        raise Empty

    def _queue_bind(self, exchange: str, routing_key: str, pattern: str, queue: str) -> None:
        file = Path(self.control_folder, f"{exchange}.exchange")
        if not file.exists():
            draft = Path(self.processed_folder, f"{uuid.uuid4()}.exchange")
            draft.write_text("[]", encoding="utf-8")
            with contextlib.suppress(FileExistsError):
                os.link(draft, file)
            draft.unlink()
        super()._queue_bind(exchange, routing_key, pattern, queue)  # type: ignore[no-untyped-call]


class Transport(filesystem.Transport):
    """The filesystem transport with whole messages."""

    Channel = Channel


class Results(FilesystemBackend):  # type: ignore[misc]
    """The file backend with whole results."""

    def set(self, key: bytes, value: Any) -> None:
        draft = self._filename(b".draft-" + uuid.uuid4().hex.encode())
        with open(draft, "wb") as file:
            file.write(value.encode() if isinstance(value, str) else value)
        os.replace(draft, self._filename(key))


def spool_app(folder: DemoFolder) -> Celery:
    """Return the shop's app with broker and results in that folder.

    From then on `filesystem://` means the transport above, in this process.
    """
    TRANSPORT_ALIASES["filesystem"] = f"{__name__}:Transport"
    options = {
        "data_folder_in": str(folder.messages),
        "data_folder_out": str(folder.messages),
        "control_folder": str(folder.exchanges),
        "processed_folder": str(folder.work),
        "polling_interval": 0.1,
    }
    return make_app(
        "filesystem://localhost//",
        f"{__name__}:Results+file://{folder.results}",
        broker_transport_options=options,
    )
