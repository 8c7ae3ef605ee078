"""Entry point: the options of persistence and the offer of an SQLite store."""

from __future__ import annotations

from collections.abc import Sequence

from flower_plugins import HistoryStore, Offer, Option, hookimpl


def _not_empty(value: str) -> str:
    if not value.strip():
        raise ValueError("a file name is needed")
    return value


def _not_negative(value: int) -> int:
    if value < 0:
        raise ValueError("an interval is 0 or more milliseconds")
    return value


@hookimpl
def flower_options() -> Sequence[Option]:
    """Declare --persistent, --db and --state_save_interval."""
    return [
        Option("persistent", bool, False, "Keep tasks and workers across restarts"),
        Option("db", str, "flower", "Where --persistent keeps them: DB.sqlite3", check=_not_empty),
        Option(
            "state_save_interval",
            int,
            0,
            "Milliseconds between saves, which is what a crash can lose; 0 means 2000",
            check=_not_negative,
        ),
    ]


@hookimpl
def flower_history_stores() -> Sequence[Offer[HistoryStore]]:
    """Offer the store that --persistent chooses."""
    return [Offer("sqlite", "flower_store_sqlite.store:SqliteStore", label="SQLite file", when="persistent")]
