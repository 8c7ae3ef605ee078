from __future__ import annotations

import asyncio
import logging
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from types import SimpleNamespace
from typing import Any

import pytest

from flower.history import Recorder
from flower_plugins import ConfigurationError, HistoryStore, Row, TaskChange, WorkerChange


class MemoryStore(HistoryStore):
    """Keeps rows in a dict, notes which thread called, and fails on demand."""

    def __init__(self) -> None:
        self.rows: dict[tuple[str, str], Row] = {}
        self.batches: list[int] = []
        self.threads: set[int] = set()
        self.error: Exception | None = None
        self.closed = False
        self.delay: Callable[[], None] = lambda: None

    def open(self) -> None:
        self.threads.add(threading.get_ident())
        if self.error is not None:
            raise self.error

    def load(self, kind: str, limit: int) -> Sequence[Row]:
        self.threads.add(threading.get_ident())
        return sorted((row for row in self.rows.values() if row.kind == kind), key=lambda row: row.order)[-limit:]

    def save(self, rows: Sequence[Row], removed: Sequence[tuple[str, str]]) -> None:
        self.threads.add(threading.get_ident())
        self.batches.append(len(rows) + len(removed))
        self.delay()
        if self.error is not None:
            raise self.error
        self.rows.update({(row.kind, row.key): row for row in rows})
        for key in removed:
            self.rows.pop(key, None)

    def close(self) -> None:
        self.closed = True


def dump(record: Any) -> Mapping[str, Any]:
    return dict(vars(record))


def task(uuid: str = "a", **fields: Any) -> Any:
    return SimpleNamespace(uuid=uuid, **fields)


def changed(record: Any) -> TaskChange:
    return TaskChange(record, None, "task-received", "w1@host")


def make(store: HistoryStore, **options: Any) -> Recorder:
    return Recorder(store, dump_task=dump, dump_worker=dump, **options)


@pytest.fixture
def store() -> MemoryStore:
    return MemoryStore()


def keys(store: MemoryStore) -> list[str]:
    return [row.key for row in sorted(store.rows.values(), key=lambda row: row.order)]


def test_changes_reach_the_store_with_the_fields_of_the_moment_they_are_saved(store: MemoryStore) -> None:
    async def run() -> None:
        recorder, record = make(store), task(state="RECEIVED")
        recorder.on_changes([changed(record), changed(record)])
        record.state = "SUCCESS"
        recorder.on_changes([WorkerChange(SimpleNamespace(hostname="w1@host", pid=7), "worker-online")])
        await recorder.stop()

    asyncio.run(run())
    assert {key: dict(row.fields) for key, row in store.rows.items()} == {
        ("task", "a"): {"uuid": "a", "state": "SUCCESS"},
        ("worker", "w1@host"): {"hostname": "w1@host", "pid": 7},
    }
    assert store.batches == [2]
    assert store.closed


def test_it_saves_by_itself_every_interval(store: MemoryStore) -> None:
    async def run() -> None:
        recorder = make(store, interval=0.01)
        await recorder.load(tasks=10, workers=10)
        await recorder.start()
        for uuid in ("a", "b"):
            recorder.on_changes([changed(task(uuid))])
            await with_deadline(lambda: uuid in keys(store))  # noqa: B023
        await recorder.stop()

    asyncio.run(run())


def test_order_goes_on_where_the_store_ended(store: MemoryStore) -> None:
    store.rows["task", "old"] = Row("task", "old", 41, {})

    async def run() -> None:
        recorder = make(store)
        restored = await recorder.load(tasks=10, workers=10)
        assert [row.key for row in restored.tasks] == ["old"]
        assert list(restored.workers) == []
        recorder.on_changes([changed(task("new"))])
        await recorder.stop()

    asyncio.run(run())
    assert store.rows["task", "new"].order == 42


def test_a_record_that_changes_again_moves_to_the_end(store: MemoryStore) -> None:
    async def run() -> None:
        recorder = make(store)
        recorder.on_changes([changed(task("a")), changed(task("b")), changed(task("a"))])
        await recorder.stop()

    asyncio.run(run())
    assert keys(store) == ["b", "a"]


@pytest.mark.parametrize(("again", "left"), [(False, []), (True, ["a"])])
def test_removed_records_are_deleted_unless_they_came_back(store: MemoryStore, again: bool, left: list[str]) -> None:
    store.rows["task", "a"] = Row("task", "a", 1, {})

    async def run() -> None:
        recorder = make(store)
        recorder.on_changes([changed(task("a"))])
        recorder.on_removed("task", ["a"])
        if again:
            recorder.on_changes([changed(task("a"))])
        await recorder.stop()

    asyncio.run(run())
    assert keys(store) == left


def test_only_one_thread_ever_touches_the_store_and_it_is_not_the_loops(store: MemoryStore) -> None:
    async def run() -> None:
        recorder = make(store, interval=0.001)
        await recorder.load(tasks=10, workers=10)
        await recorder.start()
        for number in range(50):
            recorder.on_changes([changed(task(str(number)))])
            await recorder.flush()
        await recorder.stop()

    asyncio.run(run())
    assert len(store.threads) == 1
    assert threading.get_ident() not in store.threads


