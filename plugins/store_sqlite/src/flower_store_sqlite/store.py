"""One SQLite file, one table of rows, written in transactions that a crash cannot tear."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path

from flower_plugins import ConfigurationError, HistoryStore, OfferContext, Row
from flower_store_sqlite.files import (
    create,
    is_foreign,
    quarantine,
    refuse_missing_folder,
    refuse_odd_files,
    scratch,
    sidecar,
)
from flower_store_sqlite.rows import Packed, pack, unpack, whole
from flower_store_sqlite.salvage import PAGE_SIZE, salvage

__all__ = ["SqliteStore"]

_APPLICATION = 0x466C6F77
_VERSION = 1
_TABLE = (
    "CREATE TABLE records (id INTEGER PRIMARY KEY, kind TEXT NOT NULL, key TEXT NOT NULL, "
    "position INTEGER NOT NULL, fields TEXT NOT NULL, checksum INTEGER NOT NULL)"
)
_KEYS = "CREATE UNIQUE INDEX records_key ON records (kind, key)"
_POSITIONS = "CREATE INDEX records_position ON records (kind, position)"
_UPSERT = (
    "INSERT INTO records (kind, key, position, fields, checksum) VALUES (?, ?, ?, ?, ?) "
    "ON CONFLICT (kind, key) DO UPDATE SET "
    "position = excluded.position, fields = excluded.fields, checksum = excluded.checksum"
)
_LOCK_SECONDS = 5.0
_NEVER = 2**63 - 1
_WHERE = "--db"
_ANOTHER = "Choose another --db."


class _DamagedError(Exception):
    """The file is ours, or was, and cannot be trusted."""


class SqliteStore(HistoryStore):
    """Keeps rows in `<db>.sqlite3`, which belongs to one process at a time."""

    def __init__(self, context: OfferContext) -> None:
        self._path = Path(f"{Path(str(context.settings['db'])).expanduser()}.sqlite3").absolute()
        self._log = context.log
        self._connection: sqlite3.Connection | None = None

    def open(self) -> None:
        """Create or open the file; what is damaged is set aside and its whole rows are taken over."""
        refuse = f"{self._path} cannot be used"
        try:
            refuse_missing_folder(self._path)
            refuse_odd_files(self._path)
            create(self._path)
            if is_foreign(self._path, _APPLICATION):
                raise ConfigurationError(f"{self._path} belongs to another program", where=_WHERE, mend=_ANOTHER)
            try:
                self._connection = _connect(self._path)
            except _DamagedError as error:
                self._rebuild(str(error))
        except OSError as error:
            raise ConfigurationError(f"{refuse}: {error.strerror or error}", where=_WHERE) from error
        except sqlite3.Error as error:
            hint = "Is another Flower using it?" if "locked" in str(error) else ""
            raise ConfigurationError(f"{refuse}: {error}", where=_WHERE, mend=hint) from error

    def load(self, kind: str, limit: int) -> Sequence[Row]:
        """Return the newest rows, oldest first, and delete older ones: nobody would ever remove them."""
        try:
            rows = self._read(kind, limit)
        except (_DamagedError, sqlite3.DatabaseError) as error:
            if not _is_damage(error):
                raise
            self._rebuild(str(error))
            rows = self._read(kind, limit)
        with _transaction(self._open_connection()) as connection:
            connection.execute(
                "DELETE FROM records WHERE kind = ? AND position < ?", (kind, rows[0].order if rows else _NEVER)
            )
        return rows

    def save(self, rows: Sequence[Row], removed: Sequence[tuple[str, str]]) -> None:
        """Write and delete in one transaction. A row that cannot be written as JSON is left out and logged."""
        packed = self._packed(rows)
        try:
            _write(self._open_connection(), packed, removed)
        except sqlite3.DatabaseError as error:
            if not _is_damage(error):
                raise
            self._rebuild(str(error))
            _write(self._open_connection(), packed, removed)

    def close(self) -> None:
        """Move the write-ahead log into the file and let go of it."""
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()

    def _read(self, kind: str, limit: int) -> list[Row]:
        connection = self._open_connection()
        oldest = connection.execute(
            "SELECT position FROM records WHERE kind = ? ORDER BY position DESC LIMIT 1 OFFSET ?", (kind, limit)
        ).fetchone()
        # In the order of the file: following the index would jump through it, row by row.
        cursor = connection.execute(
            "SELECT kind, key, position, fields, checksum FROM records NOT INDEXED WHERE kind = ? AND position > ?",
            (kind, oldest[0] if oldest else -1),
        )
        rows = [None if (packed := whole(columns)) is None else unpack(packed) for columns in cursor]
        sound = sorted((row for row in rows if row is not None), key=lambda row: row.order)
        if len(sound) < len(rows):
            raise _DamagedError(f"{len(rows) - len(sound)} damaged rows")
        return sound

    def _packed(self, rows: Sequence[Row]) -> list[Packed]:
        return [packed for packed in map(self._pack, rows) if packed is not None]

    def _pack(self, row: Row) -> Packed | None:
        try:
            return pack(row)
        except (ValueError, TypeError, RecursionError) as error:
            self._log.warning("History: %s %r cannot be saved: %s", row.kind, row.key[:100], error)
            return None

    def _rebuild(self, reason: str) -> None:
        """Replace a damaged file by a new one that holds its whole rows, and keep the damaged one."""
        self.close()
        rows = salvage(self._path, sidecar(self._path, "-wal"))
        fresh = scratch(self._path)
        try:
            with closing(_connect(fresh)) as connection:
                _write(connection, rows, ())
            kept = quarantine(self._path)
            os.replace(fresh, self._path)
        finally:
            for suffix in ("", "-wal", "-journal"):
                sidecar(fresh, suffix).unlink(missing_ok=True)
        self._log.error("%s is damaged (%s); kept as %s, %d rows restored", self._path, reason, kept, len(rows))
        self._connection = _connect(self._path)

    def _open_connection(self) -> sqlite3.Connection:
        if self._connection is None:
            self._connection = _connect(self._path)
        return self._connection


def _connect(path: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(path, timeout=_LOCK_SECONDS, isolation_level=None)
    # Damaged text must reach the checksum, not end the query.
    connection.text_factory = lambda text: text.decode(errors="replace")
    try:
        _prepare(connection, path)
    except BaseException:
        connection.close()
        raise
    return connection


def _prepare(connection: sqlite3.Connection, path: Path) -> None:
    try:
        connection.execute("PRAGMA trusted_schema = OFF")
        connection.execute(f"PRAGMA page_size = {PAGE_SIZE}")
        # Alone on the file: no shared memory beside it, and no second Flower on the same history.
        connection.execute("PRAGMA locking_mode = EXCLUSIVE")
        schema = connection.execute("SELECT sql FROM sqlite_master ORDER BY rootpage").fetchall()
        if connection.execute("PRAGMA user_version").fetchone()[0] > _VERSION:
            raise ConfigurationError(f"{path} was written by a newer Flower", where=_WHERE, mend=_ANOTHER)
        if not schema:
            # Before the log is switched on, so that the file's own header says from the first byte whose it is.
            _create_tables(connection)
        elif [sql for (sql,) in schema] != [_TABLE, _KEYS, _POSITIONS]:
            raise _DamagedError("its tables are not Flower's")
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = NORMAL")
        verdict = connection.execute("PRAGMA quick_check(1)").fetchone()[0]
        if verdict != "ok":
            raise _DamagedError(" ".join(str(verdict).split()))
        # Taking the lock for good, and the proof that the place can be written to.
        with _transaction(connection):
            connection.execute(f"PRAGMA user_version = {_VERSION}")
    except sqlite3.DatabaseError as error:
        if _is_damage(error):
            raise _DamagedError(str(error)) from error
        raise


def _create_tables(connection: sqlite3.Connection) -> None:
    with _transaction(connection):
        connection.execute(f"PRAGMA application_id = {_APPLICATION}")
        for statement in (_TABLE, _KEYS, _POSITIONS):
            connection.execute(statement)


def _write(connection: sqlite3.Connection, packed: Iterable[Packed], removed: Iterable[tuple[str, str]]) -> None:
    with _transaction(connection):
        connection.executemany(_UPSERT, packed)
        connection.executemany("DELETE FROM records WHERE kind = ? AND key = ?", removed)


@contextmanager
def _transaction(connection: sqlite3.Connection) -> Iterator[sqlite3.Connection]:
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield connection
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise


def _is_damage(error: Exception) -> bool:
    """SQLite reports a malformed or foreign file as a plain DatabaseError; trouble around it has subclasses."""
    return isinstance(error, _DamagedError) or type(error) is sqlite3.DatabaseError
