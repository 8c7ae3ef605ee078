"""`python -m tests.bench.viewers`: every dashboard page at a million tasks, and what a room full of viewers costs."""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from urllib.parse import quote

from tests.bench.brokers import broker
from tests.bench.probe import Client, Latency
from tests.bench.publisher import ROOT, Publisher, RedisOutlet, publishing
from tests.bench.servers import Server, serving
from tests.bench.traffic import EVENTS_PER_TASK, WORKERS, marker_uuid

__all__ = ["WINDOW", "fleet", "main", "pages", "traffic"]

WINDOW = 20_000
_FREQ = 2.0
_TICK = 0.02


def pages(uuid: str) -> dict[str, str]:
    """Return the path of every page and fragment by what it is; `uuid` is a task's."""
    found = {
        "overview": "/",
        "overview, runtime by task": "/?measure=runtime&by=task",
        "overview, by worker, 24 h": "/?by=worker&span=24h",
        "workers": "/workers",
        "workers, all": "/workers?limit=1000",
        "worker": f"/worker/{quote(WORKERS[3])}",
        "tasks": "/tasks",
        "tasks, search": "/tasks?search=customer",
        "task": f"/task/{uuid}",
        "task types": "/task-types",
        "task types, day": "/task-types?span=24h",
        "broker": "/broker",
        "plugins": "/plugins",
        "suggestions": "/tasks/suggest?search=name%3Ash",
    }
    fragments = {
        f"{name}, fragment": path + ("&" if "?" in path else "?") + "fragment=1"
        for name, path in found.items()
        if name != "suggestions"
    }
    return {**found, **fragments}


@contextmanager
def fleet(url: str, workers: int) -> Iterator[None]:
    """Have so many workers send a heartbeat every two seconds, evenly, until the block ends."""
    outlet, done = RedisOutlet(url), threading.Event()

    def beat() -> None:
        begun, sent = time.monotonic(), 0
        while not done.wait(_TICK):
            due = int((time.monotonic() - begun) * workers / _FREQ)
            events = [_heartbeat(number % workers, number) for number in range(sent, due)]
            outlet.socket.sendall(b"".join(map(outlet.wire.encode, events)))
            sent = due

    thread = threading.Thread(target=beat)
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join()
        outlet.socket.close()


def main() -> None:
    """Measure what the command line asks for and print it."""
    options = _options()
    flower = [f"--max_tasks={options.tasks}", f"--max_workers={max(5000, options.workers)}"]
    with (
        TemporaryDirectory(prefix="flower-bench-") as folder,
        broker("redis") as url,
        publishing(url) as publisher,
        serving(options.celery, url, [*flower, *options.flower], Path(folder)) as server,
        fleet(url, options.workers),
    ):
        server.warm(publisher)
        server.absorb(publisher, int(options.tasks * EVENTS_PER_TASK), window=WINDOW)
        print(f"pid {server.pid}, port {server.port}, {server.pss() / 1e6:.0f} MB", flush=True)
        if options.pages:
            _measure_pages(server, publisher, options)
        for number in options.viewers:
            _measure_viewers(server, publisher, number, options)


def _measure_pages(server: Server, publisher: Publisher, options: argparse.Namespace) -> None:
    newest = publisher.prepare(1, heartbeats=False)
    publisher.send()
    server.await_markers(newest.run, newest.markers)
    print(f"{'page':42} {'first':>8} {'p50':>8} {'p99':>8} {'CPU':>8} ms")
    for name, path in pages(marker_uuid(newest.run, 0)).items():
        if options.only and options.only not in name:
            continue
        # What is shared for half a second is asked for by somebody else each time: the drawing is what is measured.
        client = _Fresh(server.port)
        with traffic(publisher, options.rate, options.seconds):
            first = client.get(path)
            used = server.cpu()
            latency = client.latency(path, options.seconds, at_least=20)
            used = server.cpu() - used
        told = f"status {latency}" if isinstance(latency, int) else _milliseconds(latency, used)
        print(f"{name:42} {first.seconds * 1000:8.1f} {told}", flush=True)


