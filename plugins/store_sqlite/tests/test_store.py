from __future__ import annotations

import logging
import os
import sqlite3
import stat
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from flower_plugins import ConfigurationError, Row
from flower_store_sqlite.store import SqliteStore

Open = Callable[[], SqliteStore]
MakeRows = Callable[..., list[Row]]
MakeStore = Callable[[str | Path], SqliteStore]


@pytest.fixture
def open_umask() -> Iterator[None]:
    before = os.umask(0)
    yield
    os.umask(before)


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_rows_come_back_oldest_first(make_rows: MakeRows, opened: Open) -> None:
    opened().save(list(reversed(make_rows(50))), [])
    assert opened().load("task", 100) == make_rows(50)


def test_kinds_are_kept_apart(make_rows: MakeRows, opened: Open) -> None:
    store = opened()
    store.save([*make_rows(2), *make_rows(3, kind="worker")], [])
    assert [row.key for row in store.load("worker", 10)] == ["worker-0", "worker-1", "worker-2"]
    assert len(store.load("task", 10)) == 2


def test_a_row_saved_again_replaces_the_old_one(make_rows: MakeRows, opened: Open) -> None:
    store = opened()
    store.save(make_rows(3), [])
    store.save([Row("task", "task-0", 99, {"state": "SUCCESS"})], [])
    assert [row.key for row in store.load("task", 10)] == ["task-1", "task-2", "task-0"]
    assert store.load("task", 10)[-1].fields == {"state": "SUCCESS"}


def test_removed_rows_are_gone(make_rows: MakeRows, opened: Open) -> None:
    store = opened()
    store.save(make_rows(3), [])
    store.save([], [("task", "task-1"), ("task", "never-there")])
    assert [row.key for row in opened().load("task", 10)] == ["task-0", "task-2"]


def test_loading_with_a_limit_keeps_the_newest_and_trims_the_rest(make_rows: MakeRows, opened: Open) -> None:
    opened().save(make_rows(10), [])
    assert [row.key for row in opened().load("task", 3)] == ["task-7", "task-8", "task-9"]
    assert len(opened().load("task", 100)) == 3


@pytest.mark.parametrize(
    "value",
    ["", "\x00", "\ud800", "ünï\u2028", None, True, 2**70, -1.5, ["a", {"b": [None]}], {"k": {}}, "x" * 300_000],
    ids=repr,
)
def test_every_json_value_survives(opened: Open, value: object) -> None:
    opened().save([Row("task", "id", 1, {"value": value})], [])
    assert opened().load("task", 1)[0].fields == {"value": value}


@pytest.mark.parametrize(
    "bad",
    [
        Row("task", "bad", 2, {"runtime": float("nan")}),
        Row("task", "bad", 2, {"result": object()}),
        Row("task", "bad\ud800", 2, {}),
    ],
    ids=["nan", "object", "surrogate"],
)
def test_a_row_that_cannot_be_written_costs_only_itself(
    make_rows: MakeRows, opened: Open, bad: Row, caplog: pytest.LogCaptureFixture
) -> None:
    store = opened()
    store.save([bad, *make_rows(1)], [])
    assert [row.key for row in store.load("task", 10)] == ["task-0"]
    assert "cannot be saved" in caplog.text


def test_a_transaction_is_kept_whole_or_not_at_all(make_rows: MakeRows, opened: Open) -> None:
    store = opened()
    store.save(make_rows(3), [])
    broken: Any = [("task", "task-0"), ("task",)]
    with pytest.raises(sqlite3.Error):
        store.save(make_rows(5, start=3), broken)
    assert store.load("task", 10) == make_rows(3)


def test_files_are_private_whatever_the_umask(
    make_rows: MakeRows, make_store: MakeStore, tmp_path: Path, open_umask: None
) -> None:
    """S41."""
    store = make_store(tmp_path / "flower")
    store.open()
    store.save(make_rows(10), [])
    assert {path.name: mode(path) for path in tmp_path.iterdir()} == {
        "flower.sqlite3": 0o600,
        "flower.sqlite3-wal": 0o600,
    }
    store.close()


def test_a_folder_that_does_not_exist_is_refused_and_not_made(make_store: MakeStore, tmp_path: Path) -> None:
    folder = tmp_path / "new one" / "deeper"
    with pytest.raises(ConfigurationError) as caught:
        make_store(folder / "flower").open()
    assert caught.value.message == f"there is no folder {folder} (--db). mkdir -p '{folder}', or correct --db."
    assert list(tmp_path.iterdir()) == []