def test_what_could_not_be_saved_is_tried_again_and_later_changes_win(
    store: MemoryStore, caplog: pytest.LogCaptureFixture
) -> None:
    """R38."""

    async def run() -> None:
        seconds = [0.0]
        recorder = make(store, clock=lambda: seconds[0])
        store.error = OSError("No space left on device")
        recorder.on_changes([changed(task("a", state="STARTED"))])
        for _ in range(75):
            await recorder.flush()
            seconds[0] += 2
        assert "No space left" in recorder.problem
        assert [record.levelno for record in caplog.records] == [logging.ERROR] * 3
        store.error = None
        recorder.on_changes([changed(task("a", state="SUCCESS"))])
        await recorder.flush()
        assert recorder.problem == ""
        assert "saved again" in caplog.text
        await recorder.stop()

    asyncio.run(run())
    assert store.rows["task", "a"].fields["state"] == "SUCCESS"


def test_a_removal_after_a_failed_save_is_not_undone_by_the_retry(store: MemoryStore) -> None:
    async def run() -> None:
        recorder = make(store)
        store.error = OSError("full")
        recorder.on_changes([changed(task("a")), changed(task("b"))])
        await recorder.flush()
        recorder.on_removed("task", ["a"])
        store.error = None
        await recorder.stop()

    asyncio.run(run())
    assert keys(store) == ["b"]


def test_removals_do_not_pile_up_while_nothing_can_be_saved(store: MemoryStore) -> None:
    async def run() -> None:
        recorder = make(store)
        store.error = OSError("full")
        recorder.on_changes([changed(task("kept"))])
        await recorder.flush()
        for start in range(0, 100, 20):
            recorder.on_removed("task", map(str, range(start, start + 20)))
            await recorder.flush()
        store.error, store.batches = None, []
        await recorder.stop()

    asyncio.run(run())
    assert store.batches == [1]


def test_stopping_while_a_save_is_under_way_loses_nothing(store: MemoryStore) -> None:
    async def run() -> None:
        busy, finish = threading.Event(), threading.Event()

        def delay() -> None:
            busy.set()
            finish.wait(5)

        store.delay = delay
        recorder = make(store, interval=0.001)
        await recorder.start()
        recorder.on_changes([changed(task(str(number))) for number in range(5000)])
        await with_deadline(busy.is_set)
        stopping = asyncio.create_task(recorder.stop())
        await asyncio.sleep(0)
        finish.set()
        await stopping

    asyncio.run(run())
    assert len(store.rows) == 5000


def test_a_store_that_cannot_be_opened_stops_the_start(store: MemoryStore) -> None:
    store.error = ConfigurationError("no such place")
    with pytest.raises(ConfigurationError, match="no such place"):
        asyncio.run(make(store).load(tasks=1, workers=1))


def test_a_store_that_does_not_close_cannot_hold_up_the_end(
    store: MemoryStore, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def refuse() -> None:
        raise OSError("gone")

    monkeypatch.setattr(store, "close", refuse)
    asyncio.run(make(store).stop())
    assert "gone" in caplog.text


HANGING = """
import asyncio, time
from types import SimpleNamespace
from flower.history import Recorder
from flower_plugins import HistoryStore, TaskChange

class Hanging(HistoryStore):
    def __init__(self): pass
    def open(self): pass
    def load(self, kind, limit): return []
    def save(self, rows, removed): print("hangs", flush=True); time.sleep(600)
    def close(self): pass

async def main():
    recorder = Recorder(Hanging(), dump_task=vars, dump_worker=vars)
    await recorder.load(tasks=1, workers=1)
    recorder.on_changes([TaskChange(SimpleNamespace(uuid="a"), None, "task-received", "w1@host")])
    try:
        await asyncio.wait_for(recorder.stop(), 0.2)
    except asyncio.TimeoutError:
        print("given up", flush=True)

asyncio.run(main())
"""


def test_a_disk_that_hangs_does_not_hold_up_the_end_of_the_process() -> None:
    done = subprocess.run([sys.executable, "-c", HANGING], capture_output=True, text=True, timeout=30, check=False)
    assert (done.returncode, done.stdout.split("\n"), done.stderr) == (0, ["hangs", "given up", ""], "")


def test_the_thread_ends_with_the_recorder(store: MemoryStore) -> None:
    def threads() -> int:
        return sum(thread.name == "flower-history" for thread in threading.enumerate())

    async def run() -> None:
        before, recorder = threads(), make(store)
        await recorder.load(tasks=1, workers=1)
        assert threads() == before + 1
        await recorder.stop()
        await with_deadline(lambda: threads() == before)

    asyncio.run(run())


def test_saving_a_hundred_thousand_records_takes_the_loop_in_slices(store: MemoryStore) -> None:
    """R39: counted in turns of the loop and size of batches, so that a slow machine cannot fail it."""

    async def run() -> None:
        ticks = iter_clock(0.001)
        recorder = make(store, clock=lambda: next(ticks))
        recorder.on_changes([changed(task(str(number))) for number in range(100_000)])
        turns = 0

        async def count() -> None:
            nonlocal turns
            while True:
                turns += 1
                await asyncio.sleep(0)

        counting = asyncio.create_task(count())
        await recorder.flush()
        counting.cancel()
        assert turns > 100_000 / 10

    asyncio.run(run())
    assert len(store.rows) == 100_000
    assert max(store.batches) <= 2000


def iter_clock(step: float) -> Iterator[float]:
    now = 0.0
    while True:
        yield now
        now += step


async def with_deadline(condition: Callable[[], bool], seconds: float = 5.0) -> None:
    until = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < until, "nothing happened in time"
        await asyncio.sleep(0.002)
