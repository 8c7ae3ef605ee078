"""The life of one Flower: start in order, serve until told to stop, stop in reverse."""

from __future__ import annotations

import asyncio
import contextlib
import ctypes
import gc
import logging
import signal
from collections.abc import Coroutine
from typing import Any

from flower.app import banner
from flower.app.broker import load_transport
from flower.app.flower import Flower
from flower.web.connections import Limits, room_for_connections
from flower.web.server import Server, tls_context

__all__ = ["serve_until_stopped"]

log = logging.getLogger("flower")

_TICK_SECONDS = 1.0
_REST_SECONDS = 5.0
_SETTLING_SECONDS = 5.0
_COLLECT_AFTER = (10_000, 20, 100)
_M_MMAP_THRESHOLD, _M_ARENA_MAX = -3, -8  # malloc.h
_LARGE_BYTES = 512 * 1024
_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def serve_until_stopped(flower: Flower, *, quiet: bool = False) -> int:
    """Serve until SIGINT, SIGTERM or SIGHUP; return the exit code. Raise ConfigurationError before serving.

    `quiet` leaves the announcement out; warnings are always logged.
    """
    _tune_allocator()
    load_transport(flower.celery)
    return asyncio.run(_Life(flower, quiet).live())


class _Life:
    def __init__(self, flower: Flower, quiet: bool) -> None:
        self._flower, self._quiet = flower, quiet
        self._stopping = asyncio.Event()
        self._tasks: list[asyncio.Task[None]] = []

    async def live(self) -> int:
        flower = self._flower
        loop = asyncio.get_running_loop()
        for number in _SIGNALS:
            loop.add_signal_handler(number, self._stop, number)
        limits = Limits(room_for_connections(), flower.settings["max_connections_per_address"])
        server = Server(flower.router, flower.binding, tls_context(flower.settings), limits)
        starting = asyncio.ensure_future(self._start(server))
        stopping = asyncio.ensure_future(self._stopping.wait())
        try:
            await asyncio.wait((starting, stopping), return_when=asyncio.FIRST_COMPLETED)
            if starting.done():
                starting.result()
                await stopping
        finally:
            for part in (starting, stopping):
                part.cancel()
            await asyncio.wait((starting, stopping))
            await self._end(server)
        return 0

    async def _start(self, server: Server) -> None:
        flower = self._flower
        if flower.memory is not None:
            await flower.memory.start()
        flower.pump.attach(asyncio.get_running_loop())
        server.start()
        if not self._quiet:
            banner.announce(
                server.urls, flower.binding.unix_socket, flower.prefix, flower.broker, _own_tasks(flower.celery)
            )
        banner.warn(flower.posture.banners())
        banner.warn_operator(flower.posture.weaknesses())
        log.debug("Settings: %s", flower.settings.masked())
        self._spawn(flower.supervisor.run(), "events")
        self._spawn(self._tick(), "tick")
        await flower.services.start()
        self._tasks.append(asyncio.create_task(_settle(), name="settling"))

    async def _end(self, server: Server) -> None:
        flower = self._flower
        await server.stop()
        for task in self._tasks:
            task.cancel()
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=3)
        await flower.services.stop()
        await flower.close_providers()
        flower.pump.close()
        if flower.memory is not None:
            await flower.memory.stop()
        await flower.queues.close()
        flower.mailbox.close()
        await asyncio.gather(flower.asking.close(), flower.executor.close())

    async def _tick(self) -> None:
        while True:
            # Where there is nobody, nobody can fall silent.
            await asyncio.sleep(_TICK_SECONDS if self._flower.state.inhabited else _REST_SECONDS)
            self._flower.state.tick(listening=self._flower.status.up)

    def _spawn(self, work: Coroutine[Any, Any, None], name: str) -> None:
        task = asyncio.create_task(work, name=name)
        task.add_done_callback(_report)
        self._tasks.append(task)

    def _stop(self, number: int) -> None:
        log.info("%d detected, shutting down", number)
        self._stopping.set()


def _tune_allocator() -> None:
    """Have glibc give large blocks back when they are free: by itself it begins to keep them, up to 32 MB each.

    One arena, because threads take turns here anyway, and each arena has free memory of its own.
    """
    with contextlib.suppress(AttributeError, OSError, TypeError):
        libc = ctypes.CDLL(None)
        libc.mallopt(_M_MMAP_THRESHOLD, _LARGE_BYTES)
        libc.mallopt(_M_ARENA_MAX, 1)


async def _settle() -> None:
    """Some seconds after the start, when everything is loaded that even an idle Flower uses: tidy up once.

    Full collections are kept away from what lives as long as the process. Records hold no references to
    each other and are not visited at all; what is left to find is young.
    """
    await asyncio.sleep(_SETTLING_SECONDS)
    gc.collect()
    gc.freeze()
    gc.set_threshold(*_COLLECT_AFTER)
    gc.enable()
    with contextlib.suppress(AttributeError, OSError):
        ctypes.CDLL(None).malloc_trim(0)


def _report(task: asyncio.Task[None]) -> None:
    """Say that a part ended which should have run for ever."""
    with contextlib.suppress(asyncio.CancelledError):
        error = task.exception()
        log.error("The part %r ended: %r", task.get_name(), error, exc_info=error)


def _own_tasks(app: Any) -> list[str]:
    return [str(name) for name in app.tasks]
