"""Orders to workers: checked before they are broadcast, answered in the words of Flower 2."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol
from weakref import WeakValueDictionary

from flower.control.replies import clean_text
from flower_plugins import Forbidden, InvalidParameter, NoReply, NotFound, Offline

__all__ = ["SIGNALS", "ControlService"]

SIGNALS = ("SIGTERM", "SIGKILL", "SIGINT", "SIGQUIT", "SIGHUP", "SIGABRT", "SIGUSR1", "SIGUSR2")
"""Signals that may be sent to a process running a task."""

_MAX_PROCESSES = 1000
_MAX_UUIDS = 1000
_MAX_UUID = 255


class _Mailbox(Protocol):
    async def cast(
        self, method: str, arguments: Mapping[str, Any] | None = None, destination: Sequence[str] | None = None
    ) -> None: ...

    async def ask(
        self,
        commands: Mapping[str, Mapping[str, Any]],
        destination: Sequence[str] | None = None,
        *,
        timeout: float = 1.0,
    ) -> dict[str, dict[str, Any]]: ...


class ControlService:
    """Implements `flower_plugins.host.Control` over a mailbox.

    A worker is known once it sent a heartbeat, any other event, or an inspect reply; `is_known` and
    `is_online` tell. `stream_up` tells whether events arrive: while they do not, a worker that fell
    silent may be well, and the broker is asked. `timeout` is how many seconds a worker has to answer.
    """

    def __init__(
        self,
        mailbox: _Mailbox,
        *,
        is_known: Callable[[str], bool],
        is_online: Callable[[str], bool],
        stream_up: Callable[[], bool],
        read_only: bool = False,
        timeout: float = 3.0,
    ) -> None:
        self._mailbox, self._is_known, self._is_online, self._stream_up = mailbox, is_known, is_online, stream_up
        self._read_only, self._timeout = read_only, timeout
        self._resizing: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

    async def revoke(self, uuids: Sequence[str], *, terminate: bool = False, signal: str = "SIGTERM") -> None:
        """Have workers drop these tasks; with `terminate` also kill the process that runs one."""
        self._gate()
        ids = [uuids] if isinstance(uuids, str) else list(uuids)
        if not ids or len(ids) > _MAX_UUIDS or not all(0 < len(uuid) <= _MAX_UUID for uuid in ids):
            raise InvalidParameter(f"Expected 1 to {_MAX_UUIDS} task ids of at most {_MAX_UUID} characters")
        arguments = {"task_id": ids, "terminate": terminate, "signal": _signal(signal)}
        await self._mailbox.cast("revoke", arguments)

    async def shutdown(self, hostname: str) -> None:
        """Ask a worker to end after its running tasks."""
        self._gate(hostname)
        await self._mailbox.cast("shutdown", {}, [hostname])

    async def pool_restart(self, hostname: str) -> str:
        """Restart the pool's processes and return a sentence for the user."""
        self._gate(hostname)
        arguments = {"modules": None, "reload": False, "reloader": None}
        await self._order(hostname, "pool_restart", arguments, f"Failed to restart the '{hostname}' pool")
        return f"Restarting '{hostname}' worker's pool"

    async def pool_grow(self, hostname: str, n: int = 1) -> str:
        """Add n processes, 1 to 1000, and return a sentence for the user."""
        self._gate(hostname)
        _check_count(n)
        async with self._lock(hostname):
            await self._order(hostname, "pool_grow", {"n": n}, f"Failed to grow '{hostname}' worker's pool")
        return f"Growing '{hostname}' worker's pool by {n}"

    async def pool_shrink(self, hostname: str, n: int = 1) -> str:
        """Remove n processes, 1 to 1000, never the last one, and return a sentence for the user."""
        self._gate(hostname)
        _check_count(n)
        failed = f"Failed to shrink '{hostname}' worker's pool"
        async with self._lock(hostname):
            size = _pool_size(await self._question(hostname, "stats", {}, failed))
            if size is not None and size - n < 1:
                raise InvalidParameter(f"{failed}: it has {size} and keeps at least 1")
            await self._order(hostname, "pool_shrink", {"n": n}, failed)
        return f"Shrinking '{hostname}' worker's pool by {n}"

    def _gate(self, hostname: str | None = None) -> None:
        if self._read_only:
            raise Forbidden("Read only mode is enabled")
        if hostname is None:
            return
        if not self._is_known(hostname):
            raise NotFound(f"Unknown worker {hostname!r}")
        if self._stream_up() and not self._is_online(hostname):
            raise Offline(f"Worker {hostname!r} is offline")

    def _lock(self, hostname: str) -> asyncio.Lock:
        # Two shrinks at once would both see the same size and together take the last process.
        lock = self._resizing.get(hostname)
        if lock is None:
            lock = self._resizing[hostname] = asyncio.Lock()
        return lock

    async def _order(self, hostname: str, method: str, arguments: Mapping[str, Any], failed: str) -> None:
        """Send an order and raise Forbidden with the worker's words unless it says ok."""
        reply = await self._question(hostname, method, arguments, failed)
        if isinstance(reply, Mapping) and "ok" in reply:
            return
        reason = reply.get("error") if isinstance(reply, Mapping) else None
        raise Forbidden(f"{failed}: {clean_text(str(reason)) if reason else 'Unknown reason'}")

    async def _question(self, hostname: str, method: str, arguments: Mapping[str, Any], failed: str) -> Any:
        replies = await self._mailbox.ask({method: arguments}, [hostname], timeout=self._timeout)
        try:
            return replies[hostname][method]
        except KeyError:
            raise NoReply(f"{failed}: no reply within {self._timeout:g} s") from None


def _signal(name: str) -> str:
    wanted = name.strip().upper()
    if not wanted.startswith("SIG"):
        wanted = f"SIG{wanted}"
    if wanted not in SIGNALS:
        raise InvalidParameter(f"Invalid signal {name[:50]!r}, expected one of {', '.join(SIGNALS)}")
    return wanted


def _check_count(n: int) -> None:
    if not 1 <= n <= _MAX_PROCESSES:
        raise InvalidParameter(f"Invalid argument '{n}': n is between 1 and {_MAX_PROCESSES}")


def _pool_size(stats: Any) -> int | None:
    pool = stats.get("pool") if isinstance(stats, Mapping) else None
    if not isinstance(pool, Mapping):
        return None
    processes, limit = pool.get("processes"), pool.get("max-concurrency")
    if isinstance(processes, list):
        return len(processes)
    return limit if isinstance(limit, int) else None
