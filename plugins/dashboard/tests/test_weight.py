"""What a first visit loads: the page of a busy cluster and every file that it names, as they are sent."""

from __future__ import annotations

import random
import re
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import flower_dashboard
from flower_plugins import FailureGroup, QueueStats
from flower_plugins.testing import FakeTask, FakeWorker

STATIC = Path(flower_dashboard.__file__).parent / "static"
PLAIN, WITH_CHART = 60 * 1024, 120 * 1024
NAMES = [f"shop.area{number % 7}.action_{number}" for number in range(40)]
KINDS = ("task-succeeded", "task-failed", "task-retried", "task-received")
UUID = "3f1c9a52-7d1e-4c1b-9a43-0c9b1d2e4f60"


def busy(site: Any) -> Any:
    """Return a cluster with a full first page of everything."""
    chance = random.Random(6)
    text = "".join(chance.choices("abcdefghijklmnopqrstuvwxyz ", k=4000))
    tasks = [
        FakeTask(
            f"{chance.getrandbits(64):016x}-{number:019d}",
            name=NAMES[number % 40],
            state=("SUCCESS", "FAILURE", "STARTED")[number % 3],
            args=f"('{text[number : number + 80]}', {number})",
            kwargs=f"{{'note': '{text[number * 2 : number * 2 + 90]}'}}",
            result=text[number : number + 60],
            received=1_700_000_000.0 + number * 1.37,
            runtime=chance.random() * 9,
        )
        for number in range(200)
    ]
    tasks.append(FakeTask(UUID, state="FAILURE", exception="KeyError('x')", traceback=f"Traceback\n{text}", args=text))
    workers = [
        FakeWorker(f"worker{number}@host{chance.getrandbits(32):08x}", active=number, counts={"task-received": number})
        for number in range(300)
    ]
    made = site(tasks=tasks, workers=workers)
    for ago in range(0, 3600, 10):
        for kind in KINDS:
            name, number = chance.choice(NAMES), chance.randrange(1000)
            made.host.rollups.add(kind, task=name, worker=workers[0].hostname, number=number, ago=ago)
    for ago in range(0, 3600, 60):
        for name in NAMES:
            made.host.rollups.measure("runtime", chance.random() * 30, task=name, ago=ago)
    made.host.queues.queues = [QueueStats(f"queue-{number}", chance.randrange(10**6)) for number in range(50)]
    for queue in made.host.queues.queues[:20]:
        for ago in range(0, 3600, 10):
            made.host.rollups.length(queue.name, chance.randrange(10**6), ago=ago)
    made.host.rollups.groups = [
        FailureGroup(f"Error{number}", text[number : number + 90], number, 1.0, 2.0, NAMES[number], UUID)
        for number in range(20)
    ]
    return made


def loaded(html: str) -> dict[str, bytes]:
    """Return every file that a browser fetches for a page, by its path: what it names, and what that imports."""
    found: dict[str, bytes] = {}
    waiting = re.findall(r'(?:src|href)="/static/dashboard/([^"?#]+)', html)
    while waiting:
        name = waiting.pop()
        if name not in found:
            found[name] = (STATIC / name).read_bytes()
            waiting += imported(name, found[name].decode())
    return found


def imported(name: str, source: str) -> Iterator[str]:
    if name.endswith(".js"):
        for other in re.findall(r'(?:from|import) ?\(?"\./([\w-]+\.js)"', source):
            yield f"js/{other}"


def weight(octets: bytes) -> int:
    """Return the size of a body as it is sent: gzip of level 1."""
    packer = zlib.compressobj(1, zlib.DEFLATED, 31)
    return len(packer.compress(octets) + packer.flush())


@pytest.mark.parametrize(
    ("path", "most"),
    [
        ("/", WITH_CHART),
        ("/broker", WITH_CHART),
        ("/worker/{worker}", WITH_CHART),
        ("/workers", PLAIN),
        ("/tasks", PLAIN),
        (f"/task/{UUID}", PLAIN),
        ("/task-types", PLAIN),
        ("/plugins", PLAIN),
    ],
)
def test_the_first_load_is_small(site: Any, path: str, most: int) -> None:
    made = busy(site)
    html = made.page(path.format(worker=made.host.workers.all()[0].hostname)).html
    files = loaded(html)
    assert {"js/main.js", "js/live.js", "css/base.css", "icons.svg"} <= set(files)
    sizes = {name: weight(octets) for name, octets in files.items()}
    assert weight(html.encode()) + sum(sizes.values()) <= most, sizes


def test_charts_are_full_in_what_was_weighed(site: Any) -> None:
    page = busy(site).page("/")
    assert all(len(path["d"] or "") > 1000 for path in page.find("path", **{"class": "fill-ok"}))
    assert page.find("path", **{"class": "fill-bad"})
