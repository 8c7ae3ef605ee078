"""Messages that workers took and have not acknowledged, by queue.

Kombu keeps all of a database's in one hash, each as the JSON text `[message, exchange, routing key]`
(kombu.transport.redis, class QoS), and the bindings of an exchange in a set beside it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress

__all__ = ["addresses", "by_queue", "destinations"]

_TEXT = r'(?:"(?:[^"\\]|\\.)*"|null)'
_TAIL = re.compile(rf"\}}\s*,\s*({_TEXT})\s*,\s*({_TEXT})\s*\]\s*$".encode())
_LONGEST_TAIL = 2000

Address = tuple[str, str]
"""Exchange and routing key."""


def addresses(entries: Iterable[bytes]) -> list[Address] | None:
    """Return where messages were sent, read from the ends of their entries; None when one cannot be read."""
    found: list[Address] = []
    for entry in entries:
        match = _TAIL.search(entry[-_LONGEST_TAIL:])
        if match is None:
            return None
        try:
            exchange, key = (json.loads(part) or "" for part in match.groups())
        except ValueError:
            return None
        found.append((exchange, key))
    return found


def destinations(exchange: str, bindings: Iterable[bytes], separator: str) -> dict[Address, str]:
    """Return the queues that direct bindings of an exchange lead to; kombu joins key, pattern and queue in one text."""
    found: dict[Address, str] = {}
    for binding in bindings:
        with suppress(UnicodeDecodeError, ValueError):
            key, _, queue = binding.decode().split(separator)
            found[exchange, key] = queue
    return found


def by_queue(sent: Sequence[Address], bound: Mapping[Address, str]) -> dict[str, int] | None:
    """Count messages by queue; None when it is not clear where one came from."""
    counts: dict[str, int] = {}
    for address in sent:
        exchange, key = address
        queue = key if not exchange else bound.get(address)
        if queue is None:
            return None
        counts[queue] = counts.get(queue, 0) + 1
    return counts
