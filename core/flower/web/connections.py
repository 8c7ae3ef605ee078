"""The books of open connections: who may have one, and which one has to go for another."""

from __future__ import annotations

import asyncio
import contextlib
import enum
import logging
import os
import resource
from collections import Counter
from collections.abc import Callable, Iterator

from msgspec import Struct

from flower.quiet import QuietLog
from flower.web.origins import household

__all__ = ["Connection", "Connections", "Limits", "Phase", "room_for_connections"]

log = logging.getLogger(__name__)

_MOST = 10_000
_FEWEST = 64
_KEPT_FREE = 160
"""File descriptors for brokers, workers' answers, databases and files."""


class Phase(enum.Enum):
    """What a connection is waited for: the first two and READING depend on the client alone."""

    HEADING = enum.auto()
    """A new connection, or the headers of a request have begun and are not complete."""
    IDLE = enum.auto()
    """Between two requests."""
    READING = enum.auto()
    """The headers are complete, the body is not."""
    SERVING = enum.auto()
    """The answer is under way."""


_YIELDING = (Phase.HEADING, Phase.IDLE, Phase.READING)


class Limits(Struct, frozen=True):
    """How many connections there may be, how long their headers may take, and how much their bodies.

    An IPv6 network of 64 bits is one address.
    `total` counts all, `heading` those without complete headers, `heading_per_address` and `per_address` those of
    one address. `spare` more than `total` are let in to ask the probes. `bodies` is in bytes, of all together.
    Between two requests a connection may be silent for `idle_seconds`.
    """

    total: int
    per_address: int
    header_seconds: float = 10.0
    idle_seconds: float = 75.0
    spare: int = 8
    bodies: int = 64 * 1024 * 1024

    @property
    def heading(self) -> int:
        """The most connections without complete headers."""
        return max(self.total // 2, 1)

    @property
    def heading_per_address(self) -> int:
        """The most connections without complete headers from one address."""
        return max(self.total // 4, 1)


class Connection:
    """One open connection. Whoever reads from it says how far its request has come."""

    def __init__(self, books: Connections, address: str, *, spare: bool) -> None:
        self.address, self.spare = address, spare
        self.close: Callable[[], None] = lambda: None
        """Ends it; set by whoever owns the socket."""
        self.since = 0.0
        self.phase: Phase | None = None
        self.held = 0
        """How many bytes of a body are kept for it."""
        self._books, self._used = books, False

    def begins(self) -> None:
        """Note that a request is waited for; a new connection has to come up with one at once."""
        self._books.hold(self, -self.held)
        if self._used:
            self._books.move(self, Phase.IDLE)
        self._used = True

    def heard(self) -> None:
        """Note that bytes have arrived."""
        if self.phase is Phase.IDLE:
            self._books.move(self, Phase.HEADING)

    def headed(self, *, body: bool) -> None:
        """Note that the headers are complete."""
        self._books.move(self, Phase.READING if body else Phase.SERVING)

    def keeps(self, count: int) -> None:
        """Note that so many more bytes of a body are kept until it is answered."""
        self._books.hold(self, count)

    def complete(self) -> None:
        """Note that the request is complete."""
        self._books.move(self, Phase.SERVING)

    def gone(self) -> None:
        """Note that it is closed."""
        self._books.move(self, None)


class Connections:
    """Decides who comes in. A newcomer is let in at the expense of the connection that waits longest for its client.

    So whoever holds connections open without asking for anything only ever pushes out such connections, and a
    request that arrives whole is answered. `exempt` tells for which addresses the limits per address do not hold.
    """

    def __init__(self, limits: Limits, exempt: Callable[[str], bool]) -> None:
        self._limits, self._exempt = limits, exempt
        self._phases: dict[Phase, dict[Connection, None]] = {phase: {} for phase in Phase}
        self._open: Counter[str] = Counter()
        self._heading: Counter[str] = Counter()
        self._held = 0
        self._patience = {Phase.HEADING: limits.header_seconds, Phase.IDLE: limits.idle_seconds}
        self._sweeps: dict[Phase, asyncio.TimerHandle] = {}
        self._quiet = QuietLog(log)

    def __len__(self) -> int:
        return sum(map(len, self._phases.values()))

    def count(self, phase: Phase) -> int:
        """Return how many connections are in a phase."""
        return len(self._phases[phase])

    def admit(self, address: str) -> Connection | None:
        """Return the new connection of an address, None when it must be closed."""
        limits, exempt = self._limits, self._exempt(address)
        address = household(address)
        if not exempt:
            if self._heading[address] >= limits.heading_per_address:
                self._drop((Phase.HEADING,), address)
            if self._open[address] >= limits.per_address and not self._drop(_YIELDING, address):
                self._quiet.warning(
                    f"address {address}",
                    f"{address or 'A program'} has {limits.per_address} connections open and gets no more. "
                    "--max_connections_per_address changes how many there may be.",
                )
                return None
        if self.count(Phase.HEADING) >= limits.heading:
            self._drop((Phase.HEADING,))
        full = len(self) >= limits.total and not self.relieve()
        if full:
            self._quiet.warning("full", f"{limits.total} connections are open: only probes are answered on more")
        if full and len(self) >= limits.total + limits.spare:
            return None
        connection = Connection(self, address, spare=full)
        self._open[address] += 1
        self.move(connection, Phase.HEADING)
        return connection

    def relieve(self) -> bool:
        """Close the connection that waits longest for its client; tell whether there was one."""
        return self._drop(_YIELDING)

    def hold(self, connection: Connection, count: int) -> None:
        """Enter that a connection keeps so many bytes more; the oldest incomplete bodies go when it is too much."""
        if connection.phase is None:
            return
        connection.held += count
        self._held += count
        while self._held > self._limits.bodies and self._drop((Phase.READING,)):
            self._quiet.warning("bodies", "Request bodies take too much memory: the oldest incomplete one was dropped")

    def move(self, connection: Connection, phase: Phase | None) -> None:
        """Enter a connection's new phase, None when it is closed."""
        before = connection.phase
        if before is phase or (before is None and phase is not Phase.HEADING):
            return
        if before is not None:
            del self._phases[before][connection]
        if before is Phase.HEADING:
            self._less(self._heading, connection.address)
        connection.phase = phase
        if phase is None:
            self._less(self._open, connection.address)
            self._held -= connection.held
            return
        connection.since = asyncio.get_running_loop().time()
        self._phases[phase][connection] = None
        if phase is Phase.HEADING:
            self._heading[connection.address] += 1
        if phase in self._patience and phase not in self._sweeps:
            self._plan_sweep(phase, connection)

    def end(self) -> None:
        """Stop looking after the time that clients take."""
        for sweep in self._sweeps.values():
            sweep.cancel()
        self._sweeps.clear()

    def _drop(self, phases: tuple[Phase, ...], address: str | None = None) -> bool:
        found = next(self._waiting(phases, address), None)
        if found is not None:
            self._close(found)
        return found is not None

    def _waiting(self, phases: tuple[Phase, ...], address: str | None) -> Iterator[Connection]:
        """Yield the connections in these phases, of one address or of all, each phase's oldest first."""
        for phase in phases:
            for connection in self._phases[phase]:
                if address is None or connection.address == address:
                    yield connection

    def _close(self, connection: Connection) -> None:
        connection.gone()  # before closing, which may tell later
        connection.close()

    def _plan_sweep(self, phase: Phase, oldest: Connection) -> None:
        due = oldest.since + self._patience[phase]
        self._sweeps[phase] = asyncio.get_running_loop().call_at(due, self._close_late, phase)

    def _close_late(self, phase: Phase) -> None:
        """Close those that have been in a phase for too long; look again when the next one may be."""
        del self._sweeps[phase]
        late = asyncio.get_running_loop().time() - self._patience[phase]
        for connection in list(self._phases[phase]):
            if connection.since > late:
                self._plan_sweep(phase, connection)
                return
            self._close(connection)

    @staticmethod
    def _less(counter: Counter[str], address: str) -> None:
        counter[address] -= 1
        if not counter[address]:
            del counter[address]


def room_for_connections() -> int:
    """Return how many connections the limit of open files leaves room for."""
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft == resource.RLIM_INFINITY:
        return _MOST
    return max(min(soft - min(_KEPT_FREE, soft // 3) - _files_open(), _MOST), _FEWEST)


def _files_open() -> int:
    for folder in ("/proc/self/fd", "/dev/fd"):
        with contextlib.suppress(OSError):
            return len(os.listdir(folder))
    return 0
