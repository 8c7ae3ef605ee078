"""From Flower's metric families to prometheus_client's, checked so that one cannot spoil the others."""

# mypy: allow-untyped-calls
# prometheus_client is annotated in part.

from __future__ import annotations

import re
from itertools import accumulate

from prometheus_client.metrics_core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.utils import floatToGoString

from flower_plugins import HistogramSample, MetricFamily, Sample

__all__ = ["convert"]

_NAME = re.compile(r"[a-zA-Z_:][a-zA-Z0-9_:]*")
_LABEL = re.compile(r"(?!__)[a-zA-Z_][a-zA-Z0-9_]*")


def convert(family: MetricFamily) -> Metric:
    """Return the family as prometheus_client's; raise ValueError for one that cannot be written."""
    if not _NAME.fullmatch(family.name):
        raise ValueError("the name is not one of Prometheus")
    if not all(_LABEL.fullmatch(label) for label in family.labels) or len(set(family.labels)) < len(family.labels):
        raise ValueError("a label's name is not one of Prometheus, or stands twice")
    if family.type == "histogram":
        return _histogram(family)
    metric: CounterMetricFamily | GaugeMetricFamily
    if family.type == "counter":
        metric = CounterMetricFamily(family.name, family.help, labels=family.labels)
    else:
        metric = GaugeMetricFamily(family.name, family.help, labels=family.labels)
    for sample in family.samples:
        if not isinstance(sample, Sample):
            raise ValueError(f"a {family.type} holds {type(sample).__name__}")
        labels = _labels(family, sample.labels)
        if isinstance(metric, CounterMetricFamily):
            metric.add_metric(labels, sample.value, created=sample.created)
        else:
            metric.add_metric(labels, sample.value)
    return metric


def _histogram(family: MetricFamily) -> HistogramMetricFamily:
    if list(family.buckets) != sorted(set(family.buckets)):
        raise ValueError("the buckets do not grow")
    metric = HistogramMetricFamily(family.name, family.help, labels=family.labels)
    # The last bucket is always +Inf; one given as such would stand twice.
    bounds = [*(floatToGoString(bound) for bound in family.buckets), "+Inf"]
    for sample in family.samples:
        if not isinstance(sample, HistogramSample) or len(sample.counts) != len(bounds):
            raise ValueError("a histogram's sample has the wrong number of buckets")
        labels = _labels(family, sample.labels)
        metric.add_metric(labels, list(zip(bounds, accumulate(sample.counts), strict=True)), sample.sum)
        if sample.created is not None:
            metric.add_sample(f"{family.name}_created", dict(zip(family.labels, labels, strict=True)), sample.created)
    return metric


def _labels(family: MetricFamily, values: tuple[str, ...]) -> list[str]:
    if len(values) != len(family.labels):
        raise ValueError("a sample has another number of labels than its family")
    return [value if value.isascii() else value.encode("utf-8", "replace").decode() for value in values]
