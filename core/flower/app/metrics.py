"""Collects every source's metric families, each on its own."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence

from flower.web.posture import Posture
from flower_plugins import MetricFamily, MetricSource, Sample

__all__ = ["PostureMetrics", "collect"]

log = logging.getLogger(__name__)


def collect(sources: Sequence[tuple[str, MetricSource]]) -> Iterator[MetricFamily]:
    """Yield the families of all sources; one that raises is left out of this answer."""
    for plugin, source in sources:
        try:
            yield from list(source.families())
        except Exception:  # the plugin boundary: one plugin's numbers must not cost the others'
            log.exception("The metrics of plugin %s could not be read", plugin)


class PostureMetrics(MetricSource):
    """Says in what ways the configuration is not safe."""

    def __init__(self, posture: Posture) -> None:
        self._posture = posture

    def families(self) -> Iterator[MetricFamily]:
        """Yield `flower_insecure_config`, one series per reason."""
        yield MetricFamily(
            "flower_insecure_config",
            "Ways in which this Flower is open to people it should not be open to",
            "gauge",
            ("reason",),
            [Sample((reason,), 1.0) for reason in self._posture.insecure()],
        )
