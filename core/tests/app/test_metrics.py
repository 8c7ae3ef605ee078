from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pytest

from flower.app.metrics import MetricSources
from flower_plugins import HistogramSample, MetricFamily, MetricSource, Sample


class Source(MetricSource):
    """Yields one family, and raises after it at the calls it is told."""

    def __init__(self, name: str, raises_at: Iterable[int] = ()) -> None:
        self._name, self._raises_at, self.calls = name, set(raises_at), 0

    def families(self) -> Iterable[MetricFamily]:
        self.calls += 1
        yield MetricFamily(self._name, "A number", "gauge")
        if self.calls in self._raises_at:
            raise ValueError


def test_a_source_that_raises_is_left_out_and_given_up_after_five_in_a_row(caplog: pytest.LogCaptureFixture) -> None:
    """R40"""
    told: list[tuple[str, str]] = []
    bad, good = Source("bad", {1, 2, 4, 5, 6, 7, 8, 9}), Source("good")
    sources = MetricSources([("a", bad), ("b", good)], lambda *words: told.append(words))
    answers = [[family.name for family in sources.families()] for _ in range(12)]
    assert [number for number, names in enumerate(answers, 1) if names != ["good"]] == [3]
    assert (bad.calls, good.calls) == (8, 12)
    assert told == [("a", "the metric source is off: it raised ValueError 5 times in a row")]
    assert len(caplog.records) == 2


class Given(MetricSource):
    """Gives what it was made with."""

    def __init__(self, given: Any) -> None:
        self._given = given

    def families(self) -> Any:
        return self._given


@pytest.mark.parametrize(
    "given",
    [
        [5],
        None,
        [MetricFamily("m", None, "gauge")],  # type: ignore[arg-type]
        [MetricFamily("m", "Help", "summary")],  # type: ignore[arg-type]
        [MetricFamily("m", "Help", "gauge", samples=None)],  # type: ignore[arg-type]
        [MetricFamily("m", "Help", "gauge", (1,), [Sample(("x",), 1.0)])],  # type: ignore[arg-type]
        [MetricFamily("m", "Help", "gauge", ("a",), [Sample((None,), 1.0)])],  # type: ignore[arg-type]
        [MetricFamily("m", "Help", "gauge", ("a",), [Sample((), 1.0)])],
        [MetricFamily("m", "Help", "gauge", (), [Sample((), None)])],  # type: ignore[arg-type]
        [MetricFamily("m", "Help", "gauge", (), [Sample((), "1")])],  # type: ignore[arg-type]
        [MetricFamily("m", "Help", "gauge", (), [HistogramSample((), (1,), 1.0)])],
        [MetricFamily("m", "Help", "histogram", (), [Sample((), 1.0)])],
        [MetricFamily("m", "Help", "histogram", (), [HistogramSample((), ("1",), 1.0)])],  # type: ignore[arg-type]
    ],
)
def test_what_no_exporter_could_write_is_left_out_and_its_plugin_named(
    given: Any, caplog: pytest.LogCaptureFixture
) -> None:
    sources = MetricSources([("bad", Given(given)), ("good", Source("good"))], lambda *_: None)
    assert [family.name for family in sources.families()] == ["good"]
    assert "The metrics of plugin bad could not be read" in caplog.text
