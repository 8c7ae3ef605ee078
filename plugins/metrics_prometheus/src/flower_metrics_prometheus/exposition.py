"""What a scrape answers: Flower's families and this process's, written by prometheus_client."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping

from prometheus_client import CollectorRegistry, GCCollector, PlatformCollector, ProcessCollector
from prometheus_client.exposition import choose_encoder
from prometheus_client.metrics_core import Metric

from flower_metrics_prometheus.conversion import convert
from flower_plugins import MetricFamily

__all__ = ["Exposition"]

_log = logging.getLogger("flower.metrics")


class Exposition:
    """Writes the families it is given, with the families `python_*` and `process_*` of this process.

    Nothing is registered with prometheus_client's global registry, which belongs to the application.
    """

    def __init__(self) -> None:
        self._process = CollectorRegistry()
        ProcessCollector(registry=self._process)
        PlatformCollector(registry=self._process)
        GCCollector(registry=self._process)
        self._refused: set[str] = set()

    def write(self, families: Iterable[MetricFamily], headers: Mapping[str, str]) -> tuple[str, bytes]:
        """Return (Content-Type, body): OpenMetrics when the Accept header asks for it, else the classic text."""
        encode, content_type = choose_encoder(headers.get("Accept", ""))
        return content_type, encode(_Snapshot([*self._converted(families), *self._process.collect()]))

    def _converted(self, families: Iterable[MetricFamily]) -> Iterable[Metric]:
        names: set[str] = set()
        for family in families:
            try:
                metric = convert(family)
            except ValueError as error:
                self._refuse(family.name, str(error))
                continue
            if metric.name in names:
                self._refuse(family.name, "there is a family of that name already")
                continue
            names.add(metric.name)
            yield metric

    def _refuse(self, name: str, reason: str) -> None:
        # A bad family would make the scraper drop the whole answer, so that one goes without it.
        if name not in self._refused:
            self._refused.add(name)
            _log.warning("Metric family %r is left out: %s", name, reason)


class _Snapshot(CollectorRegistry):
    """Families as of now, in the form prometheus_client's encoders take."""

    def __init__(self, metrics: Iterable[Metric]) -> None:
        super().__init__()
        self._metrics = tuple(metrics)

    def collect(self) -> Iterable[Metric]:
        return self._metrics
