"""What a scraper reads."""

# mypy: allow-untyped-calls
# prometheus_client is annotated in part.

from __future__ import annotations

import logging
from collections.abc import Mapping

import prometheus_client
import pytest
from prometheus_client.openmetrics.parser import text_string_to_metric_families as parse_openmetrics
from prometheus_client.parser import text_string_to_metric_families as parse_classic

from flower_metrics_prometheus.exporter import PrometheusExporter
from flower_plugins import HistogramSample, MetricFamily, Sample

OPENMETRICS = {"Accept": "application/openmetrics-text;version=1.0.0"}
EVENTS = MetricFamily(
    "flower_events",
    "Number of events",
    "counter",
    ("worker", "type", "task"),
    [Sample(("w1@lab", "task-received", "proj.add"), 22.0, created=1_700_000_000.0)],
)
RUNTIME = MetricFamily(
    "flower_task_runtime_seconds",
    "Task runtime",
    "histogram",
    ("worker", "task"),
    [HistogramSample(("w1@lab", "proj.nap"), (1, 2, 3), 26.5, created=1_700_000_000.0)],
    (0.5, 10.0),
)
ONLINE = MetricFamily("flower_worker_online", "Worker online status", "gauge", ("worker",), [Sample(("w1@lab",), 1.0)])


def render(*families: MetricFamily, headers: Mapping[str, str] | None = None) -> tuple[str, str]:
    content_type, body = PrometheusExporter().render(families, headers or {})
    return content_type, body.decode()


@pytest.mark.parametrize(
    "line",
    [
        "# HELP flower_events_total Number of events",
        "# TYPE flower_events_total counter",
        'flower_events_total{task="proj.add",type="task-received",worker="w1@lab"} 22.0',
        "# TYPE flower_events_created gauge",
        'flower_events_created{task="proj.add",type="task-received",worker="w1@lab"} 1.7e+09',
        "# TYPE flower_task_runtime_seconds histogram",
        'flower_task_runtime_seconds_bucket{le="0.5",task="proj.nap",worker="w1@lab"} 1.0',
        'flower_task_runtime_seconds_bucket{le="10.0",task="proj.nap",worker="w1@lab"} 3.0',
        'flower_task_runtime_seconds_bucket{le="+Inf",task="proj.nap",worker="w1@lab"} 6.0',
        'flower_task_runtime_seconds_count{task="proj.nap",worker="w1@lab"} 6.0',
        'flower_task_runtime_seconds_sum{task="proj.nap",worker="w1@lab"} 26.5',
        "# TYPE flower_task_runtime_seconds_created gauge",
        "# TYPE flower_worker_online gauge",
        'flower_worker_online{worker="w1@lab"} 1.0',
    ],
)
def test_the_classic_text_has_the_lines_of_flower_2(line: str) -> None:
    content_type, text = render(EVENTS, RUNTIME, ONLINE)
    assert content_type.startswith("text/plain")
    assert line in text.splitlines()


def test_the_classic_text_can_be_parsed_with_the_process_families() -> None:
    names = {family.name for family in parse_classic(render(EVENTS, RUNTIME, ONLINE)[1])}
    assert {"flower_events", "flower_task_runtime_seconds", "python_info", "process_cpu_seconds"} <= names


def test_openmetrics_is_served_when_asked_for() -> None:
    content_type, text = render(EVENTS, RUNTIME, ONLINE, headers=OPENMETRICS)
    assert content_type.startswith("application/openmetrics-text")
    assert "flower_events" in {family.name for family in parse_openmetrics(text)}
    assert text.endswith("# EOF\n")


@pytest.mark.parametrize("value", ['a"b', "a\\b", "a\nb", "ü", "\ud800", '"} 1\nevil 1'])
def test_any_label_value_stays_one_label(value: str) -> None:
    family = MetricFamily("t", "T", "gauge", ("name",), [Sample((value,), 1.0)])
    samples = [sample for metric in parse_classic(render(family)[1]) if metric.name == "t" for sample in metric.samples]
    assert [sample.labels["name"] for sample in samples] == [value.encode("utf-8", "replace").decode()]


@pytest.mark.parametrize(
    "bad",
    [
        MetricFamily("no good", "x", "gauge", (), [Sample((), 1.0)]),
        MetricFamily("bad_label", "x", "gauge", ("a b",), [Sample(("1",), 1.0)]),
        MetricFamily("bad_label", "x", "gauge", ("__name__",), [Sample(("1",), 1.0)]),
        MetricFamily("twice", "x", "gauge", ("a", "a"), [Sample(("1", "2"), 1.0)]),
        MetricFamily("count", "x", "gauge", ("a",), [Sample((), 1.0)]),
        MetricFamily("kind", "x", "counter", (), [HistogramSample((), (1,), 1.0)]),
        MetricFamily("kind", "x", "histogram", (), [Sample((), 1.0)]),
        MetricFamily("width", "x", "histogram", (), [HistogramSample((), (1,), 1.0)], (1.0, 2.0)),
        MetricFamily("order", "x", "histogram", (), [HistogramSample((), (1, 1, 1), 1.0)], (2.0, 1.0)),
        MetricFamily("flower_worker_online", "again", "gauge", (), [Sample((), 1.0)]),
    ],
)
def test_a_family_that_cannot_be_written_costs_only_itself(bad: MetricFamily, caplog: pytest.LogCaptureFixture) -> None:
    exporter = PrometheusExporter()
    with caplog.at_level(logging.WARNING):
        for _ in range(2):
            text = exporter.render([ONLINE, bad, EVENTS], {})[1].decode()
    assert [family.name for family in parse_classic(text) if family.name.startswith("flower_")] == [
        "flower_worker_online",
        "flower_events",
        "flower_events_created",
    ]
    assert len(caplog.records) == 1


def test_the_global_registry_is_left_alone() -> None:
    before = prometheus_client.generate_latest().count(b"# TYPE")
    PrometheusExporter().render([EVENTS], {})
    PrometheusExporter().render([EVENTS], {})
    assert prometheus_client.generate_latest().count(b"# TYPE") == before
