"""Reads what can still be read of a damaged file, page by page, without trusting its tree.

SQLite itself gives up at the first bad page it meets. Every leaf page of a table, however, can be
understood alone, and the checksum in every row tells whether it is one of ours and whole. Pages are
looked for in the database and in its write-ahead log. The format is that of
https://www.sqlite.org/fileformat2.html, sections 1.6 (pages), 2.1 (records), 4.1 (log).
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain
from pathlib import Path

from flower_store_sqlite.rows import Packed, whole

__all__ = ["PAGE_SIZE", "salvage"]

PAGE_SIZE = 4096

_TABLE_LEAF = 0x0D
_LOG_HEADER = 32
_FRAME_HEADER = 24
_LARGEST_ROW = 64 * 1024 * 1024


def salvage(database: Path, log: Path) -> list[Packed]:
    """Return the newest whole version of every row found in a database and its write-ahead log."""
    newest: dict[tuple[str, str], Packed] = {}
    pages = database.read_bytes()
    overlay = _log_pages(log.read_bytes()) if log.exists() else {}
    base = {number: pages[at : at + PAGE_SIZE] for number, at in enumerate(range(0, len(pages), PAGE_SIZE), 1)}
    for row in chain(_rows(base, base), _rows(base | overlay, overlay)):
        known = newest.get(row[:2])
        if known is None or known[2] <= row[2]:
            newest[row[:2]] = row
    return sorted(newest.values(), key=lambda row: row[2])


def _log_pages(log: bytes) -> dict[int, bytes]:
    pages = {}
    for at in range(_LOG_HEADER, len(log) - _FRAME_HEADER - PAGE_SIZE + 1, _FRAME_HEADER + PAGE_SIZE):
        number = int.from_bytes(log[at : at + 4], "big")
        pages[number] = log[at + _FRAME_HEADER : at + _FRAME_HEADER + PAGE_SIZE]
    return pages


def _rows(lookup: dict[int, bytes], leaves: dict[int, bytes]) -> Iterator[Packed]:
    for number, page in leaves.items():
        start = 100 if number == 1 else 0
        if len(page) < PAGE_SIZE or page[start] != _TABLE_LEAF:
            continue
        count = min(int.from_bytes(page[start + 3 : start + 5], "big"), PAGE_SIZE // 2)
        for index in range(count):
            pointer = start + 8 + 2 * index
            cell = int.from_bytes(page[pointer : pointer + 2], "big")
            try:
                row = _row(lookup, page, cell)
            except (IndexError, KeyError, ValueError):
                continue
            if row is not None:
                yield row


def _row(lookup: dict[int, bytes], page: bytes, cell: int) -> Packed | None:
    size, at = _varint(page, cell)
    _, at = _varint(page, at)
    values = _values(_payload(lookup, page, size, at))
    return whole(values[1:])


def _payload(lookup: dict[int, bytes], page: bytes, size: int, at: int) -> bytes:
    if size > _LARGEST_ROW:
        raise ValueError(size)
    largest = PAGE_SIZE - 35
    if size <= largest:
        return page[at : at + size]
    smallest = (PAGE_SIZE - 12) * 32 // 255 - 23
    local = smallest + (size - smallest) % (PAGE_SIZE - 4)
    if local > largest:
        local = smallest
    payload = bytearray(page[at : at + local])
    following = int.from_bytes(page[at + local : at + local + 4], "big")
    while len(payload) < size:
        overflow = lookup[following]
        payload += overflow[4 : 4 + size - len(payload)]
        following = int.from_bytes(overflow[:4], "big")
    return bytes(payload)


def _values(payload: bytes) -> list[object]:
    header_size, at = _varint(payload, 0)
    body = header_size
    values: list[object] = []
    while at < header_size:
        kind, at = _varint(payload, at)
        value, width = _value(payload, kind, body)
        values.append(value)
        body += width
    return values


def _value(payload: bytes, kind: int, at: int) -> tuple[object, int]:
    if 1 <= kind <= 6:
        width = (1, 2, 3, 4, 6, 8)[kind - 1]
        return int.from_bytes(payload[at : at + width], "big", signed=True), width
    if kind in (8, 9):
        return kind - 8, 0
    if kind >= 13 and kind % 2:
        width = (kind - 13) // 2
        return payload[at : at + width].decode(), width
    if kind == 0:
        return None, 0
    raise ValueError(kind)


def _varint(data: bytes, at: int) -> tuple[int, int]:
    value = 0
    for index in range(at, at + 8):
        byte = data[index]
        value = value << 7 | byte & 0x7F
        if byte < 0x80:
            return value, index + 1
    return value << 8 | data[at + 8], at + 9
