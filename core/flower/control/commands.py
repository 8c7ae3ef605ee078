"""Orders to workers: checked before they are broadcast, answered in the words of Flower 2."""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import islice
from typing import Any, Protocol

from msgspec.structs import replace

from flower import audit
from flower.control import bounds
from flower.control.desk import Desk, Sends
from flower_plugins import Forbidden, InvalidParameter, NotFound, TaskCall, Unavailable

__all__ = ["ControlService"]

_LIMITS = ("soft_time_limit", "time_limit")
_MAX_REVOKED = 10_000


class _Publishes(Protocol):
    def has_task(self, name: str) -> bool: ...
    async def publish(self, call: TaskCall, *, registered: bool) -> str: ...


class ControlService:
    """Implements `flower_plugins.host.Control` over a mailbox, for workers as `Desk` knows them.

    `publisher` sends tasks; `registered` returns what a worker said it can run.
    """

    def __init__(
        self,
        mailbox: Sends,
        *,
        is_known: Callable[[str], bool],
        is_online: Callable[[str], bool],
        stream_up: Callable[[], bool],
        publisher: _Publishes | None = None,
        registered: Callable[[str], Sequence[Any]] = lambda _: (),
        read_only: bool = False,
        timeout: float = 3.0,
    ) -> None:
        self._desk = Desk(mailbox, is_known=is_known, is_online=is_online, stream_up=stream_up, timeout=timeout)
        self._publisher, self._registered, self._read_only = publisher, registered, read_only
        self._revoked: dict[str, float] = {}

    def check_worker(self, hostname: str) -> None:
        """Raise NotFound for a worker nobody has heard of, Offline for one that is gone."""
        self._desk.check(hostname)

    def check_task(self, name: str, hostname: str | None = None) -> None:
        """Raise NotFound unless the Celery app, or that worker by its own word, has the task."""
        if self._publisher is not None and self._publisher.has_task(name):
            return
        entries = self._registered(hostname) if hostname is not None else ()
        if not any(_task_of(entry) == name for entry in entries):
            raise NotFound(f"Unknown task '{name}'")

    async def send_task(self, call: TaskCall) -> str:
        """Publish a task of any name and return its id."""
        call = _identified(call)
        with self._order("send-task", call.name, call.task_id):
            return await self._publish(call, registered=False)

    async def apply_task(self, call: TaskCall) -> str:
        """Publish a task of the Celery app, its arguments checked against its signature, and return its id."""
        call = _identified(call)
        with self._order("apply-task", call.name, call.task_id):
            self.check_task(call.name)
            return await self._publish(call, registered=True)

    async def revoke(self, uuids: Sequence[str], *, terminate: bool = False, signal: str = "SIGTERM") -> None:
        """Have workers drop these tasks; with `terminate` also kill the process that runs one."""
        with self._order("revoke", *([uuids] if isinstance(uuids, str) else uuids)):
            ids, name = bounds.check_uuids(uuids), bounds.signal_name(signal)
            await self._desk.cast("revoke", {"task_id": ids, "terminate": terminate, "signal": name})
            for each in ids:
                self._revoked.pop(each, None)  # so that the newest orders stand last
                self._revoked[each] = time.time()
            for oldest in list(islice(self._revoked, max(len(self._revoked) - _MAX_REVOKED, 0))):
                del self._revoked[oldest]

    def revoked_at(self, uuid: str) -> float | None:
        """Return when the newest order to drop this task went out from here, if it is one of the last 10,000."""
        return self._revoked.get(uuid)

    async def revoke_by_stamps(
        self, stamps: Mapping[str, Sequence[str]], *, terminate: bool = False, signal: str = "SIGTERM"
    ) -> None:
        """Have workers drop the tasks that carry one of these values in one of these stamped headers."""
        with self._order("revoke-by-stamps", *(f"{header}={values}" for header, values in stamps.items())):
            headers, name = bounds.check_stamps(stamps), bounds.signal_name(signal)
            arguments = {"headers": headers, "terminate": terminate, "signal": name}
            await self._desk.cast("revoke_by_stamped_headers", arguments)

    async def shutdown(self, hostname: str) -> None:
        """Ask a worker to end after its running tasks."""
        with self._order("shutdown", hostname):
            self._desk.check(hostname)
            await self._desk.cast("shutdown", {}, hostname)

    async def pool_restart(self, hostname: str) -> str:
        """Restart the pool's processes and return a sentence for the user."""
        with self._order("pool-restart", hostname):
            self._desk.check(hostname)
            arguments = {"modules": None, "reload": False, "reloader": None}
            await self._desk.order(hostname, "pool_restart", arguments, f"Failed to restart the '{hostname}' pool")
        return f"Restarting '{hostname}' worker's pool"

    async def pool_grow(self, hostname: str, n: int = 1) -> str:
        """Add n processes, 1 to 1000, and return a sentence for the user."""
        with self._order("pool-grow", hostname):
            self._desk.check(hostname)
            bounds.check_count(n)
            failed = f"Failed to grow '{hostname}' worker's pool"
            await self._desk.alone(hostname, lambda: self._desk.order(hostname, "pool_grow", {"n": n}, failed))
        return f"Growing '{hostname}' worker's pool by {n}"

    async def pool_shrink(self, hostname: str, n: int = 1) -> str:
        """Remove n processes, 1 to 1000, never the last one, and return a sentence for the user."""
        failed = f"Failed to shrink '{hostname}' worker's pool"
        with self._order("pool-shrink", hostname):
            self._desk.check(hostname)
            bounds.check_count(n)
            # Two shrinks at once would both see the same size and together take the last process.
            await self._desk.alone(hostname, lambda: self._shrink(hostname, n, failed))
        return f"Shrinking '{hostname}' worker's pool by {n}"

    async def autoscale(self, hostname: str, minimum: int, maximum: int) -> str:
        """Keep the pool between two sizes and return a sentence for the user."""
        with self._order("autoscale", hostname):
            self._desk.check(hostname)
            bounds.check_range(minimum, maximum)
            arguments = {"min": minimum, "max": maximum}
            await self._desk.order(hostname, "autoscale", arguments, f"Failed to autoscale '{hostname}' worker")
        return f"Autoscaling '{hostname}' worker (min={minimum}, max={maximum})"

    async def add_consumer(self, hostname: str, queue: str) -> str:
        """Have the worker consume from a queue and return its words."""
        with self._order("add-consumer", hostname, queue):
            self._desk.check(hostname)
            bounds.check_queue(queue)
            arguments = {"queue": queue, "exchange": None, "exchange_type": "direct", "routing_key": None}
            failed = f"Failed to add '{queue}' consumer to '{hostname}' worker"
            return await self._desk.order(hostname, "add_consumer", arguments, failed)

    async def cancel_consumer(self, hostname: str, queue: str) -> str:
        """Have the worker no longer consume from a queue and return its words."""
        with self._order("cancel-consumer", hostname, queue):
            self._desk.check(hostname)
            bounds.check_queue(queue)
            failed = f"Failed to cancel '{queue}' consumer from '{hostname}' worker"
            return await self._desk.order(hostname, "cancel_consumer", {"queue": queue}, failed)

    async def time_limit(
        self, hostname: str, task: str, *, soft: float | None = None, hard: float | None = None
    ) -> str:
        """Limit a task's runtime, in seconds, and return the worker's words.

        0 removes a limit, None leaves it as it is, and None for both removes both.
        """
        failed = "Failed to set timeouts"
        with self._order("time-limit", hostname, task):
            self._desk.check(hostname)
            bounds.check_name(task, "task")
            for seconds, name in ((soft, "soft"), (hard, "hard")):
                if seconds is not None:
                    bounds.check_seconds(seconds, name)
            # Celery sets both limits at once: the one that is to stay has to be known before.
            return await self._desk.alone(hostname, lambda: self._set_limits(hostname, task, soft, hard, failed))

    async def rate_limit(self, hostname: str, task: str, limit: str) -> str:
        """Limit how often a worker runs a task and return its words."""
        with self._order("rate-limit", hostname, task):
            self._desk.check(hostname)
            bounds.check_name(task, "task")
            bounds.check_rate(limit)
            arguments = {"task_name": task, "rate_limit": limit}
            return await self._desk.order(hostname, "rate_limit", arguments, "Failed to set rate limit", quoted=True)

    @contextmanager
    def _order(self, name: str, *targets: str) -> Iterator[None]:
        """Note an order for the audit; in read-only mode refuse it."""
        with audit.order(name, targets):
            if self._read_only:
                raise Forbidden("Read only mode is enabled")
            yield

    async def _publish(self, call: TaskCall, *, registered: bool) -> str:
        if self._publisher is None:
            raise Unavailable("No tasks can be sent from here")
        return await self._publisher.publish(call, registered=registered)

    async def _shrink(self, hostname: str, n: int, failed: str) -> None:
        size = _pool_size(await self._desk.question(hostname, "stats", {}, failed))
        if size is not None and size - n < 1:
            raise InvalidParameter(f"{failed}: it has {size} and keeps at least 1")
        await self._desk.order(hostname, "pool_shrink", {"n": n}, failed)

    async def _set_limits(self, hostname: str, task: str, soft: float | None, hard: float | None, failed: str) -> str:
        if (soft is None) != (hard is None):
            kept_soft, kept_hard = await self._limits(hostname, task, failed)
            soft, hard = kept_soft if soft is None else soft, kept_hard if hard is None else hard
        if soft and hard and soft > hard:
            raise InvalidParameter(f"{failed}: the soft limit {soft:g} is above the hard limit {hard:g}")
        arguments = {"task_name": task, "soft": soft or None, "hard": hard or None}
        return await self._desk.order(hostname, "time_limit", arguments, failed, quoted=True)

    async def _limits(self, hostname: str, task: str, failed: str) -> tuple[float | None, float | None]:
        """Return the (soft, hard) limits that a worker has for a task."""
        entries = await self._desk.question(hostname, "registered", {"taskinfoitems": list(_LIMITS)}, failed)
        found = next((entry for entry in entries if _task_of(entry) == task), "") if isinstance(entries, list) else ""
        soft, hard = (_number_after(f"{name}=", found) for name in _LIMITS)
        return soft, hard


def _task_of(entry: Any) -> str | None:
    """Return the name in an entry of `registered`: the name alone, or `name [rate_limit=10/m …]`."""
    return entry.partition(" [")[0] if isinstance(entry, str) else None


def _number_after(label: str, entry: str) -> float | None:
    for word in entry.rpartition(" [")[2].rstrip("]").split():
        if word.startswith(label):
            try:
                return float(word[len(label) :])
            except ValueError:
                return None
    return None


def _identified(call: TaskCall) -> TaskCall:
    """Return the call with an id, by which the audit and whoever looks for the task find each other."""
    return call if call.task_id else replace(call, task_id=str(uuid.uuid4()))


def _pool_size(stats: Any) -> int | None:
    pool = stats.get("pool") if isinstance(stats, Mapping) else None
    if not isinstance(pool, Mapping):
        return None
    processes, limit = pool.get("processes"), pool.get("max-concurrency")
    if isinstance(processes, list):
        return len(processes)
    return limit if isinstance(limit, int) else None
