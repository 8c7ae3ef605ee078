"""What an order may ask for: names, signals and numbers within reason."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from flower_plugins import InvalidParameter
from flower_plugins.bounds import MAX_NAME, MAX_PROCESSES, MAX_SECONDS, MAX_STAMPS, MAX_TARGETS

__all__ = [
    "SIGNALS",
    "check_count",
    "check_name",
    "check_queue",
    "check_range",
    "check_rate",
    "check_seconds",
    "check_stamps",
    "check_uuids",
    "signal_name",
]

SIGNALS = ("SIGTERM", "SIGKILL", "SIGINT", "SIGQUIT", "SIGHUP", "SIGABRT", "SIGUSR1", "SIGUSR2")
"""Signals that may be sent to a process running a task."""

_MAX_RATE = 1_000_000_000.0


def signal_name(name: str) -> str:
    """Return the signal's full name; the SIG may be missing, and letters may be small."""
    wanted = name.strip().upper()
    if not wanted.startswith("SIG"):
        wanted = f"SIG{wanted}"
    if wanted not in SIGNALS:
        raise InvalidParameter(f"Invalid signal {name[:50]!r}, expected one of {', '.join(SIGNALS)}")
    return wanted


def check_count(n: int) -> None:
    """Refuse numbers of processes below 1 and above 1000."""
    if not 1 <= n <= MAX_PROCESSES:
        raise InvalidParameter(f"Invalid argument '{n}': n is between 1 and {MAX_PROCESSES}")


def check_range(minimum: int, maximum: int) -> None:
    """Refuse pool sizes that no autoscaler can keep to."""
    if not (0 <= minimum <= maximum and 1 <= maximum <= MAX_PROCESSES):
        bounds = f"0 <= min <= max and 1 <= max <= {MAX_PROCESSES}"
        raise InvalidParameter(f"Invalid arguments min={minimum}, max={maximum}: expected {bounds}")


def check_uuids(uuids: Sequence[str]) -> list[str]:
    """Return the task ids as a list; refuse none, too many, and those that could forge lines in a worker's log."""
    ids = [uuids] if isinstance(uuids, str) else list(uuids)
    if not ids or len(ids) > MAX_TARGETS or not all(0 < len(uuid) <= MAX_NAME and uuid.isprintable() for uuid in ids):
        raise InvalidParameter(f"Expected 1 to {MAX_TARGETS} task ids of at most {MAX_NAME} printable characters")
    return ids


def check_name(name: str, what: str) -> None:
    """Refuse texts that cannot be names in AMQP: empty, over 255 bytes, or with control characters."""
    if not name or len(name.encode("utf-8", "replace")) > MAX_NAME or not name.isprintable():
        raise InvalidParameter(f"Invalid {what} {name[:50]!r}: expected 1 to {MAX_NAME} printable characters")


def check_queue(name: str) -> None:
    """Refuse what cannot be the name of a queue, among them those that AMQP keeps for brokers."""
    check_name(name, "queue")
    if name.startswith("amq."):
        raise InvalidParameter(f"Invalid queue {name[:50]!r}: names that begin with amq. belong to the broker")


def check_seconds(seconds: float, what: str) -> None:
    """Refuse negative, endless and absurd times."""
    if not (math.isfinite(seconds) and 0 <= seconds <= MAX_SECONDS):
        raise InvalidParameter(f"Invalid {what} '{seconds}': expected seconds between 0 and {MAX_SECONDS}")


def check_rate(limit: str) -> None:
    """Refuse rates that are negative, endless or absurd; what is no rate at all is for the worker to refuse."""
    check_name(limit, "ratelimit")
    try:
        number = float(limit.partition("/")[0])
    except ValueError:
        return
    if not (math.isfinite(number) and 0 <= number <= _MAX_RATE):
        raise InvalidParameter(f"Invalid ratelimit {limit[:50]!r}: expected a number between 0 and {_MAX_RATE:.0f}")


def check_stamps(stamps: Mapping[str, Sequence[str]]) -> dict[str, list[str]]:
    """Return the stamps as a dict of lists; refuse none, too many, and absurd ones."""
    lists = {header: [values] if isinstance(values, str) else list(values) for header, values in stamps.items()}
    texts = [*lists, *(value for values in lists.values() for value in values)]
    if not lists or len(lists) > MAX_STAMPS or not all(lists.values()) or len(texts) > MAX_TARGETS:
        raise InvalidParameter(f"Expected 1 to {MAX_STAMPS} stamped headers with at least one value each")
    for text in texts:
        check_name(text, "stamp")
    return lists
