from __future__ import annotations

import math
import random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flower.state.rollups.durations import BINS, HistogramRing, bins, merged, pack, packed_quantiles, quantiles, tops
from flower.state.rollups.timeline import Level

seconds = st.floats(min_value=0.001, max_value=604_800)


def dense(values: list[float]) -> list[int]:
    found = bins(tops(values))
    return [found.get(place, 0) for place in range(BINS)]


@given(st.lists(seconds, min_size=1), st.floats(min_value=0, max_value=1))
def test_any_quantile_is_within_six_percent(values: list[float], wanted: float) -> None:
    (found,) = quantiles(dense(values), [wanted])
    exact = sorted(values)[max(math.ceil(wanted * len(values)) - 1, 0)]
    assert found is not None
    assert abs(found - exact) <= 0.06 * exact


@pytest.mark.parametrize(
    ("value", "place"), [(0.0, 0), (-5.0, 0), (1e-9, 0), (1e12, BINS - 1), (float("inf"), BINS - 1)]
)
def test_what_is_out_of_range_is_kept_at_the_ends(value: float, place: int) -> None:
    assert bins(tops([value])) == {place: 1}


@given(st.lists(st.lists(seconds), min_size=1, max_size=5))
def test_merged_histograms_are_the_histogram_of_all(parts: list[list[float]]) -> None:
    packed = [pack(bins(tops(part))) for part in parts]
    assert merged(packed) == dense([value for part in parts for value in part])


@given(st.lists(seconds, max_size=50))
def test_packed_and_open_ones_answer_alike(values: list[float]) -> None:
    wanted = (0.0, 0.5, 0.95, 1.0)
    assert packed_quantiles(pack(bins(tops(values))), wanted) == quantiles(dense(values), wanted)


def test_too_many_bins_lose_their_lowest_alone() -> None:
    counts = dict.fromkeys(range(100), 2)
    packed = pack(counts, kept=64)
    assert len(packed) == 64 * 5
    assert sum(merged([packed])) == 200
    assert packed_quantiles(packed, [0.5, 1.0]) == packed_quantiles(pack(counts), [0.5, 1.0])


def test_the_sums_of_windows_are_those_of_their_buckets() -> None:
    level = Level(1, 20)
    ring = HistogramRing(level, (5, 20), kept=8)
    level.add(ring)
    random.seed(3)
    for _ in range(200):
        ring.add(bins(tops(random.lognormvariate(0, 2) for _ in range(random.randrange(30)))))
        for window in (5, 20):
            places = [level.index - back for back in range(1, window)]
            expected = merged([*(ring.closed[place] for place in places), pack(ring.open)])
            assert list(ring.window(window)) == expected
        level.advance(random.choice([1, 1, 1, 2, 7, 30]), True)


@pytest.mark.parametrize(("sent", "wait"), [(None, 2.0), (8.0, 8.0), (1.0, 2.0)])
def test_a_wait_counts_from_the_earliest_that_is_known(machine: Any, sent: float | None, wait: float) -> None:
    machine.run(wait=2.0, sent=sent)
    assert machine.rollups.overall(300).wait.p50 == pytest.approx(wait, rel=0.06)


def test_tasks_with_an_eta_do_not_wait(machine: Any) -> None:
    machine.run(wait=500.0, eta="2027-01-01T00:00:00")
    assert machine.rollups.overall(300).wait.count == 0
    assert machine.rollups.overall(300).runtime.count == 1


def test_percentiles_come_in_the_resolution_of_their_span(machine: Any) -> None:
    for runtime in range(1, 101):
        machine.run(runtime=float(runtime), name="shop.pay" if runtime % 2 else "shop.mail")
    machine.pass_time(120)
    rollups = machine.rollups
    for span, step, back in ((300, 1, 121), (3600, 10, 13), (86_400, 60, 3)):
        series = rollups.percentiles("runtime", span, (0.5, 0.95))
        assert (series.step, series.labels) == (step, ("p50", "p95"))
        assert series.values["p50"][-back] == pytest.approx(50, rel=0.06)
        assert series.values["p95"][-back] == pytest.approx(95, rel=0.06)
        assert [value for place, value in enumerate(series.values["p50"]) if place != len(series) - back] == [None] * (
            len(series) - 1
        )
    for span, step in ((300, 60), (3600, 60), (86_400, 600)):
        by = rollups.percentiles("runtime", span, (1,), by="task")
        one = rollups.percentiles("runtime", span, (1,), task="shop.mail")
        assert (by.step, set(by.labels)) == (step, {"shop.mail", "shop.pay"})
        assert by.values["shop.mail"] == list(one.values["p100"])
        assert max(filter(None, one.values["p100"])) == pytest.approx(100, rel=0.06)
    (mail, pay) = rollups.summary(300)
    assert (mail.name, mail.runtime.count, pay.name, pay.runtime.count) == ("shop.mail", 50, "shop.pay", 50)
    machine.pass_time(300, tick=10)
    assert rollups.overall(300).runtime.count == 0
    assert [row.runtime.count for row in rollups.summary(3600)] == [50, 50]
