from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path
from queue import Empty
from typing import Any

import pytest
from kombu.transport import TRANSPORT_ALIASES

from flower.demo.folder import DemoFolder
from flower.demo.spool import spool_app


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> DemoFolder:
    monkeypatch.setitem(TRANSPORT_ALIASES, "filesystem", "kombu.transport.filesystem:Transport")  # put back later
    monkeypatch.setattr("kombu.transport._transport_cache", {})  # where an earlier test's transport would be found
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    return DemoFolder.create()


@pytest.fixture
def channel(folder: DemoFolder) -> Iterator[Any]:
    with spool_app(folder).connection_for_write() as connection:
        yield connection.default_channel


def test_the_folder_is_for_its_owner_only(folder: DemoFolder) -> None:
    assert folder.path.stat().st_mode & 0o777 == 0o700


def test_a_removed_folder_is_gone(folder: DemoFolder) -> None:
    (folder.messages / "1.orders.msg").write_text("{}")
    folder.remove()
    assert not folder.path.exists()


def test_messages_come_out_in_the_order_they_went_in(channel: Any) -> None:
    for number in range(50):
        channel._put("orders", {"number": number})
    assert [channel._get("orders")["number"] for _ in range(50)] == list(range(50))


def test_a_queue_yields_only_its_own_messages(channel: Any) -> None:
    channel._put("orders", {"number": 1})
    with pytest.raises(Empty):
        channel._get("emails")
    assert channel._size("orders") == 1


def test_a_message_is_taken_once_and_leaves_no_file(channel: Any, folder: DemoFolder) -> None:
    channel._put("orders", {"number": 1})
    channel._get("orders")
    with pytest.raises(Empty):
        channel._get("orders")
    assert [*folder.messages.iterdir(), *folder.work.iterdir()] == []


def test_the_stock_filesystem_transport_reads_what_is_written_here(folder: DemoFolder, channel: Any) -> None:
    app = spool_app(folder)
    channel._put("orders", {"number": 1})
    with app.connection_for_read(transport="kombu.transport.filesystem:Transport") as connection:
        assert connection.default_channel._get("orders") == {"number": 1}


def test_a_message_that_is_still_being_written_cannot_be_seen(channel: Any, folder: DemoFolder) -> None:
    seen: list[Path] = []

    class Witness:
        def __json__(self) -> str:
            seen.extend(folder.messages.iterdir())
            return "written"

    channel._put("orders", {"text": Witness()})
    assert seen == []
    assert channel._get("orders") == {"text": "written"}


def test_a_reader_never_meets_an_empty_binding_table(channel: Any, folder: DemoFolder) -> None:
    empty: list[Path] = []
    stop = threading.Event()

    def read() -> None:
        while not stop.is_set():
            empty.extend(file for file in folder.exchanges.iterdir() if file.stat().st_size == 0)

    reader = threading.Thread(target=read)
    reader.start()
    for number in range(200):
        channel._queue_bind(f"exchange-{number}", "key", "", "queue")
    stop.set()
    reader.join()
    assert empty == []
    assert [row.queue for row in channel.get_table("exchange-7")] == ["queue"]


def test_results_survive_the_way_through_the_folder(folder: DemoFolder) -> None:
    backend = spool_app(folder).backend
    backend.store_result("one", {"total": "59.80 EUR"}, "SUCCESS")
    assert backend.get_result("one") == {"total": "59.80 EUR"}
    assert [file.name for file in folder.results.iterdir()] == ["celery-task-meta-one"]


def test_a_reader_never_meets_half_a_result(folder: DemoFolder) -> None:
    backend = spool_app(folder).backend
    value = b"x" * 100_000
    backend.set(b"key", value)
    sizes: set[int] = set()
    stop = threading.Event()

    def read() -> None:
        while not stop.is_set():
            sizes.add(len(backend.get(b"key")))

    reader = threading.Thread(target=read)
    reader.start()
    for _time in range(300):
        backend.set(b"key", value)
    stop.set()
    reader.join()
    assert sizes == {100_000}
