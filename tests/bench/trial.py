"""What a scenario is given, and how much of everything it is to do."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from urllib.parse import urlsplit

from tests.bench.figures import Figure, Quantity
from tests.bench.publisher import Publisher, publishing
from tests.bench.servers import BOTH, OURS, PEER, Server, celery_of, serving

__all__ = ["BOTH", "CPU", "FULL", "LAG", "MEMORY", "QUICK", "RATE", "TIME", "Scale", "Scenario", "Trial"]

RATE = Quantity("rate", "events/s", more_is_better=True)
CPU = Quantity("cpu", "CPU-s per 100k events")
MEMORY = Quantity("memory", "bytes")
TIME = Quantity("p50", "ms")
LAG = Quantity("p99", "ms")


@dataclass(frozen=True)
class Scale:
    """How much to do: counts of events and tasks, rates in events a second, times in seconds."""

    burst: dict[str, int]
    large_burst: int
    multi: bool
    cpu_rate: int
    cpu_fast: dict[str, int]
    cpu_seconds: float
    settling_seconds: float
    ladder: tuple[int, ...]
    first_step: dict[str, int]
    step_seconds: float
    overload_rate: int
    overload_seconds: float
    flood_events: int
    sizes: tuple[int, ...]
    page_seconds: float
    page_rate: int
    ingest_rate: int
    ingest_seconds: float
    idle_seconds: float


FULL = Scale(
    burst={"redis": 20_000, "rabbitmq": 10_000},
    large_burst=200_000,
    multi=True,
    cpu_rate=2_000,
    cpu_fast={"redis": 20_000, "rabbitmq": 10_000},
    cpu_seconds=10,
    settling_seconds=8,
    ladder=(
        *(500, 1_000, 1_500, 2_000, 2_500, 3_000, 4_000, 5_000, 6_500, 8_000, 10_000, 12_500, 15_000, 20_000),
        *(25_000, 30_000, 40_000, 50_000, 60_000, 80_000, 100_000),
    ),
    first_step={OURS: 5_000, PEER: 1_500},
    step_seconds=4,
    overload_rate=10_000,
    overload_seconds=20,
    flood_events=600_000,
    sizes=(10_000, 100_000, 1_000_000),
    page_seconds=1.6,
    page_rate=1_000,
    ingest_rate=20_000,
    ingest_seconds=15,
    idle_seconds=10,
)
QUICK = Scale(
    burst={"redis": 6_000, "rabbitmq": 6_000},
    large_burst=0,
    multi=False,
    cpu_rate=1_000,
    cpu_fast={},
    cpu_seconds=3,
    settling_seconds=0,
    ladder=(1_000, 2_000, 4_000, 10_000, 20_000),
    first_step={OURS: 4_000, PEER: 1_000},
    step_seconds=1,
    overload_rate=10_000,
    overload_seconds=2,
    flood_events=0,
    sizes=(2_000,),
    page_seconds=0.05,
    page_rate=0,
    ingest_rate=20_000,
    ingest_seconds=2,
    idle_seconds=1.5,
)


@dataclass(frozen=True)
class Trial:
    """One side, or both, on one broker, for one repetition."""

    side: str
    broker: str
    url: str
    scale: Scale

    def of(self, side: str, database: int) -> Trial:
        """Return a trial of one side on a database of Redis that it has for itself."""
        return replace(self, side=side, url=urlsplit(self.url)._replace(path=f"/{database}").geturl())

    @contextmanager
    def server(self, *options: str, warm: bool = True) -> Iterator[tuple[Server, Publisher]]:
        """Run this side and a publisher; with `warm` events have arrived already."""
        with (
            TemporaryDirectory(prefix="flower-bench-") as folder,
            publishing(self.url) as publisher,
            serving(celery_of(self.side), self.url, options, Path(folder)) as server,
        ):
            if warm:
                server.warm(publisher)
            yield server, publisher


@dataclass(frozen=True)
class Scenario:
    """Something to measure. `about` explains the rows, for a reader of the report."""

    name: str
    title: str
    about: str
    measure: Callable[[Trial], Iterator[Figure]]
    brokers: Sequence[str] = ("redis", "rabbitmq")
    sides: Sequence[str] = (OURS, PEER)
    quick: Sequence[str] = ()
    """The brokers on which it is part of a quick run."""
    repeat: int = 3
    """Pairs of runs to take medians of."""
