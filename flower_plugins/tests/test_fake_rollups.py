from __future__ import annotations

from typing import Any

import pytest

from flower_plugins import OTHER, QueryError
from flower_plugins.testing import FakeRollups


@pytest.fixture
def rollups() -> FakeRollups:
    rollups = FakeRollups(now=1_000_005.0)
    rollups.add("task-succeeded", task="shop.pay", worker="w1@shop", queue="celery", number=9)
    rollups.add("task-failed", task="shop.pay", worker="w1@shop", ago=30)
    rollups.add("task-succeeded", task="shop.mail", worker="w2@shop", ago=3000)
    return rollups


def test_a_span_chooses_its_resolution(rollups: FakeRollups) -> None:
    series = [rollups.counts(span) for span in (300, 3600, 86_400)]
    assert [(each.step, len(each)) for each in series] == [(1, 300), (10, 360), (60, 1440)]
    assert all(each.start % each.step == 0 for each in series)
    assert [{label: each.total(label) for label in each.labels} for each in series] == [
        {"task-succeeded": 9, "task-failed": 1},
        {"task-succeeded": 10, "task-failed": 1},
        {"task-succeeded": 10, "task-failed": 1},
    ]


def test_the_busiest_are_shown_and_the_rest_together(rollups: FakeRollups) -> None:
    series = rollups.counts(3600, by="task", limit=1)
    assert (series.labels, series.total("shop.pay"), series.total(OTHER)) == (("shop.pay", OTHER), 10, 1)
    assert rollups.counts(3600, task="shop.mail").labels == ("task-succeeded",)


@pytest.mark.parametrize(
    "call",
    [
        lambda rollups: rollups.counts(0),
        lambda rollups: rollups.counts(86_401),
        lambda rollups: rollups.counts(60, by="task", worker="w1@shop"),
        lambda rollups: rollups.counts(60, task="shop.pay", worker="w1@shop"),
        lambda rollups: rollups.percentiles("wait", 60, [1.5]),
        lambda rollups: rollups.percentiles("wait", 60, by="task"),
    ],
)
def test_what_is_not_kept_is_refused(rollups: FakeRollups, call: Any) -> None:
    with pytest.raises(QueryError):
        call(rollups)


def test_percentiles_and_summaries_follow_what_was_measured(rollups: FakeRollups) -> None:
    for seconds in range(1, 101):
        rollups.measure("runtime", seconds, task="shop.pay")
    series = rollups.percentiles("runtime", 60)
    assert {label: values[-1] for label, values in series.values.items()} == {"p50": 50, "p95": 95, "p99": 99}
    assert rollups.percentiles("runtime", 60, [0.5], by="task").labels == ("shop.pay",)
    (row,) = rollups.summary(300)
    assert (row.name, row.ended, row.failure_rate, row.runtime.p95) == ("shop.pay", 10, 0.1, 95)
    assert (row.last_failure, sum(filter(None, row.sparkline))) == (1_000_005 - 30, 10)
    assert rollups.summary(300, task="shop.pay") == [row]
    assert rollups.summary(300, task="nowhere") == []
    assert rollups.overall(3600).ended == 11


def test_queue_lengths_have_holes_where_nobody_looked(rollups: FakeRollups) -> None:
    rollups.length("celery", 4)
    rollups.length("celery", 7, ago=1)
    values = rollups.queue_lengths(30).values["celery"]
    assert list(values) == [None, None, 7]
