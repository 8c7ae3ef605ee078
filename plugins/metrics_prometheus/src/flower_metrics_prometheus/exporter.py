"""Flower's metric families in the text formats of Prometheus and OpenMetrics."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from flower_plugins import MetricExporter, MetricFamily

if TYPE_CHECKING:
    from flower_metrics_prometheus.exposition import Exposition

__all__ = ["PrometheusExporter"]


class PrometheusExporter(MetricExporter):
    """Serves `/metrics`, with the families `python_*` and `process_*` of this process."""

    path = "/metrics"
    content_types = ("text/plain", "application/openmetrics-text")
    _exposition: Exposition | None = None

    def render(self, families: Iterable[MetricFamily], headers: Mapping[str, str]) -> tuple[str, bytes]:
        """Return (Content-Type, body): OpenMetrics when the Accept header asks for it, else the classic text."""
        if self._exposition is None:
            # Local: a Flower that nobody scrapes does without prometheus_client.
            from flower_metrics_prometheus.exposition import Exposition

            self._exposition = Exposition()
        return self._exposition.write(families, headers)