class _Fresh(Client):
    """Asks for what is true now, as a page does after an order."""

    headers = "Cache-Control: no-cache\r\n"


def _measure_viewers(server: Server, publisher: Publisher, number: int, options: argparse.Namespace) -> None:
    words = [str(server.port), str(number), options.path, options.topics, str(options.look)]
    before = server.pss()
    audience = subprocess.Popen(
        [sys.executable, "-m", "tests.bench.audience", *words], cwd=ROOT, stdout=subprocess.PIPE, text=True
    )
    assert audience.stdout is not None
    try:
        with traffic(publisher, options.viewers_rate, options.look):
            if audience.stdout.readline().strip() != "open":
                raise RuntimeError("the streams could not be opened")
            begun, used = time.monotonic(), server.cpu()
            line = audience.stdout.readline()
            share = (server.cpu() - used) / (time.monotonic() - begun)
    finally:
        audience.kill()
        audience.wait()
    seen: dict[str, Any] = json.loads(line)
    seconds = seen["seconds"]
    print(
        f"{number} viewers of {options.path}: {share * 100:.1f} % of a core, "
        f"{seen['fetched'] / seconds:.0f} fragments/s, {seen['messages'] / seconds:.0f} messages/s, "
        f"{seen['octets'] / seconds / 1e6:.2f} MB/s, p50 {seen['p50'] * 1000:.0f} ms, p99 {seen['p99'] * 1000:.0f} ms, "
        f"statuses {seen['statuses']}, memory +{(server.pss() - before) / 1e6:.1f} MB",
        flush=True,
    )


@contextmanager
def traffic(publisher: Publisher, rate: int, seconds: float) -> Iterator[None]:
    """Let so many events a second arrive until the block ends, for `seconds` and twenty more at most."""
    if not rate:
        yield
        return
    publisher.prepare(int(rate * (seconds + 20)))
    publisher.begin(rate)
    try:
        yield
    finally:
        publisher.stop()
        publisher.finish()


def _heartbeat(worker: int, clock: int) -> dict[str, Any]:
    return {
        "type": "worker-heartbeat",
        "hostname": f"worker{worker:04}@fleet",
        "timestamp": time.time(),
        "utcoffset": 0,
        "pid": 4242,
        "clock": clock,
        "freq": _FREQ,
        "active": worker % 5,
        "processed": clock // 10,
        "loadavg": [0.5, 0.4, 0.3],
        "sw_ident": "py-celery",
        "sw_ver": "5.7.0",
        "sw_sys": "Linux",
    }


def _milliseconds(latency: Latency, used: float) -> str:
    """Tell the percentiles, and the processor time for each answer, that for the events meanwhile included."""
    return f"{latency.p50 * 1000:8.1f} {latency.p99 * 1000:8.1f} {used / (latency.count + 1) * 1000:8.1f}"


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="viewers", description="Measure the pages, and many who look at one.")
    parser.add_argument("--tasks", type=int, default=100_000, help="tasks in memory")
    parser.add_argument("--workers", type=int, default=1000, help="workers that send heartbeats")
    parser.add_argument("--rate", type=int, default=1000, help="events a second while pages are asked for")
    parser.add_argument("--seconds", type=float, default=3.0, help="for how long each page is asked for")
    parser.add_argument("--only", default="", help="only pages with this in their name")
    parser.add_argument("--no-pages", dest="pages", action="store_false", help="measure viewers alone")
    parser.add_argument("--viewers", type=int, action="append", default=[], help="so many viewers; may be repeated")
    parser.add_argument("--viewers-rate", type=int, default=0, help="events a second beside heartbeats meanwhile")
    parser.add_argument("--look", type=float, default=20.0, help="for how long they look on")
    parser.add_argument("--path", default="/workers?fragment=1", help="what they look at")
    parser.add_argument("--topics", default="workers", help="what their streams follow")
    program = Path(sys.executable).with_name("celery")
    parser.add_argument("--celery", type=Path, default=program, help="the program that starts Flower")
    parser.add_argument("flower", nargs="*", help="options of Flower, after --")
    return parser.parse_args()


if __name__ == "__main__":
    main()
