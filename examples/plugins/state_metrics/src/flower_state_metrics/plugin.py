"""Entry point: a metric family for every exporter."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from flower_plugins import Host, MetricFamily, MetricSource, Sample, hookimpl

FLOWER_API_VERSION = 1


class TasksByState(MetricSource):
    """Asks for counts that Flower keeps anyway; the work does not grow with the number of tasks."""

    def __init__(self, host: Host) -> None:
        self._host = host

    def families(self) -> Iterator[MetricFamily]:
        samples = [Sample((state,), float(count)) for state, count in self._host.tasks.counts("state").items()]
        yield MetricFamily("example_tasks_kept", "Tasks in memory", "gauge", ("state",), samples)


@hookimpl
def flower_metric_sources(host: Host) -> Sequence[MetricSource]:
    return [TasksByState(host)]
