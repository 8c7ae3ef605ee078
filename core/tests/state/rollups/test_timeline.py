"""R47: buckets keep their place in time whatever happens to the clock."""

from __future__ import annotations

from typing import Any

import pytest

from flower_plugins import Gap

BEGAN = 1_800_000_000.0


def shown(machine: Any, span: float) -> dict[float, float]:
    """Return what was counted of task-received, by time, without zeros."""
    series = machine.rollups.counts(span, types=["task-received"])
    row = series.values["task-received"]
    return {series.start + place * series.step - BEGAN: value for place, value in enumerate(row) if value}


@pytest.mark.parametrize("span", [300, 3600, 86_400])
def test_buckets_begin_at_multiples_of_their_length(machine: Any, span: int) -> None:
    machine.pass_time(47)
    machine.see("task-received", number=3)
    machine.pass_time(40)
    series = machine.rollups.counts(span)
    assert series.start % series.step == 0
    assert shown(machine, span) == {47 // series.step * series.step: 3}
    assert series.start + len(series) * series.step > machine.wall >= series.start + (len(series) - 1) * series.step
    assert series.incomplete


def test_what_is_older_than_the_ring_is_gone(machine: Any) -> None:
    machine.see("task-received")
    machine.pass_time(299)
    assert shown(machine, 300) == {0: 1}
    machine.pass_time(1)
    assert shown(machine, 300) == {}
    machine.pass_time(3300, tick=10)
    assert shown(machine, 3600) == {}
    assert shown(machine, 86_400) == {0: 1}
    machine.pass_time(86_400, tick=60)
    assert shown(machine, 86_400) == {}


def test_nothing_is_known_of_the_time_before_the_start(machine: Any) -> None:
    machine.see("task-received")
    machine.pass_time(2)
    assert list(machine.rollups.counts(5).values["task-received"]) == [None, None, 1, 0, 0]


def test_a_clock_set_back_leaves_everything_as_old_as_it_is_r47(machine: Any) -> None:
    machine.pass_time(20)
    machine.see("task-received", number=2)
    machine.pass_time(30)
    machine.wall -= 3600
    machine.pass_time(10)
    machine.see("task-received", number=5)
    # The second in which it was set back lasts two.
    assert shown(machine, 300) == {21 - 3600: 2, 60 - 3600: 5}
    assert shown(machine, 3600) == {20 - 3600: 2, 60 - 3600: 5}
    assert sum(shown(machine, 86_400).values()) == 7
    assert machine.rollups.counts(86_400).start % 60 == 0


def test_a_clock_set_forward_leaves_a_hole_r47(machine: Any) -> None:
    machine.pass_time(20)
    machine.see("task-received", number=2)
    machine.wall += 1800
    machine.pass_time(10)
    machine.see("task-received")
    assert shown(machine, 3600) == {20: 2, 1830: 1}
    series = machine.rollups.counts(3600)
    row = series.values["task-received"]
    place = int((BEGAN + 900 - series.start) // 10)
    assert row[place] is None
    assert row[-1] == 1


def test_small_corrections_and_late_ticks_are_no_steps(machine: Any) -> None:
    for _ in range(50):
        machine.see("task-received")
        machine.wall += 1.02
        machine.mono += 1.0
        machine.state.tick(listening=True)
    machine.pass_time(9, tick=3)
    row = machine.rollups.counts(50).values["task-received"]
    assert None not in row
    assert row[-9:] == [0] * 9
    assert sum(shown(machine, 300).values()) == 50


def test_while_nobody_listens_nothing_is_known(machine: Any) -> None:
    machine.see("task-received")
    machine.pass_time(3)
    machine.listening = False
    machine.pass_time(3)
    assert list(machine.rollups.counts(7).values["task-received"]) == [1, 0, 0, 0, None, None, None]


def test_a_gap_is_missing_and_not_zero(machine: Any) -> None:
    machine.see("task-received")
    machine.pass_time(60)
    machine.see("task-received")
    machine.pass_time(60)
    machine.gaps = [Gap(BEGAN + 15, BEGAN + 31, "gone"), Gap(BEGAN + 115, None, "gone")]
    row = machine.rollups.counts(130).values["task-received"]
    assert list(row[-121:])[15:32] == [None] * 17
    assert (row[-121], row[-120], row[-61], row[-1]) == (1, 0, 1, None)
    minutes = machine.rollups.counts(86_400).values["task-received"]
    assert list(minutes[-3:]) == [1, 1, None]


def test_events_of_a_busy_loop_fall_into_their_second_without_a_tick(machine: Any) -> None:
    for _ in range(3):
        machine.see("task-received")
        machine.wall += 1
        machine.mono += 1
    machine.see("task-received")
    assert list(machine.rollups.counts(4).values["task-received"]) == [1, 1, 1, 1]
