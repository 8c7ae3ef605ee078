"""The two that are compared: Flower from this tree, and Flower 2.2.0 in an environment of its own."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from tests.bench import probe
from tests.bench.brokers import free_port
from tests.bench.own import own_environment
from tests.bench.probe import Client, Lag
from tests.bench.publisher import Publisher, Sending
from tests.bench.traffic import marker_uuid
from tests.system.peer import PEER_VERSION, peer_environment
from tests.system.support import Launcher, Process

__all__ = ["BOTH", "OURS", "PEER", "PEER_VERSION", "Server", "celery_of", "peer_environment", "serving"]

OURS, PEER, BOTH = "ours", "peer", "both"

_START_SECONDS = 60.0
_WARM_EVENTS = 200
_STALL_SECONDS = 8.0
_QUIET_SECONDS = 2.0


class Server:
    """A Flower that runs and receives events. `started` is how long it took until it answered, in seconds."""

    def __init__(self, process: Process, port: int, started: float) -> None:
        self._process = process
        self.port = port
        self.started = started
        self.client = Client(port)

    def cpu(self) -> float:
        """Return the processor time used so far, in seconds."""
        return probe.cpu_seconds(self._process.popen.pid)

    def pss(self) -> int:
        """Return the memory in use, in bytes."""
        return probe.pss_bytes(self._process.popen.pid)

    @property
    def pid(self) -> int:
        return self._process.popen.pid

    def counted(self) -> int:
        """Return how many task events the server says it has received."""
        return int(self.client.total("flower_events_total"))

    def dropped(self) -> int:
        """Return how many messages the server says it has dropped; 2.2.0 has no such counter, hence 0."""
        return int(self.client.total("flower_events_dropped_total"))

    def warm(self, publisher: Publisher) -> None:
        """Send events until they arrive, so that what follows is not lost to a slow subscription."""
        deadline = time.monotonic() + _START_SECONDS
        while time.monotonic() < deadline:
            prepared = publisher.prepare(_WARM_EVENTS)
            publisher.send()
            if self.await_markers(prepared.run, prepared.markers, 2.0).complete:
                return
        raise RuntimeError(f"no event arrived within {_START_SECONDS:.0f} s: {_last_words(self._process)}")

    def lag(self, run: int, markers: int) -> Lag:
        """Return a watch for the markers of a run, on a connection of its own."""
        return Lag(Client(self.port), [marker_uuid(run, number) for number in range(markers)])

    def await_markers(self, run: int, markers: int, patience: float = _STALL_SECONDS) -> Lag:
        """Watch until the last marker is seen, or until none was for so long."""
        lag = self.lag(run, markers)
        self.pursue(lag, patience)
        lag.close()
        return lag

    def pursue(self, lag: Lag, patience: float = _STALL_SECONDS) -> None:
        """Go on watching until all is seen, or nothing was for so long."""
        last = time.monotonic()
        while not lag.complete and time.monotonic() - last < patience:
            if lag.look():
                last = time.monotonic()

    def settle(self, expected: int, patience: float = _STALL_SECONDS) -> tuple[int, float]:
        """Wait until `expected` events were counted, or no more come.

        Returns the count, and when it was reached by `time.monotonic()`, to about a tenth of a second.
        """
        count, reached = self.counted(), time.monotonic()
        while count < expected and time.monotonic() - reached < patience:
            time.sleep(0.1)
            now = self.counted()
            if now != count:
                count, reached = now, time.monotonic()
        return count, reached

    def absorb(self, publisher: Publisher, events: int, *, window: int) -> int:
        """Feed events no faster than they are taken; return the number of tasks that began since the first."""
        left, tasks = events, 0
        while left > 0:
            prepared = publisher.prepare(min(left, window))
            publisher.send()
            if not self.await_markers(prepared.run, prepared.markers, 60.0).complete:
                raise RuntimeError("events were lost while feeding")
            tasks = prepared.tasks
            left -= window
        return tasks

    def follow(self, publisher: Publisher, run: int, markers: int, rate: float | None) -> tuple[Sending, list[float]]:
        """Send what was prepared while watching its markers; return what was sent, and the lag of each."""
        lag = self.lag(run, markers)
        publisher.begin(rate)
        while publisher.sending:
            if lag.complete:
                time.sleep(0.01)
            else:
                lag.look()
        sending = publisher.finish()
        self.pursue(lag, _QUIET_SECONDS)
        return sending, lag.behind(sending.markers)


@contextmanager
def serving(
    celery: Path, url: str, options: Sequence[str], folder: Path, environment: Mapping[str, str] | None = None
) -> Iterator[Server]:
    """Run `celery flower` until the block ends."""
    launcher = Launcher(folder)
    port = free_port()
    words = [str(celery), "-b", url, "flower", f"--port={port}", "--address=127.0.0.1", *options]
    try:
        begun = time.monotonic()
        process = launcher.start(words, {"FLOWER_UNAUTHENTICATED_API": "true", **(environment or {})}, cwd=folder)
        while not _healthy(port):
            if process.popen.poll() is not None or time.monotonic() - begun > _START_SECONDS:
                raise RuntimeError(f"Flower did not start: {_last_words(process)}")
            time.sleep(0.005)
        yield Server(process, port, time.monotonic() - begun)
    finally:
        launcher.close()


def celery_of(side: str) -> Path:
    """Return the program that starts a side."""
    return (own_environment() if side == OURS else peer_environment()) / "bin" / "celery"


def _last_words(process: Process) -> str:
    lines = process.output().strip().splitlines()
    return lines[-1] if lines else "it said nothing"


def _healthy(port: int) -> bool:
    client = Client(port, 5.0)
    try:
        return client.get("/healthcheck").status == 200
    except (OSError, EOFError):
        return False
    finally:
        client.close()
