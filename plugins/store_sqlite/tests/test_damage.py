"""What is left after damage, and after a process or a machine dies while writing."""

from __future__ import annotations

import logging
import random
import shutil
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from flower_plugins import Row
from flower_store_sqlite.salvage import PAGE_SIZE
from flower_store_sqlite.store import SqliteStore

Open = Callable[[], SqliteStore]
MakeRows = Callable[..., list[Row]]
MakeStore = Callable[[str | Path], SqliteStore]


def fill(opened: Open, rows: list[Row]) -> None:
    store = opened()
    store.save(rows, [])
    store.close()


def overwrite(file: Path, start: int, content: bytes) -> None:
    with file.open("r+b") as handle:
        handle.seek(start)
        handle.write(content)


def kept_copies(file: Path) -> list[Path]:
    return sorted(path for path in file.parent.iterdir() if ".damaged-" in path.name)


@pytest.mark.parametrize("seed", range(12))
def test_one_damaged_block_costs_only_its_own_rows(
    make_rows: MakeRows, opened: Open, file: Path, seed: int, caplog: pytest.LogCaptureFixture
) -> None:
    """R37."""
    rows = make_rows(1000)
    fill(opened, rows)
    randomly = random.Random(seed)
    block = randomly.randrange(file.stat().st_size // PAGE_SIZE) if seed else 0
    overwrite(file, block * PAGE_SIZE, randomly.randbytes(PAGE_SIZE))
    damaged = file.read_bytes()
    restored = opened().load("task", 5000)
    per_page = PAGE_SIZE // 200
    assert len(restored) >= len(rows) - per_page
    assert all(row in rows for row in restored)
    assert [copy.read_bytes() for copy in kept_copies(file)] == [damaged]
    assert [record.levelno for record in caplog.records] == [logging.ERROR]
    assert str(kept_copies(file)[0]) in caplog.text


def test_a_changed_letter_in_a_row_is_found_and_costs_that_row(make_rows: MakeRows, opened: Open, file: Path) -> None:
    """R37."""
    fill(opened, make_rows(100))
    at = file.read_bytes().index(b'"n":42')
    overwrite(file, at, b'"n":99')
    assert [row.key for row in opened().load("task", 500)] == [f"task-{n}" for n in range(100) if n != 42]
    assert len(kept_copies(file)) == 1


def test_bytes_that_are_no_text_cost_that_row(make_rows: MakeRows, opened: Open, file: Path) -> None:
    fill(opened, make_rows(100))
    overwrite(file, file.read_bytes().index(b'"n":42'), b"\xff\xfe")
    assert len(opened().load("task", 500)) == 99


def test_long_rows_survive_beside_a_damaged_block(make_rows: MakeRows, opened: Open, file: Path) -> None:
    rows = make_rows(20, size=70_000)
    fill(opened, rows)
    overwrite(file, 10 * PAGE_SIZE, b"\xff" * PAGE_SIZE)
    restored = opened().load("task", 500)
    assert len(restored) >= 18
    assert all(row in rows for row in restored)


@pytest.mark.parametrize("content", [b"cos\nsystem\n(S'true'\ntR." * 300, b"\x00" * 9000, b"short"])
def test_a_file_that_is_no_database_is_kept_aside_and_never_run(
    make_rows: MakeRows, opened: Open, file: Path, content: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    """S40."""
    file.write_bytes(content)
    store = opened()
    store.save(make_rows(1), [])
    assert opened().load("task", 5) == make_rows(1)
    assert [copy.read_bytes() for copy in kept_copies(file)] == [content]
    assert "is damaged" in caplog.text


def test_a_file_with_a_trigger_planted_in_it_is_kept_aside(make_rows: MakeRows, opened: Open, file: Path) -> None:
    fill(opened, make_rows(5))
    planted = sqlite3.connect(file)
    planted.execute("CREATE TRIGGER wipe AFTER INSERT ON records BEGIN DELETE FROM records; END")
    planted.commit()
    planted.close()
    assert opened().load("task", 10) == make_rows(5)
    opened().save(make_rows(1, start=5), [])
    assert opened().load("task", 10) == make_rows(6)
    assert len(kept_copies(file)) == 1


def test_damage_is_kept_under_a_name_of_its_own_each_time(opened: Open, file: Path) -> None:
    for _ in range(3):
        opened().close()
        file.write_bytes(b"garbage" * 1000)
        opened()
    assert len(kept_copies(file)) == 3


def test_damage_while_running_is_mended_at_the_next_save(make_rows: MakeRows, opened: Open, file: Path) -> None:
    store = opened()
    store.save(make_rows(500), [])
    store.close()
    store = opened()
    overwrite(file, 2 * PAGE_SIZE, b"\xff" * (file.stat().st_size - 2 * PAGE_SIZE))
    store.save([Row("task", f"task-{number}", 1000 + number, {}) for number in range(500)], [])
    assert len(opened().load("task", 5000)) == 500
    assert len(kept_copies(file)) == 1


def test_no_half_built_file_stays_behind_a_failed_rebuild(
    make_rows: MakeRows, opened: Open, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(opened, make_rows(5))
    overwrite(file, PAGE_SIZE, b"\xff" * PAGE_SIZE)
    before = file.read_bytes()

    def no_room(path: Path) -> Path:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("flower_store_sqlite.store.quarantine", no_room)
    with pytest.raises(Exception, match="No space left"):
        opened()
    assert file.read_bytes() == before
    assert [path.name for path in file.parent.iterdir()] == [file.name]


@pytest.mark.parametrize("part", range(0, 101, 5))
def test_a_log_cut_anywhere_keeps_every_transaction_before_the_cut(
    make_rows: MakeRows, make_store: MakeStore, opened: Open, tmp_path: Path, part: int
) -> None:
    """R36."""
    store = opened()
    sizes = []
    log = tmp_path / "flower.sqlite3-wal"
    for number in range(20):
        store.save(make_rows(5, start=5 * number), [])
        sizes.append(log.stat().st_size)
    cut = sizes[-1] * part // 100
    crashed = tmp_path / "crashed"
    crashed.mkdir()
    shutil.copy(tmp_path / "flower.sqlite3", crashed)
    (crashed / log.name).write_bytes(log.read_bytes()[:cut])
    again = make_store(crashed / "flower")
    again.open()
    try:
        whole = sum(size <= cut for size in sizes)
        assert again.load("task", 500) == make_rows(5 * whole)
    finally:
        again.close()


_WRITER = """
import logging, sys
from flower_plugins import OfferContext, Row
from flower_store_sqlite.store import SqliteStore
store = SqliteStore(OfferContext({"db": sys.argv[1]}, None, logging.getLogger()))
store.open()
number = len(store.load("task", 10**6))
while True:
    fields = {"name": "shop.order", "args": "x" * 1000}
    store.save([Row("task", f"task-{n}", n + 1, {**fields, "n": n}) for n in range(number, number + 20)], [])
    number += 20
    print(number, flush=True)
"""


def test_a_process_killed_while_writing_loses_nothing_it_has_saved(
    make_rows: MakeRows, opened: Open, db: Path, file: Path
) -> None:
    """R34, R35."""
    randomly = random.Random(5)
    for _ in range(20):
        command = [sys.executable, "-c", _WRITER, str(db)]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as writer:
            assert writer.stdout is not None
            for _ in range(randomly.randrange(1, 30)):
                saved = int(writer.stdout.readline())
            writer.send_signal(signal.SIGKILL)
            saved = max([saved, *map(int, writer.stdout.read().split())])
        store = opened()
        restored = store.load("task", 10**6)
        store.close()
        assert len(restored) >= saved
        assert restored == make_rows(len(restored), size=1000)
    assert kept_copies(file) == []