def test_an_existing_file_is_closed_to_others(opened: Open, file: Path) -> None:
    opened().close()
    file.chmod(0o666)
    opened()
    assert mode(file) == 0o600


@pytest.mark.parametrize("suffix", ["", "-wal", "-shm", "-journal"])
def test_a_symbolic_link_is_refused_and_not_followed(make_store: MakeStore, tmp_path: Path, suffix: str) -> None:
    """S41."""
    target = tmp_path / "victim"
    target.write_text("precious")
    (tmp_path / f"flower.sqlite3{suffix}").symlink_to(target)
    with pytest.raises(ConfigurationError, match="symbolic link"):
        make_store(tmp_path / "flower").open()
    assert target.read_text() == "precious"


def test_a_place_that_cannot_be_written_to_stops_the_start(make_store: MakeStore, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(ConfigurationError, match="cannot be used: Not a directory"):
        make_store(tmp_path / "file" / "flower").open()


def test_the_file_of_another_program_stops_the_start_and_stays_as_it_is(opened: Open, file: Path) -> None:
    other = sqlite3.connect(file)
    other.execute("CREATE TABLE invoices (id INTEGER)")
    other.commit()
    other.close()
    before = file.read_bytes()
    with pytest.raises(ConfigurationError, match="belongs to another program"):
        opened()
    assert file.read_bytes() == before
    assert [path.name for path in file.parent.iterdir()] == [file.name]


def test_a_file_of_a_newer_flower_stops_the_start(opened: Open, file: Path) -> None:
    opened().close()
    later = sqlite3.connect(file)
    later.execute("PRAGMA user_version = 2")
    later.close()
    with pytest.raises(ConfigurationError, match="newer Flower"):
        opened()


def test_a_second_flower_on_the_same_file_is_told_so(make_rows: MakeRows, opened: Open, db: Path) -> None:
    opened().save(make_rows(1), [])
    code = (
        "import sys; sys.path.insert(0, sys.argv[1])\n"
        "import flower_store_sqlite.store as s; s._LOCK_SECONDS = 0.1\n"
        "from conftest import store_at\n"
        "try: store_at(sys.argv[2]).open()\n"
        "except Exception as error: print(error)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(Path(__file__).parent), str(db)], capture_output=True, text=True, check=True
    )
    assert "Is another Flower using it?" in done.stdout


def test_nothing_is_pickled() -> None:
    """S40."""
    import ast

    import flower_store_sqlite

    for path in Path(flower_store_sqlite.__file__).parent.glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            names = [alias.name for alias in node.names] if isinstance(node, (ast.Import, ast.ImportFrom)) else []
            called = node.func.id if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) else ""
            names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            assert not {*names, called} & {"pickle", "shelve", "marshal", "eval", "exec"}, path


def test_a_full_disk_keeps_the_old_rows_and_writing_resumes_when_there_is_room(
    make_rows: MakeRows, opened: Open, caplog: pytest.LogCaptureFixture
) -> None:
    """R38."""
    store = opened()
    store.save(make_rows(20), [])
    connection = store._open_connection()
    room = connection.execute("PRAGMA page_count").fetchone()[0]
    connection.execute(f"PRAGMA max_page_count = {room}")
    with pytest.raises(sqlite3.OperationalError, match="full"):
        store.save(make_rows(2000, start=20), [])
    assert store.load("task", 5000) == make_rows(20)
    connection.execute("PRAGMA max_page_count = 1000000")
    store.save(make_rows(2000, start=20), [])
    assert len(opened().load("task", 5000)) == 2020
    assert not [record for record in caplog.records if record.levelno >= logging.ERROR]


def test_a_file_that_may_not_grow_neither_kills_the_process_nor_the_old_rows(
    make_rows: MakeRows, opened: Open, db: Path
) -> None:
    """R38."""
    opened().save(make_rows(20), [])
    opened().close()
    code = (
        "import resource, signal, sys; sys.path.insert(0, sys.argv[1])\n"
        "from conftest import rows_of, store_at\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "store = store_at(sys.argv[2]); store.open()\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, -1))\n"
        "try: store.save(rows_of(5000, start=20), [])\n"
        "except Exception as error: print(type(error).__name__)\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (-1, -1))\n"
        "store.save(rows_of(5, start=20), []); store.close()\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(Path(__file__).parent), str(db)], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "OperationalError"
    assert opened().load("task", 5000) == make_rows(25)
