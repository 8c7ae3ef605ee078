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

    def check(self) -> None:
        """Raise ValueError with a sentence for what no exporter could write, such as a label that is no text."""
        if not (isinstance(self.name, str) and self.name and isinstance(self.help, str)):
            raise ValueError(f"the metric {self.name!r} has a name or a help that is no text")
        if not (isinstance(self.labels, tuple) and all(isinstance(label, str) for label in self.labels)):
            raise ValueError(f"the metric {self.name!r} has the labels {self.labels!r:.100}")
        if self.type not in ("counter", "gauge", "histogram"):
            raise ValueError(f"the metric {self.name!r} has the type {self.type!r}")
        if not isinstance(self.samples, (list, tuple)):
            raise ValueError(f"the samples of the metric {self.name!r} are no list")
        wanted = HistogramSample if self.type == "histogram" else Sample
        for sample in self.samples:
            if not isinstance(sample, wanted):
                raise ValueError(f"the {self.type} {self.name!r} holds {sample!r:.100}")
            if len(sample.labels) != len(self.labels) or not all(isinstance(value, str) for value in sample.labels):
                raise ValueError(f"the metric {self.name!r} has the label values {sample.labels!r:.100}")
            numbers = (*sample.counts, sample.sum) if isinstance(sample, HistogramSample) else (sample.value,)
            if not all(isinstance(number, (int, float)) for number in numbers):
                raise ValueError(f"the metric {self.name!r} has values that are no numbers: {numbers!r:.100}")


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
