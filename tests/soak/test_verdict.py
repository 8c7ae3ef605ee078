"""A leak the size of the bound is found, the swaying of the allocator is not."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import replace

import pytest
from tests.soak.verdict import DAY_BYTES, DAY_TASKS, DAY_WORKERS, NOISE, Sample, judge, slope, troughs

MEGABYTE = 2**20
START = Sample(60.0, 80 * MEGABYTE, 20, 6, 9000, 900_000, 0.003, 1500, 50_000)


def samples(change: Callable[[int, Sample], Sample], *, workers: int = 25, tasks: int = 825) -> list[Sample]:
    """Return a hundred samples a second apart, with churn by the second, each changed by its number."""
    steady = [
        replace(START, at=START.at + n, workers=START.workers + n * workers, tasks=START.tasks + n * tasks)
        for n in range(100)
    ]
    return [change(number, sample) for number, sample in enumerate(steady)]


def broken(found: list[Sample]) -> list[str]:
    return [finding.name for finding in judge(found) if not finding.kept]


def test_what_stays_as_it_is_passes() -> None:
    assert broken(samples(lambda _, sample: sample)) == []


def test_memory_that_sways_and_peaks_passes() -> None:
    dice = random.Random(3)
    found = samples(lambda _, s: replace(s, memory=s.memory + int(dice.expovariate(1 / (3 * MEGABYTE)))))
    assert broken(found) == []


@pytest.mark.parametrize(("a_worker", "names"), [(1000, []), (1500, ["memory"])])
def test_a_short_run_finds_somewhat_more_than_a_kilobyte_a_worker(a_worker: int, names: list[str]) -> None:
    assert broken(samples(lambda number, s: replace(s, memory=s.memory + number * 25 * a_worker))) == names


@pytest.mark.parametrize(("share", "names"), [(0.9, []), (1.1, ["memory"])])
def test_a_run_with_the_churn_of_a_day_may_grow_by_what_a_day_may(share: float, names: list[str]) -> None:
    workers, tasks = DAY_WORKERS // 99 + 1, DAY_TASKS // 99 + 1
    grown = int(DAY_BYTES * share / 99)
    found = samples(lambda n, s: replace(s, memory=s.memory + n * grown), workers=workers, tasks=tasks)
    assert broken(found) == names
    assert DAY_BYTES > NOISE


@pytest.mark.parametrize(
    ("field", "step", "name"),
    [
        ("files", 1, "file descriptors"),
        ("threads", 1, "threads"),
        ("series", 50, "series of /metrics"),
        ("metrics", 5000, "bytes of /metrics"),
        ("latency", 0.001, "answer to /healthcheck"),
    ],
)
def test_what_creeps_up_is_found(field: str, step: float, name: str) -> None:
    def creep(number: int, sample: Sample) -> Sample:
        value = getattr(sample, field) + number * step
        changed: Sample = replace(sample, **{field: value})
        return changed

    assert broken(samples(creep)) == [name]


def test_a_single_peak_of_file_descriptors_early_passes() -> None:
    assert broken(samples(lambda number, s: replace(s, files=30 if number == 5 else 20))) == []


def test_a_soak_in_which_nothing_happened_fails() -> None:
    assert broken(samples(lambda _, sample: sample, workers=0, tasks=0)) == ["churn meanwhile"]


def test_the_slope_is_not_moved_by_outliers() -> None:
    points = [(float(n), 3.0 * n) for n in range(20)]
    points[4] = points[4][0], 1000.0
    assert slope(points) == pytest.approx(3.0)


def test_troughs_are_the_least_of_each_window() -> None:
    found = troughs(samples(lambda number, s: replace(s, memory=100 if number % 5 == 0 else 500)))
    assert len(found) == 20
    assert {memory for _, memory in found} == {100}
