"""How often a name and an address may fail together, and how many passwords are checked at a time."""

from __future__ import annotations

import asyncio
import hashlib
import math
import secrets
import time
from collections import Counter, OrderedDict
from collections.abc import Callable
from ipaddress import IPv4Address, ip_address

from flower_plugins import TooManyAttempts

__all__ = ["Failures", "Queue"]

_FAILURES = 10
_SECONDS = 60.0
_MAX_PAIRS = 10_000
_AT_ONCE = 2
_WAITING = 32
_WAITING_EACH = 16
_HOUSEHOLD_BITS = 64
"""The part of an IPv6 address that is given to one network; whoever is on it chooses the rest (RFC 6177)."""


class Failures:
    """Counts the failures of the last minute for each pair of address and name; forgets the oldest pairs in a flood.

    An IPv6 network of 64 bits is one address.
    """

    def __init__(self, *, clock: Callable[[], float] = time.monotonic, most: int = _MAX_PAIRS) -> None:
        self._clock, self._most = clock, most
        self._key = secrets.token_bytes(32)
        self._moments: OrderedDict[bytes, list[float]] = OrderedDict()

    def __len__(self) -> int:
        return len(self._moments)

    def refuse(self, address: str, user: str) -> None:
        """Raise TooManyAttempts while the pair has failed more than ten times within a minute."""
        moments = self._recent(self._pair(address, user))
        if len(moments) > _FAILURES:
            wait = max(1, math.ceil(moments[0] + _SECONDS - self._clock()))
            raise TooManyAttempts(f"Too many failed logins. Try again in {wait} s.", wait)

    def note(self, address: str, user: str) -> None:
        """Count a failure."""
        pair = self._pair(address, user)
        self._moments[pair] = [*self._recent(pair), self._clock()]
        self._moments.move_to_end(pair)
        while len(self._moments) > self._most or self._is_over(next(iter(self._moments.values()))):
            self._moments.popitem(last=False)

    def _recent(self, pair: bytes) -> list[float]:
        since = self._clock() - _SECONDS
        return [moment for moment in self._moments.get(pair, ()) if moment > since]

    def _is_over(self, moments: list[float]) -> bool:
        return moments[-1] <= self._clock() - _SECONDS

    def _pair(self, address: str, user: str) -> bytes:
        # A digest, so that a flood of long names takes no more memory than one of short ones.
        return hashlib.blake2b(f"{_household(address)}\n{user}".encode(), key=self._key, digest_size=16).digest()


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
