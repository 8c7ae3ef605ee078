"""Between the source's thread and the event loop: a queue bounded in bytes, emptied in short slices."""

from __future__ import annotations

import asyncio
import logging
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from itertools import islice
from typing import Any

from msgspec.structs import replace

from flower.events.event import Event
from flower.events.status import StreamStatus
from flower.quiet import QuietLog
from flower_plugins import Messages

__all__ = ["Pump"]

logger = logging.getLogger(__name__)

_CHUNK_MESSAGES = 256
_CHUNK_BYTES = 256 * 1024
_CHUNK_EVENTS = 500
_CATCH_UP_BYTES = 1024 * 1024
_OVERHEAD = 128
_WEIGHED_NODES = 200
_BYTES = frozenset((bytes,))
_CLOSING_SECONDS = 0.25


class Pump:
    """Takes batches from any thread, and on the loop decodes them and hands the events to `apply`.

    At most `limit_bytes` wait; beyond that the oldest messages go, and `status.dropped["queue_full"]`
    counts each. One slice lasts about `slice_seconds`; between two, everything else on the loop has a turn.
    """

    def __init__(
        self,
        decode: Callable[[Messages], list[Event]],
        apply: Callable[[Sequence[Event]], None],
        status: StreamStatus,
        *,
        limit_bytes: int = 64 * 2**20,
        slice_seconds: float = 0.008,
        log: logging.Logger = logger,
    ) -> None:
        self._decode = decode
        self._apply = apply
        self._status = status
        self._limit = limit_bytes
        self._slice = slice_seconds
        self._log = QuietLog(log)
        self._lock = threading.Lock()
        self._queue: deque[_Waiting] = deque()
        self._decoded: deque[Event] = deque()
        self._decoded_size = 0
        self._loop: asyncio.AbstractEventLoop | None = None
        self._early: deque[Callable[[], None]] = deque(maxlen=100)
        self._awake = False
        self._closed = False

    def attach(self, loop: asyncio.AbstractEventLoop) -> None:
        """Begin to work on this loop; what was offered before waits until now."""
        with self._lock:
            self._loop = loop
            early = list(self._early)
            self._early.clear()
            for call in early:
                loop.call_soon_threadsafe(call)
            self._wake()

    def close(self) -> None:
        """Apply what a quarter of a second allows, count the rest as dropped, and take no more. On the loop."""
        with self._lock:
            self._closed = True
        self._work(time.perf_counter() + _CLOSING_SECONDS)
        with self._lock:
            left = sum(waiting.left for waiting in self._queue)
            if left or self._decoded:
                self._status.drop("closed", left + len(self._decoded))
            self._queue.clear()
            self._decoded.clear()
            self._status.backlog = 0
            self._loop = None

    def offer(self, batch: Messages) -> None:
        """Queue a batch. Never blocks: when the queue is full the oldest messages are dropped and counted."""
        waiting = _Waiting(batch)
        with self._lock:
            if self._closed:
                self._status.drop("closed", waiting.left)
                return
            if not waiting.left:
                return
            self._queue.append(waiting)
            self._status.backlog += waiting.size
            if self._status.backlog > self._limit:
                self._make_room()
            self._wake()

    def catch_up(self) -> None:
        """Apply what waits before somebody looks, for at most a slice; a flood goes on at its own pace. On the loop."""
        if 0 < self._status.backlog < _CATCH_UP_BYTES:
            self._work(time.perf_counter() + self._slice)

    def connected(self, detail: Mapping[str, str] | None = None) -> None:
        """Tell the status, on the loop, that events flow from now on."""
        self._post(lambda: self._status.connected(detail))

    def lost(self, reason: str) -> None:
        """Tell the status, on the loop, that the stream broke."""
        self._post(lambda: self._status.lost(reason))

    def _post(self, call: Callable[[], None]) -> None:
        with self._lock:
            if self._loop is not None:
                _call_soon(self._loop, call)
            elif not self._closed:
                self._early.append(call)

    def _wake(self) -> None:
        """Have the loop drain the queue, once per burst. The caller holds the lock."""
        if self._loop is not None and self._queue and not self._awake:
            self._awake = _call_soon(self._loop, self._drain)

    def _make_room(self) -> None:
        """Drop the oldest messages until the rest fits. The caller holds the lock."""
        status, dropped = self._status, 0
        while status.backlog > self._limit and self._queue:
            oldest = self._queue[0]
            number, size = oldest.give_up(status.backlog - self._limit)
            status.backlog -= size
            dropped += number
            if not oldest.left:
                self._queue.popleft()
        status.drop("queue_full", dropped)

    def _drain(self) -> None:
        """Work for one slice, then come back after everything else that is ready."""
        if self._work(time.perf_counter() + self._slice):
            with self._lock:
                if self._loop is not None:
                    self._loop.call_soon(self._drain)

    def _work(self, deadline: float) -> bool:
        """Decode and apply until the deadline; return True when something is left, else go to sleep."""
        while True:
            if self._decoded:
                self._apply_some()
            else:
                taken = self._take()
                if taken is None:
                    return False
                self._decode_some(*taken)
            if time.perf_counter() >= deadline:
                return True

    def _take(self) -> tuple[Messages, int] | None:
        """Take a piece small enough for one turn out of the queue; with nothing there, fall asleep."""
        with self._lock:
            if not self._queue:
                self._awake = False
                return None
            oldest = self._queue[0]
            bodies, size = oldest.take()
            if not oldest.left:
                self._queue.popleft()
        return replace(oldest.batch, bodies=bodies), size

    def _decode_some(self, messages: Messages, size: int) -> None:
        try:
            for unwrapped in messages.unwrapped():
                self._decoded.extend(self._decode(unwrapped))
        except Exception as error:  # guards the drain against a decoder that breaks its promise never to raise
            self._log.error("decode", "Could not decode a batch of events", error)
            self._settle(size, "decode_failed", len(messages.bodies))
            return
        if self._decoded:
            self._decoded_size = size
        else:
            self._settle(size)

    def _apply_some(self) -> None:
        events = list(islice(self._decoded, _CHUNK_EVENTS))
        for _ in events:
            self._decoded.popleft()
        size = 0
        if not self._decoded:
            size, self._decoded_size = self._decoded_size, 0
        try:
            self._apply(events)
        except Exception as error:  # guards the drain against the reducer and everything that listens to it
            self._log.error("apply", "Could not apply a batch of events", error)
            self._settle(size, "apply_failed", len(events))
            return
        self._status.applied(len(events))
        self._settle(size)

    def _settle(self, size: int, reason: str = "", failed: int = 0) -> None:
        with self._lock:
            self._status.backlog -= size
            if failed:
                self._status.drop(reason, failed)


