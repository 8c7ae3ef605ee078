from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
import uuid
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from celery import Celery
from kombu.transport import TRANSPORT_ALIASES

from flower.demo.cluster import DemoCluster

pytestmark = pytest.mark.system

PARENT = """
import signal
from flower.demo.cluster import DemoCluster
with DemoCluster() as cluster:
    print(cluster.folder, flush=True)
    signal.pause()
"""
MARK = "SHOP_TEST_MARK"


@pytest.fixture(autouse=True)
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where demos put their folders in this test; processes of this test carry a mark."""
    monkeypatch.setenv(MARK, uuid.uuid4().hex)
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setitem(TRANSPORT_ALIASES, "filesystem", "kombu.transport.filesystem:Transport")  # put back later
    return tmp_path


@pytest.fixture
def parent() -> Iterator[subprocess.Popen[str]]:
    """A process that runs a demo, in a process group of its own like a shell's job."""
    process = subprocess.Popen(
        [sys.executable, "-c", PARENT],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        start_new_session=True,
    )
    with process:
        yield process
        process.kill()


@pytest.fixture(scope="module")
def cluster() -> Iterator[DemoCluster]:
    """One cluster for the tests that only look."""
    with DemoCluster() as running:
        yield running


def test_every_kind_of_event_arrives_within_a_minute(cluster: DemoCluster) -> None:
    kinds = {"task-sent", "task-received", "task-started", "task-succeeded", "task-failed", "task-retried"}
    kinds |= {"task-revoked", "task-rejected", "task-progress", "worker-online", "worker-heartbeat"}
    seen = events_until(cluster.app(), lambda seen: kinds <= {event["type"] for event in seen}, seconds=60)
    assert {"orders@shop", "media@shop", "reports@shop"} <= {event["hostname"] for event in seen}
    failure = next(event for event in seen if event["type"] == "task-failed")
    assert "flower/demo/tasks/" in failure["traceback"]


def test_a_slow_task_can_be_terminated(cluster: DemoCluster) -> None:
    app = cluster.app()
    report = app.send_task("reports.nightly", kwargs={"day": "2026-01-01", "regions": ["UK"] * 20})
    events_until(app, lambda seen: has(seen, "task-started", report.id), seconds=60)
    app.control.revoke(report.id, terminate=True)
    events_until(app, lambda seen: has(seen, "task-revoked", report.id), seconds=20)


def test_a_pool_can_be_restarted(cluster: DemoCluster) -> None:
    control = cluster.app().control
    wait_until(lambda: bool(control.ping(destination=["media@shop"], timeout=2)), seconds=30)
    answer = control.broadcast("pool_restart", destination=["media@shop"], reply=True, timeout=10)
    assert answer == [{"media@shop": {"ok": "reload started"}}]


def test_a_broker_in_the_environment_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CELERY_BROKER_URL", "redis://127.0.0.1:1/0")
    with DemoCluster() as cluster:
        monkeypatch.delenv("CELERY_BROKER_URL")
        assert events_until(cluster.app(), lambda seen: has(seen, "worker-online"), seconds=60)


def test_nothing_is_left_after_the_end(temporary: Path) -> None:
    with DemoCluster() as cluster:
        events_until(cluster.app(), lambda seen: has(seen, "task-started"), seconds=60)
        wait_until(lambda: len(marked_processes()) > 10, seconds=30)
        began = time.monotonic()
    assert time.monotonic() - began < 5
    assert all_gone(temporary)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGKILL])
def test_nothing_is_left_after_the_parent_is_gone(
    parent: subprocess.Popen[str], number: signal.Signals, temporary: Path
) -> None:
    folder = Path(first_line(parent))
    wait_until(lambda: len(marked_processes()) > 10, seconds=30)
    os.killpg(parent.pid, number)
    wait_until(lambda: all_gone(temporary), seconds=15)
    assert not folder.exists()


@pytest.mark.parametrize("delay", [0.02, 0.08, 0.15, 0.3, 0.8])
def test_an_interrupt_may_come_while_the_cluster_starts(
    parent: subprocess.Popen[str], delay: float, temporary: Path
) -> None:
    with pytest.raises(subprocess.TimeoutExpired):
        parent.wait(delay)
    os.killpg(parent.pid, signal.SIGINT)
    wait_until(lambda: all_gone(temporary), seconds=20)


def test_nothing_is_left_when_the_keeper_itself_was_killed(parent: subprocess.Popen[str], temporary: Path) -> None:
    first_line(parent)
    wait_until(lambda: len(marked_processes()) > 10, seconds=30)
    keeper = next(pid for pid in marked_processes() if b"flower.demo.keeper" in command(pid))
    os.kill(keeper, signal.SIGKILL)
    os.killpg(parent.pid, signal.SIGINT)
    wait_until(lambda: all_gone(temporary), seconds=30)


def events_until(app: Celery, enough: Callable[[list[dict[str, Any]]], bool], seconds: float) -> list[dict[str, Any]]:
    """Collect events until there are enough; fail at the deadline and say what came."""
    seen: list[dict[str, Any]] = []
    deadline = time.monotonic() + seconds
    with app.connection_for_read() as connection:
        receiver = app.events.Receiver(connection, handlers={"*": seen.append})
        for _event in receiver.consume(limit=None, timeout=seconds):
            if enough(seen):
                return seen
            if time.monotonic() > deadline:
                break
    raise AssertionError(f"after {seconds} s only {Counter(event['type'] for event in seen)}")


def has(seen: list[dict[str, Any]], kind: str, task: str | None = None) -> bool:
    return any(event["type"] == kind and task in (None, event.get("uuid")) for event in seen)


def first_line(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    return process.stdout.readline().strip()


def marked_processes() -> list[int]:
    """Return the processes, other than this one, whose environment carries this test's mark."""
    mark = f"{MARK}={os.environ[MARK]}".encode()
    found = []
    for place in Path("/proc").glob("[0-9]*"):
        try:
            environment = (place / "environ").read_bytes()
        except OSError:  # gone, or a stranger's
            continue
        if mark in environment.split(b"\0") and place.name != str(os.getpid()):
            found.append(int(place.name))
    return found


def command(pid: int) -> bytes:
    return Path(f"/proc/{pid}/cmdline").read_bytes()


def all_gone(temporary: Path) -> bool:
    return not marked_processes() and not list(temporary.iterdir())


def wait_until(condition: Callable[[], bool], seconds: float) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"not within {seconds} s"
        time.sleep(0.05)
