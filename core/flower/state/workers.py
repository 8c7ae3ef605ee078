"""Workers as their events show them, and whether they are alive."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import msgspec

from flower import audit
from flower.events.event import Event
from flower_plugins import Forbidden, NotFound

__all__ = ["Heard", "WorkerRecord", "WorkerStore"]

Heard = dict[tuple[str, str], tuple[int, float]]
"""By worker and type: how many events of tasks came, and when the last of them arrived."""

_MAX_HEARTBEATS = 4
_MAX_EVENT_TYPES = 100
_DEFAULT_FREQ = 2.0
_SILENT_FREQ = 60.0
_FREQ_BOUNDS = (1.0, 3600.0)


class _Kept(msgspec.Struct):
    """The shape in which an earlier run kept a worker."""

    hostname: str
    counts: dict[str, int] = {}
    pid: int | None = None
    freq: float | None = None
    clock: int = 0
    heard: float = 0.0
    processed: int | None = None
    loadavg: tuple[float, ...] | None = None
    sw_ident: str | None = None
    sw_ver: str | None = None
    sw_sys: str | None = None
    last_seen: float | None = None


class WorkerRecord:
    """One worker; implements `flower_plugins.Worker`.

    Every event but `worker-offline` is a sign of life. Its age is measured by a monotonic clock, so
    that a step of the wall clock changes nothing. `worker-online` begins a new process, whose clocks
    have nothing to do with those of the one before. `invalid` names fields of the last heartbeat whose
    value made no sense.
    """

    __slots__ = (
        "_monotonic",
        "_offline_at",
        "_offsets",
        "active",
        "alive_at",
        "began",
        "clock",
        "counts",
        "freq",
        "heard",
        "heartbeats",
        "hostname",
        "invalid",
        "last_seen",
        "loadavg",
        "offline",
        "pid",
        "processed",
        "purged",
        "sw_ident",
        "sw_sys",
        "sw_ver",
        "up",
    )

    def __init__(self, hostname: str, monotonic: Callable[[], float]) -> None:
        self.hostname = hostname
        self.counts: dict[str, int] = {}
        self.heartbeats: list[float] = []
        self._offsets: list[float] = []
        self.pid: int | None = None
        self.freq: float | None = None
        self.clock = 0
        self.heard = 0.0
        self.active: int | None = None
        self.processed: int | None = None
        self.loadavg: tuple[float, ...] | None = None
        self.sw_ident: str | None = None
        self.sw_ver: str | None = None
        self.sw_sys: str | None = None
        self.last_seen: float | None = None
        self.invalid: tuple[str, ...] = ()
        self.alive_at = float("-inf")
        self.began = 0.0
        """When its process began, by its own clock; 0 for one that we did not see begin."""
        self.offline = False
        self.up = False
        """What subscribers were last told."""
        self.purged = False
        """Whether its metrics were dropped for being offline too long."""
        self._monotonic = monotonic
        self._offline_at = float("-inf")

    @property
    def online(self) -> bool:
        """True while signs of life are younger than twice the announced interval.

        Where a heartbeat names no interval, Celery's 2 s apply; a worker that sends no heartbeats
        at all is judged by its other events and 60 s.
        """
        return not self.offline and self._monotonic() - self.alive_at < 2 * self.interval()

    @property
    def skew(self) -> float | None:
        """How many seconds the worker's clock is ahead of ours, negative when it is behind; None before a heartbeat.

        A heartbeat that was long under way looks like a clock that is behind: of the last few the fastest counts.
        """
        return round(max(self._offsets), 3) if self._offsets else None

    @property
    def silent_since(self) -> float:
        """When the last sign of life came, or the farewell after it, by the monotonic clock."""
        return max(self.alive_at, self._offline_at)

    def silent_for(self) -> float:
        """Return the seconds since the last sign of life."""
        return self._monotonic() - self.alive_at

    def interval(self) -> float:
        """Return how many seconds at most are to lie between two signs of life."""
        if self.freq is not None:
            low, high = _FREQ_BOUNDS
            return min(max(self.freq, low), high)
        return _DEFAULT_FREQ if self.heartbeats else _SILENT_FREQ

    def fields(self) -> dict[str, Any]:
        """Return the worker as `/workers?json=1` shows it: event counts, heartbeat fields, status."""
        return {
            **self.counts,
            "hostname": self.hostname,
            "pid": self.pid,
            "freq": self.freq,
            "heartbeats": list(self.heartbeats),
            "clock": self.clock,
            "active": self.active,
            "processed": self.processed,
            "loadavg": None if self.loadavg is None else list(self.loadavg),
            "sw_ident": self.sw_ident,
            "sw_ver": self.sw_ver,
            "sw_sys": self.sw_sys,
            "skew": self.skew,
            "status": self.online,
        }

    def dump(self) -> dict[str, Any]:
        """Return what a later run needs to show this worker as it was last heard of."""
        return {name: getattr(self, name) for name in _Kept.__struct_fields__}

    def note_heard(self, kind: str, number: int, at: float) -> None:
        """Count events of tasks that this worker sent: a sign of life, unless it has said that it leaves."""
        self._count(kind, number, at)
        if not self.offline:
            self._live()

    def note(self, event: Event) -> None:
        """Merge one `worker-*` event."""
        kind = event.type
        self._count(kind, 1, event.received_at)
        if kind == "worker-offline":
            self._leave(event)
        elif kind == "worker-online":
            self._begin(event)
        else:
            self._beat(event)

    def _count(self, kind: str, number: int, at: float) -> None:
        self.last_seen = at
        self.purged = False
        if kind in self.counts:
            self.counts[kind] += number
        elif len(self.counts) < _MAX_EVENT_TYPES:
            self.counts[kind] = number

    def _live(self) -> None:
        self.alive_at = self._monotonic()
        self.up = True

    def _leave(self, event: Event) -> None:
        """Go offline, unless it is another process that left, or one that was there before this one."""
        if self._older(event) or self._is_another(event):
            return
        self.offline, self.up = True, False
        self._offline_at = self._monotonic()
        self.heartbeats.clear()
        self.clock, self.heard = event.clock, event.timestamp

    def _begin(self, event: Event) -> None:
        """Take in a new process; whatever was heard of an earlier one says nothing about its clocks."""
        if event.pid is None or event.pid != self.pid:  # else it is the same one, connected anew
            self.began = event.timestamp
        self.clock, self.heard, self.pid = 0, 0.0, None
        self._offsets.clear()
        self._revive(event)

    def _beat(self, event: Event) -> None:
        if self._older(event):
            if not self.offline:
                self._note_beat(event)
                return
            if not self._is_another(event) and self._monotonic() - self._offline_at < 2 * self.interval():
                return  # of the process that has just left, overtaken by its farewell
        self._revive(event)

    def _revive(self, event: Event) -> None:
        self._note_beat(event)
        if self._is_another(event):
            self.began = event.timestamp
        self.clock, self.heard = event.clock, event.timestamp
        self.invalid = event.invalid
        for field in ("pid", "freq", "active", "processed", "loadavg", "sw_ident", "sw_ver", "sw_sys"):
            value = getattr(event, field)
            if value is not None:
                setattr(self, field, value)

    def _note_beat(self, event: Event) -> None:
        self.offline = False
        self.heartbeats.append(event.received_at)
        self._offsets.append(event.timestamp - event.received_at)
        del self.heartbeats[:-_MAX_HEARTBEATS], self._offsets[:-_MAX_HEARTBEATS]
        self._live()

    def _older(self, event: Event) -> bool:
        return 0 < event.clock < self.clock and event.timestamp <= self.heard

    def _is_another(self, event: Event) -> bool:
        """Tell whether the event comes from another process than the last one heard of."""
        return event.pid is not None and self.pid is not None and event.pid != self.pid


class WorkerStore:
    """The workers heard of, the least recently heard forgotten first; implements `flower_plugins.Workers`."""

    def __init__(
        self,
        *,
        max_workers: int,
        purge_after: float | None,
        monotonic: Callable[[], float],
        on_evict: Callable[[str], None],
        on_forget: Callable[[str], None],
    ) -> None:
        """`on_evict` is told of a worker that makes room for another, `on_forget` of one that somebody removes."""
        self._max_workers = max(1, max_workers)
        self._purge_after = purge_after
        self._monotonic = monotonic
        self._on_evict, self._on_forget = on_evict, on_forget
        self._records: OrderedDict[str, WorkerRecord] = OrderedDict()
        self._version = 0

    @property
    def version(self) -> int:
        """Grows with every change, heartbeats and losses included."""
        return self._version

    def get(self, hostname: str) -> WorkerRecord | None:
        """Return the worker, also one that `all` hides, or None."""
        return self._records.get(hostname)

    def all(self, *, purged: bool = False) -> Sequence[WorkerRecord]:
        """Return the workers to show, sorted by name; with `purged` also those hidden for being offline too long."""
        shown = (worker for worker in self._records.values() if purged or not self.is_purged(worker))
        return sorted(shown, key=lambda worker: worker.hostname)

    def forget(self, hostname: str) -> None:
        """Drop a worker that is offline, with its counts. Raise NotFound, or Forbidden for one that is online."""
        worker = self._records.get(hostname)
        if worker is None:
            raise NotFound(f"Unknown worker {hostname!r}")
        if worker.online:
            raise Forbidden(f"{hostname!r} is online")
        with audit.order("forget", [hostname]):
            del self._records[hostname]
            self._version += 1
            self._on_forget(hostname)

    def known(self) -> Mapping[str, WorkerRecord]:
        """Return every worker in memory by name, the hidden ones too."""
        return self._records

    def is_purged(self, worker: WorkerRecord) -> bool:
        """Tell whether a worker is hidden for having been offline too long."""
        return self._purge_after is not None and not worker.online and worker.silent_for() >= self._purge_after

    def note(self, event: Event) -> WorkerRecord:
        """Merge a `worker-*` event into the record of the worker that sent it."""
        worker = self._newest(event.hostname)
        worker.note(event)
        self._version += 1
        return worker

    def note_heard(self, heard: Heard) -> None:
        """Count events of tasks at the workers that sent them, and empty `heard`."""
        for (hostname, kind), (number, at) in heard.items():
            self._newest(hostname).note_heard(kind, number, at)
            self._version += number
        heard.clear()

    def _newest(self, hostname: str) -> WorkerRecord:
        """Return the worker, which from now on is the one heard of last."""
        records = self._records
        worker = records.get(hostname)
        if worker is not None:
            records.move_to_end(hostname)
            return worker
        worker = records[hostname] = WorkerRecord(hostname, self._monotonic)
        if len(records) > self._max_workers:
            self._on_evict(records.popitem(last=False)[0])
        return worker

    def restore(self, fields: Mapping[str, object]) -> None:
        """Take in a worker as `WorkerRecord.dump` gave it, unless it cannot be read or is known already."""
        try:
            kept = msgspec.convert(fields, _Kept)
        except msgspec.ValidationError:
            return
        if kept.hostname in self._records or len(self._records) >= self._max_workers:
            return
        worker = self._records[kept.hostname] = WorkerRecord(kept.hostname, self._monotonic)
        for name in _Kept.__struct_fields__:
            setattr(worker, name, getattr(kept, name))
        self._version += 1

    def lost(self) -> list[WorkerRecord]:
        """Return the workers that fell silent since the last call, without an offline event."""
        gone = [worker for worker in self._records.values() if worker.up and not worker.online]
        for worker in gone:
            worker.up = False
        self._version += len(gone)
        return gone

    def purged(self) -> list[WorkerRecord]:
        """Return the workers that have been offline for too long since the last call."""
        if self._purge_after is None:
            return []
        gone = [worker for worker in self._records.values() if not worker.purged and self.is_purged(worker)]
        for worker in gone:
            worker.purged = True
        self._version += len(gone)
        return gone
