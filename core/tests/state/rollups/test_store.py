"""Rollups and counters tell the same, within bounds of time and memory."""

from __future__ import annotations

import gc
import tracemalloc
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flower.state.rollups.store import MAX_QUEUES, MAX_TASKS, MAX_WORKERS, RollupStore
from flower.state.rollups.tallies import KINDS, Tallies
from flower.state.workers import WorkerRecord
from flower_plugins import OTHER, QueryError, Sample

WORST_BYTES = 120_000_000
"""What docs/decisions/0010-rollups.md promises."""
IDLE_BYTES = 400_000

kinds = st.sampled_from((*KINDS, "task-progress"))
steps = st.lists(
    st.tuples(
        kinds,
        st.sampled_from(["a", "b", ""]),
        st.sampled_from(["w1", "w2"]),
        st.sampled_from([None, "mail"]),
        st.integers(1, 4),
        st.integers(0, 90),
    ),
    max_size=25,
)


def sums(rollups: Any, **query: Any) -> dict[str, float]:
    series = rollups.counts(86_400, **query)
    return {label: total for label in series.labels if (total := series.total(label))}


@settings(max_examples=60, deadline=None)
@given(steps)
def test_sums_equal_the_counters(make_machine: Callable[[], Any], steps: Any) -> None:
    machine = make_machine()
    for kind, name, worker, queue, number, seconds in steps:
        host = {} if kind == "task-sent" else {"hostname": worker}
        machine.see(kind, number=number, name=name or None, queue=queue, **host)
        machine.pass_time(seconds, tick=max(seconds // 3, 1))
    family = next(each for each in machine.state.metrics.families() if each.name == "flower_events")
    by_kind: dict[str, float] = {}
    by_task: dict[str, float] = {}
    by_worker: dict[str, float] = {}
    for sample in family.samples:
        assert isinstance(sample, Sample)
        task, kind, worker = sample.labels
        kind = kind if kind in KINDS else OTHER
        by_kind[kind] = by_kind.get(kind, 0) + sample.value
        by_task[task or OTHER] = by_task.get(task or OTHER, 0) + sample.value
        if worker != "client":
            by_worker[worker] = by_worker.get(worker, 0) + sample.value
    queued = sum(number for _, _, _, queue, number, _ in steps if queue)
    assert sums(machine.rollups) == by_kind
    assert sums(machine.rollups, by="task") == by_task
    assert sums(machine.rollups, by="worker") == by_worker
    assert sums(machine.rollups, by="queue") == ({"mail": queued} if queued else {})
    for task, total in by_task.items():
        assert sum(sums(machine.rollups, task=task).values()) == total
    assert {row.name: sum(row.counts.values()) for row in machine.rollups.summary(86_400)} == by_task
    assert dict(machine.rollups.overall(86_400).counts) == by_kind


def test_the_busiest_come_first_and_the_rest_together(machine: Any) -> None:
    for number in range(12):
        machine.see("task-failed", number=number + 1, name=f"task{number:02}")
        machine.see("task-succeeded", number=40 - number, name=f"task{number:02}")
    machine.pass_time(15)
    series = machine.rollups.counts(3600, by="task", types=["task-failed"], limit=3)
    assert [(label, series.total(label)) for label in series.labels] == [
        ("task11", 12),
        ("task10", 11),
        ("task09", 10),
        (OTHER, 45),
    ]
    assert sums(machine.rollups, by="task", types=["task-failed"], limit=0) == {OTHER: 78}
    assert sums(machine.rollups, task="task11") == {"task-failed": 12, "task-succeeded": 29}
    assert machine.rollups.counts(300, task="nobody").values == {}
    assert set(machine.rollups.counts(300, types=["task-failed", "task-revoked"]).labels) == {
        "task-failed",
        "task-revoked",
    }


def test_many_events_in_one_bucket_are_counted(machine: Any) -> None:
    tally = machine.state._tallies.of("a", "task-received")
    for _ in range(3):
        tally.count += 40_000
        machine.pass_time(1)
    machine.pass_time(60)
    assert sums(machine.rollups) == {"task-received": 120_000}
    assert max(filter(None, machine.rollups.counts(3600, by="task").values["a"])) == 120_000


def test_workers_restored_or_forgotten_count_once(make_machine: Callable[..., Any]) -> None:
    machine = make_machine(max_workers=1)
    machine.state.restore_workers([{"hostname": "w1@shop", "counts": {"task-received": 500}}])
    machine.see("task-received", number=2)
    machine.pass_time(10)
    assert sums(machine.rollups, by="worker") == {"w1@shop": 2}
    machine.see("task-received", number=3, hostname="w2@shop")
    machine.pass_time(10)
    machine.see("task-received")
    assert sums(machine.rollups, by="worker") == {"w1@shop": 3, "w2@shop": 3}


def test_names_beyond_the_bounds_share_a_label_and_room_is_made_again(machine: Any) -> None:
    for number in range(MAX_TASKS + 50):
        machine.see("task-received", name=f"task{number:03}", hostname=f"w{number}@shop")
    machine.pass_time(10)
    assert len(machine.rollups.summary(3600)) == MAX_TASKS + 1
    assert sums(machine.rollups, by="task", limit=1000)[OTHER] == 50
    machine.pass_time(3600, tick=10)
    assert machine.rollups.summary(3600) == []
    machine.see("task-received", name="task249")
    assert [row.name for row in machine.rollups.summary(3600)] == ["task249"]


@pytest.mark.parametrize(
    "call",
    [
        lambda rollups: rollups.counts(0),
        lambda rollups: rollups.counts(float("nan")),
        lambda rollups: rollups.counts(86_401),
        lambda rollups: rollups.counts(60, by="host"),
        lambda rollups: rollups.counts(60, by="task", worker="w1@shop"),
        lambda rollups: rollups.counts(60, task="shop.pay", worker="w1@shop"),
        lambda rollups: rollups.percentiles("age", 60),
        lambda rollups: rollups.percentiles("wait", 60, [1.5]),
        lambda rollups: rollups.percentiles("wait", 60, []),
        lambda rollups: rollups.percentiles("wait", 60, by="task"),
        lambda rollups: rollups.summary(-1),
        lambda rollups: rollups.queue_lengths(1e9),
    ],
)
def test_what_is_not_kept_is_refused(machine: Any, call: Any) -> None:
    with pytest.raises(QueryError):
        call(machine.rollups)


def test_a_row_says_how_a_task_fares(machine: Any) -> None:
    machine.pass_time(300)
    for _ in range(9):
        machine.run(wait=1.0, runtime=2.0)
    machine.see("task-failed", exception="ValueError('x')")
    machine.pass_time(60)
    (row,) = machine.rollups.summary(200)
    assert (row.name, row.seconds, row.ended, row.rate, row.failure_rate) == ("shop.pay", 300, 10, 10 / 300, 0.1)
    assert row.runtime.p95 == pytest.approx(2.0, rel=0.06)
    assert row.wait.p50 == pytest.approx(1.0, rel=0.06)
    assert (len(row.sparkline), sum(row.sparkline), row.sparkline[-7]) == (30, 10, 10)
    assert row.last_failure == machine.wall - 60
    assert [len(machine.rollups.overall(span).sparkline) for span in (300, 3600, 86_400)] == [30, 60, 48]


def test_queue_lengths_keep_the_most_of_a_bucket(machine: Any) -> None:
    for messages in (3, 9, 4):
        machine.rollups.note_length("mail", messages)
    machine.rollups.note_length("celery", 0)
    machine.pass_time(20)
    machine.rollups.note_length("mail", 5)
    series = machine.rollups.queue_lengths(30)
    assert dict(series.values) == {"celery": [0, None, None], "mail": [9, None, 5]}
    assert machine.rollups.queue_lengths(86_400, "mail").values["mail"][-1] == 9
    assert machine.rollups.queue_lengths(30, limit=1).labels == ("mail",)
    machine.pass_time(3600, tick=10)
    assert machine.rollups.queue_lengths(3600).values == {}


def test_an_idle_flower_keeps_next_to_nothing() -> None:
    tracemalloc.start()
    try:
        now = [1_800_000_000.0]
        store = RollupStore(Tallies(), gaps=tuple, now=lambda: now[0], monotonic=lambda: now[0])
        for _ in range(200):
            now[0] += 1
            store.tick(listening=True)
        used = tracemalloc.get_traced_memory()[0]
    finally:
        tracemalloc.stop()
    assert used < IDLE_BYTES


def test_the_worst_case_stays_within_its_bytes() -> None:
    """Every name there may be, every type, in every bucket of a day, runtimes and waits of all lengths.

    Buckets are filled in leaps: each level only knows which of its buckets are not empty.
    """
    now = [1_800_000_000.0]
    every = (*KINDS, "task-progress")
    workers = {f"worker{number}": WorkerRecord(f"worker{number}", lambda: 0.0) for number in range(MAX_WORKERS)}
    tallies = Tallies(lambda: workers)
    tracemalloc.start()
    try:
        store = RollupStore(tallies, gaps=tuple, now=lambda: now[0], monotonic=lambda: now[0])
        lengths = [0.001 * 1.1**power for power in range(200)]
        for name in range(MAX_TASKS):
            tallies.runtimes[f"task{name}"] += lengths
            tallies.waits[f"task{name}"] += lengths
        for worker in workers.values():
            worker.counts.update(dict.fromkeys(every, 70_000))
        for kind in every:
            for name in range(MAX_TASKS):
                tallies.of(f"task{name}", kind, f"queue{name % MAX_QUEUES}").count += 70_000
        for name in range(MAX_QUEUES):
            store.note_length(f"queue{name}", 5)
        now[0] += 60
        store.tick(listening=True)
        store.summary(86_400)
        gc.collect()
        used = tracemalloc.get_traced_memory()[0]
    finally:
        tracemalloc.stop()
    # One bucket of each histogram is closed by now: all of them would be, each of at most 64 bins of 5 bytes.
    closed = 2 * MAX_TASKS * (60 + 144) * (64 * 5 + 33) + 2 * (300 + 360 + 1440) * (242 * 5 + 33)
    assert 50_000_000 < used + closed < WORST_BYTES


def test_the_summary_of_one_task_is_its_row_of_all(machine: Any) -> None:
    machine.run(name="shop.pay", runtime=2.0)
    machine.run(name="mail.send", runtime=1.0)
    (mail, pay) = machine.rollups.summary(3600)
    assert machine.rollups.summary(3600, task="shop.pay") == [pay]
    assert machine.rollups.summary(300, task="mail.send")[0].counts == mail.counts
    assert machine.rollups.summary(3600, task="nowhere") == []


def test_questions_of_one_moment_bring_everything_up_to_date_once(machine: Any, monkeypatch: Any) -> None:
    taken = []
    take = Tallies.take_fine
    monkeypatch.setattr(Tallies, "take_fine", lambda tallies: taken.append(1) or take(tallies))
    machine.run(name="shop.pay")
    for _ in range(3):
        machine.rollups.summary(3600)
        machine.rollups.overall(3600)
        machine.rollups.counts(300)
    assert len(taken) == 1
    machine.run(name="shop.pay")
    assert machine.rollups.overall(3600).ended == 2
    machine.see("task-failed")
    assert machine.rollups.counts(300, task="shop.pay").total("task-failed") == 1
    assert machine.rollups.overall(3600).ended == 3
    assert len(taken) == 4
