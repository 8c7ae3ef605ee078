"""How often a name and an address may fail together, and how many passwords are checked at a time."""

from __future__ import annotations

import asyncio
import hashlib
import math
import secrets
import time
from array import array
from collections import Counter, OrderedDict
from collections.abc import Callable
from ipaddress import IPv4Address, ip_address

from flower_plugins import TooManyAttempts

__all__ = ["Failures", "Queue"]

_FAILURES = 10
_SECONDS = 60.0
_MAX_PAIRS = 10_000
_CELLS, _ROWS = 131_072, 4
_AT_ONCE = 2
_WAITING = 32
_WAITING_EACH = 16
_HOUSEHOLD_BITS = 64
"""The part of an IPv6 address that is given to one network; whoever is on it chooses the rest (RFC 6177)."""


class Failures:
    """Counts the failures of the last minute for each pair of address and name, in bounded memory.

    An IPv6 network of 64 bits is one address. Pairs that there is no room for in a flood are counted together, so
    that nobody gets a new start by failing with ten thousand other names.
    """

    def __init__(self, *, clock: Callable[[], float] = time.monotonic, most: int = _MAX_PAIRS) -> None:
        self._clock, self._most = clock, most
        self._key = secrets.token_bytes(32)
        self._moments: OrderedDict[bytes, list[float]] = OrderedDict()
        self._crowd = _Crowd()

    def __len__(self) -> int:
        return len(self._moments)

    def refuse(self, address: str, user: str) -> None:
        """Raise TooManyAttempts while the pair has failed more than ten times within a minute."""
        pair, now = self._pair(address, user), self._clock()
        moments = self._recent(pair)
        if len(moments) + self._crowd.count(pair, now) > _FAILURES:
            wait = max(1, math.ceil(moments[0] + _SECONDS - now)) if len(moments) > _FAILURES else int(_SECONDS)
            raise TooManyAttempts(f"Too many failed logins. Try again in {wait} s.", wait)

    def note(self, address: str, user: str) -> None:
        """Count a failure."""
        pair = self._pair(address, user)
        self._moments[pair] = [*self._recent(pair), self._clock()]
        self._moments.move_to_end(pair)
        while len(self._moments) > self._most or self._is_over(next(iter(self._moments.values()))):
            oldest = next(iter(self._moments))
            self._crowd.add(oldest, len(self._recent(oldest)), self._clock())
            del self._moments[oldest]

    def _recent(self, pair: bytes) -> list[float]:
        since = self._clock() - _SECONDS
        return [moment for moment in self._moments.get(pair, ()) if moment > since]

    def _is_over(self, moments: list[float]) -> bool:
        return moments[-1] <= self._clock() - _SECONDS

    def _pair(self, address: str, user: str) -> bytes:
        # A digest, so that a flood of long names takes no more memory than one of short ones.
        return hashlib.blake2b(f"{_household(address)}\n{user}".encode(), key=self._key, digest_size=16).digest()


class _Crowd:
    """Counts pairs in cells that they share, each pair in four, of which the least says most: never too few.

    This is the count-min sketch of Cormode and Muthukrishnan (2005). A count lasts one minute to two.
    """

    def __init__(self) -> None:
        self._since = float("-inf")
        self._cells: array[int] | None = None
        self._before: array[int] | None = None

    def add(self, pair: bytes, count: int, now: float) -> None:
        """Add to the count of a pair."""
        if not count:
            return
        self._turn(now)
        if self._cells is None:
            self._cells = array("H", bytes(2 * _CELLS * _ROWS))
        for place in self._places(pair):
            self._cells[place] = min(self._cells[place] + count, 0xFFFF)

    def count(self, pair: bytes, now: float) -> int:
        """Return how often a pair was counted, in a flood now and then more."""
        self._turn(now)
        halves = [cells for cells in (self._cells, self._before) if cells is not None]
        return min(sum(cells[place] for cells in halves) for place in self._places(pair)) if halves else 0

    def _turn(self, now: float) -> None:
        if now - self._since >= _SECONDS:
            self._before = self._cells if now - self._since < 2 * _SECONDS else None
            self._since, self._cells = now, None

    def _places(self, pair: bytes) -> list[int]:
        # A pair is a keyed digest: nobody can choose whose cells to fill.
        return [row * _CELLS + int.from_bytes(pair[4 * row : 4 * row + 4], "big") % _CELLS for row in range(_ROWS)]


class Queue:
    """Lets threads check a few passwords at a time; no address can fill the queue alone."""

    def __init__(self) -> None:
        self._turns = asyncio.Semaphore(_AT_ONCE)
        self._waiting: Counter[str] = Counter()

    async def run(self, address: str, check: Callable[[], bool]) -> bool:
        """Return what `check` returns in a thread. Raise TooManyAttempts when too many others wait."""
        address = _household(address)
        if self._waiting[address] >= _WAITING_EACH or self._waiting.total() >= _WAITING:
            raise TooManyAttempts("Too many passwords are being checked. Try again in a second.", 1)
        self._waiting[address] += 1
        try:
            async with self._turns:
                return await asyncio.to_thread(check)
        finally:
            self._waiting[address] -= 1
            if not self._waiting[address]:
                del self._waiting[address]


def _household(address: str) -> str:
    """Return what all addresses have in common that one sender can choose from: an IPv4 address stands for itself."""
    try:
        found = ip_address(address)
    except ValueError:
        return address
    if isinstance(found, IPv4Address):
        return address
    if found.ipv4_mapped is not None:
        return str(found.ipv4_mapped)
    return f"{int(found) >> (128 - _HOUSEHOLD_BITS):x}/{_HOUSEHOLD_BITS}"
