"""Metric families, who produces them and who publishes them."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from typing import Literal

from msgspec import Struct, field

__all__ = ["HistogramSample", "MetricExporter", "MetricFamily", "MetricSource", "Sample"]


class Sample(Struct, frozen=True):
    """One series of a counter or gauge; `labels` are the values in the order of the family's names."""

    labels: tuple[str, ...]
    value: float
    created: float | None = None


class HistogramSample(Struct, frozen=True):
    """One series of a histogram: `counts` per bucket, not cumulative, the last one for +Inf."""

    labels: tuple[str, ...]
    counts: tuple[int, ...]
    sum: float
    created: float | None = None


class MetricFamily(Struct, frozen=True):
    """One metric: `name` without the `_total` of counters; `buckets` are upper bounds, in the metric's unit."""

    name: str
    help: str
    type: Literal["counter", "gauge", "histogram"]
    labels: tuple[str, ...] = ()
    samples: Sequence[Sample] | Sequence[HistogramSample] = field(default=())
    buckets: tuple[float, ...] = ()


class MetricSource(ABC):
    """Produces families when asked; counts as it goes, so that asking is cheap."""

    @abstractmethod
    def families(self) -> Iterable[MetricFamily]:
        """Return the families as of now, on the event loop."""


class MetricExporter(ABC):
    """Publishes families in one format at one path."""

    path: str
    """Where core serves it, beginning with a slash."""

    content_types: Sequence[str] = ("text/plain",)
    """What `render` answers with, for the documentation; without parameters."""

    @abstractmethod
    def render(self, families: Iterable[MetricFamily], headers: Mapping[str, str]) -> tuple[str, bytes]:
        """Return (Content-Type, body) for a request that carried `headers`."""
