from __future__ import annotations

from collections.abc import Iterable

import pytest

from flower.app.metrics import MetricSources
from flower_plugins import MetricFamily, MetricSource


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
