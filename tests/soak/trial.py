"""One soak: a Flower with small bounds, churn through a private Redis, visitors, and lost connections."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory

import redis
from tests.bench.brokers import broker
from tests.bench.churn import TASKS_PER_WORKER
from tests.bench.probe import open_files, pss_bytes, threads
from tests.bench.publisher import CHURN, Publisher, publishing
from tests.bench.servers import Server, serving
from tests.soak.verdict import Finding, Sample, judge
from tests.soak.visitor import Visitor
from tests.system.support import Publisher as Stranger
from tests.system.support import Room

__all__ = ["Outcome", "soak"]

# Small bounds, so that all that is bounded is full long before the warm-up ends.
_OPTIONS = ("--max_tasks=5000", "--max_workers=100", "--purge_offline_workers=20")
# The allocator gives back at once what was freed. By default it keeps some MB in pieces, and their number sways: the
# soak tells what Flower holds, not how well its memory is packed.
_ALLOCATOR = {"MALLOC_ARENA_MAX": "1", "MALLOC_TRIM_THRESHOLD_": "65536", "MALLOC_MMAP_THRESHOLD_": "65536"}
_RATE = 2500
_PORTION = 5000
_WARM_SHARE, _WARM_SECONDS = 0.4, 150.0
_CLOSING_SECONDS = 10.0
_EVERY, _MOST_SAMPLES = 1.0, 300
_CUT_EVERY = 17.0
_STRANGE: tuple[tuple[bytes, str, str], ...] = (
    (b'{"type": "task-received"', "application/json", "utf-8"),
    (b'{"type": 5, "hostname": "w@churn"}', "application/json", "utf-8"),
    (b'{"type": "task-received", "hostname": "w@churn", "uuid": {}}', "application/json", "utf-8"),
    (b"[" * 10_000 + b"]" * 10_000, "application/json", "utf-8"),
    (b"\x80\x04\x8c\x05posix\x94.", "application/x-python-serialize", "binary"),
    (b"{}", "application/json", "klingon"),
)


@dataclass
class Outcome:
    """What a soak found: `findings` about bounds, and `notes` for the reader."""

    findings: Sequence[Finding]
    samples: Sequence[Sample]
    notes: Sequence[str]
    complaints: Sequence[str]
    """What went wrong beside bounds: answers that failed, events that did not come through."""

    @property
    def passed(self) -> bool:
        """Whether every bound was kept and nothing went wrong."""
        return not self.complaints and all(finding.kept for finding in self.findings)


@dataclass
class _Feed(threading.Thread):
    """Keeps a publisher sending. `tasks` and `events` count what was sent."""

    publisher: Publisher
    tasks: int = 0
    events: int = 0
    failure: Exception | None = None
    _ended: threading.Event = field(default_factory=threading.Event)

    def __post_init__(self) -> None:
        super().__init__(name="feed", daemon=True)

    __hash__ = threading.Thread.__hash__

    def run(self) -> None:
        try:
            while not self._ended.is_set():
                prepared = self.publisher.prepare(_PORTION)
                self.events += self.publisher.send(_RATE).events
                self.tasks = prepared.tasks
        except Exception as error:  # a thread's exception would end in nobody's hands
            self.failure = error

    def end(self) -> None:
        self._ended.set()
        self.join(60)


def soak(minutes: float, say: Callable[[str], None] = print, *, options: Sequence[str] = ()) -> Outcome:
    """Run for so long, start and end included; `say` is told of progress."""
    begun = time.monotonic()
    until = begun + minutes * 60 - _CLOSING_SECONDS
    with _running(options) as (url, server, publisher), _Cutter(url) as cutter:
        feed = _Feed(publisher)
        visitor = Visitor(server.port, lambda: feed.tasks)
        feed.start()
        visitor.start()
        warm_until = time.monotonic() + min(_WARM_SECONDS, (until - time.monotonic()) * _WARM_SHARE)
        spacing = max(_EVERY, (until - warm_until) / _MOST_SAMPLES)
        cpu, since = server.cpu(), time.monotonic()
        samples: list[Sample] = []
        while time.monotonic() < until:
            time.sleep(spacing)
            cutter.maybe_cut()
            samples.append(_sample(server, feed, time.monotonic() - begun))
            if len(samples) % 20 == 0:
                say(_line(samples[-1]))
        share = (server.cpu() - cpu) / (time.monotonic() - since)
        visitor.end()
        feed.end()
        complaints = list(_complaints(server, publisher, feed, visitor))
        gaps = int(server.client.total("flower_event_gaps_total"))
        if gaps > cutter.cuts:
            complaints.append(f"{gaps} gaps in the events, after {cutter.cuts} cut connections")
    warm = [each for each in samples if each.at + begun >= warm_until]
    statuses = ", ".join(f"{number:,} of {status}" for status, number in sorted(visitor.statuses.items()))
    notes = [
        f"{feed.events:,} events sent, and the connection cut {cutter.cuts} times",
        f"{statuses}; {visitor.streams:,} streams opened and left",
        f"{share * 100:.0f} % of a core used by Flower",
    ]
    return Outcome(judge(warm), samples, notes, complaints)


@contextmanager
def _running(options: Sequence[str]) -> Iterator[tuple[str, Server, Publisher]]:
    with (
        TemporaryDirectory(prefix="flower-soak-") as folder,
        broker("redis") as url,
        publishing(url, CHURN) as publisher,
        serving(
            Path(sys.executable).with_name("celery"), url, [*_OPTIONS, *options], Path(folder), _ALLOCATOR
        ) as server,
    ):
        server.warm(publisher)
        yield url, server, publisher
        server.client.close()


class _Cutter(AbstractContextManager["_Cutter"]):
    """Cuts Flower's connection for events now and then, every second time all others too."""

    def __init__(self, url: str) -> None:
        self.cuts = 0
        self._room = Room(url, url)
        self._client = redis.Redis.from_url(url)
        self._next = time.monotonic() + _CUT_EVERY

    def __exit__(self, *error: object) -> None:
        self._client.close()

    def maybe_cut(self) -> None:
        """Cut when it is time to, after a stranger has sent messages that make no sense."""
        if time.monotonic() < self._next:
            return
        with Stranger(self._room) as stranger:
            for body, kind, charset in _STRANGE:
                stranger.send_bytes(body, kind, charset)
            stranger.send_envelopes()
        self._client.client_kill_filter(_type="pubsub", skipme=True)
        for client in self._client.client_list(_type="normal"):
            # Workers and their answers go by other connections than events; the publisher is to go on.
            if self.cuts % 2 and not client["cmd"].startswith(("publish", "client")):
                self._client.client_kill_filter(_id=client["id"], skipme=True)
        self.cuts += 1
        self._next = time.monotonic() + _CUT_EVERY


