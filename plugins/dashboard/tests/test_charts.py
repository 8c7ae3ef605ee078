"""Charts: what is drawn is what was counted."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from flower_dashboard.charts import bars, coarse, lines, spark
from flower_plugins import Series

LOOK = {"a": ("Alpha", "ok"), "b": ("Beta", "bad")}


def made(**values: Any) -> Series:
    return Series(1_000_000.0, 10, values)


def edges(path: str) -> list[tuple[float, float, float]]:
    """Return (place, lower edge, upper edge) of every bar in a path."""
    found = re.findall(r"M([\d.]+) ([\d.]+)V([\d.]+)h[\d.]+V[\d.]+z", path)
    return [(float(x), float(low), float(high)) for x, low, high in found]


def test_bars_stand_on_each_other_to_a_round_top() -> None:
    chart = bars(made(a=[2.0, 3.0], b=[5.0, None]), LOOK.__getitem__)
    assert chart.top == "8"
    assert [(band.label, band.tone, band.total) for band in chart.bands] == [("Alpha", "ok", "5"), ("Beta", "bad", "5")]
    assert edges(chart.bands[0].path) == [(0.07, 100.0, 75.0), (1.07, 100.0, 62.5)]
    assert edges(chart.bands[1].path) == [(0.07, 75.0, 12.5)]
    assert chart.summary == "Alpha 5; Beta 5"


def test_what_nobody_knows_is_covered_and_what_still_fills_is_marked() -> None:
    chart = bars(made(a=[None, 1.0], b=[None, 2.0]), LOOK.__getitem__)
    assert chart.unknown == "M0 0h1V100h-1z"
    assert chart.partial == "M1 0h1V100h-1z"
    assert bars(Series(0.0, 10, {"a": [1.0]}, incomplete=False), LOOK.__getitem__).partial == ""


def test_lines_break_where_nothing_was_measured() -> None:
    chart = lines(made(a=[1.0, 2.0, None, 1.0]), LOOK.__getitem__)
    assert chart.top == "2.00 s"
    assert chart.bands[0].path == "M0.5 50h.4L1.5 0M3.5 50h.4"
    assert chart.bands[0].total == "1.00 s"
    assert chart.unknown == ""


def test_before_the_first_sample_nothing_is_known() -> None:
    series = made(a=[None, None, 2.0, None, 1.0])
    assert lines(series, LOOK.__getitem__, sampled=True).unknown == "M0 0h1V100h-1zM1 0h1V100h-1z"
    assert lines(series, LOOK.__getitem__).unknown == ""  # nothing ended, and so nothing was measured
    assert lines(made(a=[1.0, None]), LOOK.__getitem__, sampled=True).unknown == ""


@pytest.mark.parametrize(("size", "step", "factor"), [(100, 1, 1), (300, 1, 2), (361, 10, 3), (1440, 60, 10)])
def test_many_buckets_become_few_and_lose_nothing(size: int, step: int, factor: int) -> None:
    start = 1_800_000_000.0 - step
    found = coarse(Series(start, step, {"a": [1.0] * size}), lambda values: float(sum(values)))
    assert found.step == step * factor
    assert len(found) <= 152
    assert found.total("a") == size
    assert found.start % found.step == 0
    assert found.start <= start < found.start + found.step


def test_numbers_for_the_pointer_are_words_and_cannot_leave_their_attribute() -> None:
    hostile = '"><script>'
    chart = bars(made(**{hostile: [1234.0]}), lambda label: (label, "ok"))
    assert json.loads(chart.values) == {hostile: ["1,234"]}


@pytest.mark.parametrize("values", [(), (None,), (0.0, 0.0)])
def test_nothing_is_drawn_of_nothing(values: tuple[Any, ...]) -> None:
    assert spark(values) == ""
    assert bars(made(a=list(values)), LOOK.__getitem__).empty
    assert bars(Series(0.0, 1, {}), LOOK.__getitem__).empty
