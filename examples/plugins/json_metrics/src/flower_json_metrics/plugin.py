"""Entry point: an exporter that writes all metric families as JSON."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence

from flower_plugins import HistogramSample, MetricExporter, MetricFamily, Sample, hookimpl

FLOWER_API_VERSION = 1


class JsonMetrics(MetricExporter):
    """Answers at a path of its own; who may read it is decided like for /metrics."""

    path = "/metrics.json"
    content_types = ("application/json",)

    def render(self, families: Iterable[MetricFamily], headers: Mapping[str, str]) -> tuple[str, bytes]:
        told = {
            family.name: {"type": family.type, "samples": [_told(family, sample) for sample in family.samples]}
            for family in families
        }
        return "application/json", json.dumps(told).encode()


def _told(family: MetricFamily, sample: Sample | HistogramSample) -> dict[str, object]:
    labels = dict(zip(family.labels, sample.labels, strict=True))
    if isinstance(sample, HistogramSample):
        bounds = [*map(str, family.buckets), "+Inf"]
        return {"labels": labels, "counts": dict(zip(bounds, sample.counts, strict=True)), "sum": sample.sum}
    return {"labels": labels, "value": sample.value}


@hookimpl
def flower_metric_exporters() -> Sequence[MetricExporter]:
    return [JsonMetrics()]
