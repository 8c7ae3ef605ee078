from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from flower_plugins import Broker, OfferContext, Row
from flower_store_sqlite.store import SqliteStore


class Values(dict[str, Any]):
    """Settings over a dict."""

    def given(self, name: str) -> bool:
        return name in self

    def origin(self, name: str) -> str:
        return f"--{name}"


def store_at(db: str | Path) -> SqliteStore:
    broker = Broker("memory://", "memory", "memory://", {})
    return SqliteStore(OfferContext(Values(db=str(db)), broker, logging.getLogger("flower.history")))


def rows_of(count: int, *, kind: str = "task", start: int = 0, size: int = 200) -> list[Row]:
    return [
        Row(kind, f"{kind}-{number}", number + 1, {"name": "shop.order", "args": "x" * size, "n": number})
        for number in range(start, start + count)
    ]


@pytest.fixture
def make_store() -> Callable[[str | Path], SqliteStore]:
    return store_at


@pytest.fixture
def make_rows() -> Callable[..., list[Row]]:
    return rows_of


@pytest.fixture
def db(tmp_path: Path) -> Path:
    return tmp_path / "flower"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "flower.sqlite3"


@pytest.fixture
def opened(db: Path) -> Iterator[Callable[[], SqliteStore]]:
    """Opens the store anew, as another process would: the one before is closed first."""
    stores: list[SqliteStore] = []

    def open_store() -> SqliteStore:
        for store in stores:
            store.close()
        stores.append(store_at(db))
        stores[-1].open()
        return stores[-1]

    yield open_store
    for store in stores:
        store.close()
