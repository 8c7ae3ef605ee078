from __future__ import annotations

import json

from flower_json_metrics import plugin
from flower_json_metrics.plugin import JsonMetrics

from flower_plugins import HistogramSample, MetricFamily, Sample
from flower_plugins.testing import MetricExporterContract, PluginContract


class TestPlugin(PluginContract):
    plugin = plugin


class TestExporter(MetricExporterContract):
    def make(self) -> JsonMetrics:
        return JsonMetrics()


def test_counters_and_histograms_are_told_by_label() -> None:
    families = [
        MetricFamily("events", "Events", "counter", ("type",), [Sample(("sent",), 2.0)]),
        MetricFamily("runtime", "Runtime", "histogram", (), [HistogramSample((), (1, 0, 2), 3.5)], (0.1, 1.0)),
    ]
    told = json.loads(JsonMetrics().render(families, {})[1])
    assert told["events"]["samples"] == [{"labels": {"type": "sent"}, "value": 2.0}]
    assert told["runtime"]["samples"] == [{"labels": {}, "counts": {"0.1": 1, "1.0": 0, "+Inf": 2}, "sum": 3.5}]
