"""The rules every plugin and every exporter keeps."""

from __future__ import annotations

from flower_metrics_prometheus import plugin
from flower_metrics_prometheus.exporter import PrometheusExporter
from flower_plugins import MetricExporter
from flower_plugins.testing import MetricExporterContract, PluginContract


class TestPlugin(PluginContract):
    plugin = plugin


class TestExporter(MetricExporterContract):
    def make(self) -> MetricExporter:
        return PrometheusExporter()