class _Waiting:
    """A batch of which the first messages may be gone already. `size` and `left` are bytes and messages that are there.

    Nearly all batches are of bytes, which are weighed together, and small enough to be taken whole.
    """

    __slots__ = ("_at", "_plain", "batch", "size")

    def __init__(self, batch: Messages) -> None:
        bodies = batch.bodies
        self.batch = batch
        self._at = 0
        self._plain = _BYTES.issuperset(map(type, bodies))
        self.size = self._weigh(bodies)

    @property
    def left(self) -> int:
        return len(self.batch.bodies) - self._at

    def take(self) -> tuple[Sequence[Any], int]:
        """Take a piece small enough for one turn, of one message at least; return it and its size."""
        bodies, at = self.batch.bodies, self._at
        piece = bodies[at : at + _CHUNK_MESSAGES] if at or len(bodies) > _CHUNK_MESSAGES else bodies
        size = self.size if len(piece) == self.left else self._weigh(piece)
        while size > _CHUNK_BYTES and len(piece) > 1:
            piece = piece[: len(piece) // 2]
            size = self._weigh(piece)
        self._at += len(piece)
        self.size -= size
        return piece, size

    def give_up(self, excess: int) -> tuple[int, int]:
        """Let go of the first messages that weigh so much together; return how many they are, and their size."""
        number, size = self.left, self.size
        if size > excess:
            number = size = 0
            for body in islice(self.batch.bodies, self._at, None):
                number, size = number + 1, size + _size(body)
                if size >= excess:
                    break
        self._at += number
        self.size -= size
        return number, size

    def _weigh(self, bodies: Sequence[Any]) -> int:
        if self._plain:
            return sum(map(len, bodies)) + _OVERHEAD * len(bodies)
        return sum(map(_size, bodies))


def _call_soon(loop: asyncio.AbstractEventLoop, call: Callable[[], None]) -> bool:
    try:
        loop.call_soon_threadsafe(call)
    except RuntimeError:  # the loop was closed under a source that still runs
        return False
    return True


def _size(body: Any) -> int:
    """Return about how many bytes a message keeps in memory."""
    if isinstance(body, (bytes, str, bytearray, memoryview)):
        return len(body) + _OVERHEAD
    return _weigh([body])


def _weigh(pending: list[Any]) -> int:
    """Add up what an already decoded object holds, looking at a bounded number of its parts."""
    total, nodes = _OVERHEAD, 0
    while pending and nodes < _WEIGHED_NODES:
        item = pending.pop()
        nodes += 1
        total += 64
        if isinstance(item, (bytes, str)):
            total += len(item)
        elif isinstance(item, Mapping):
            total += 100 * len(item)
            pending.extend(islice(item.values(), _WEIGHED_NODES))
        elif isinstance(item, (list, tuple)):
            total += 100 * len(item)
            pending.extend(islice(item, _WEIGHED_NODES))
    return total
