"""What this plugin brings: `/metrics`."""

from __future__ import annotations

from collections.abc import Sequence

from flower_metrics_prometheus.exporter import PrometheusExporter
from flower_plugins import MetricExporter, hookimpl

FLOWER_API_VERSION = 1


@hookimpl
def flower_metric_exporters() -> Sequence[MetricExporter]:
    return [PrometheusExporter()]