def _sample(server: Server, feed: _Feed, at: float) -> Sample:
    pid = server.pid
    memory, files, number = pss_bytes(pid), open_files(pid), threads(pid)
    health, metrics = server.client.get("/healthcheck"), server.client.get("/metrics")
    series = sum(line[:1] not in (b"#", b"") for line in metrics.body.split(b"\n"))
    workers = feed.tasks // TASKS_PER_WORKER
    return Sample(at, memory, files, number, series, len(metrics.body), health.seconds, workers, feed.tasks)


def _complaints(server: Server, publisher: Publisher, feed: _Feed, visitor: Visitor) -> Iterator[str]:
    if feed.failure is not None:
        yield f"the publisher failed: {feed.failure!r}"
    yield from visitor.failed[:5]
    dropped = server.dropped()
    if dropped:
        yield f"{dropped:,} messages dropped"
    prepared = publisher.prepare(100)
    publisher.send()
    if not server.await_markers(prepared.run, prepared.markers).complete:
        yield "events sent at the end did not come through"


def _line(sample: Sample) -> str:
    return (
        f"{sample.at:5.0f} s  {sample.memory / 2**20:6.1f} MB  {sample.files} files  {sample.threads} threads  "
        f"{sample.series:,} series  {sample.metrics:,} bytes  {sample.latency * 1000:.1f} ms  "
        f"{sample.workers:,} workers  {sample.tasks:,} tasks"
    )
