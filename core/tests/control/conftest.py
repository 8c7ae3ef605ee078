"""Real workers on real brokers, for tests of remote control."""

from __future__ import annotations

import os
import random
import shutil
import signal
import socket
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from celery import Celery

APP = """
import os, time
from celery import Celery
app = Celery("flower_test", broker=os.environ["BROKER"], set_as_current=False)
app.conf.update(control_exchange=os.environ["EXCHANGE"], task_default_queue=os.environ["EXCHANGE"],
                worker_pool_restarts=True, smtp_auth="canary", broker_connection_retry_on_startup=True)

@app.task(name="nap")
def nap(path):
    open(path, "w").close()
    time.sleep(60)

@app.task(name="touch")
def touch(path):
    open(path, "w").close()
"""


class Cluster:
    """An app on a broker with its own control exchange and queue, and the workers started for it."""

    def __init__(self, broker: str, folder: Path) -> None:
        self.folder, self.workers = folder, dict[str, subprocess.Popen[bytes]]()
        self.exchange = f"flower-test-{uuid.uuid4().hex[:12]}"
        self.environment = {**os.environ, "BROKER": broker, "EXCHANGE": self.exchange, "PYTHONPATH": str(folder)}
        (folder / "flower_test_app.py").write_text(APP)
        self.app = Celery("flower_test", broker=broker, set_as_current=False)
        self.app.conf.update(control_exchange=self.exchange, task_default_queue=self.exchange)

    def start_worker(self, *arguments: str) -> str:
        """Start a worker and return its name; it may not listen yet."""
        name = f"{uuid.uuid4().hex[:8]}@test"
        command = [sys.executable, "-m", "celery", "-A", "flower_test_app", "worker", "-n", name]
        command += ["--without-mingle", "--without-gossip", "-l", "WARNING", *arguments]
        with (self.folder / f"{name}.log").open("wb") as log:
            self.workers[name] = subprocess.Popen(
                command, env=self.environment, cwd=self.folder, stdout=log, stderr=log, start_new_session=True
            )
        return name

    def send(self, task: str, *args: Any) -> str:
        """Send a task and return its id."""
        return str(self.app.send_task(task, args=args).id)

    def close(self) -> None:
        """End every worker."""
        for process in self.workers.values():
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()
        if not self.workers:
            return
        try:
            with self.app.connection_for_write() as connection:
                channel = connection.default_channel
                channel.queue_delete(self.exchange)
                # Workers that were killed leave their bindings behind in Redis.
                client: Any = getattr(channel, "client", None)
                for key in client.scan_iter(f"*{self.exchange}*") if client is not None else ():
                    client.delete(key)
        except Exception:
            # The broker of this test may be gone or stopped by now, and its queue with it.
            return
        finally:
            self.app.close()


@pytest.fixture
def make_cluster(tmp_path: Path) -> Iterator[Callable[[str], Cluster]]:
    clusters: list[Cluster] = []

    def make(broker: str) -> Cluster:
        clusters.append(Cluster(broker, tmp_path))
        return clusters[-1]

    yield make
    for cluster in clusters:
        cluster.close()


@pytest.fixture
def redis_url() -> str:
    if not can_connect(6379):
        pytest.skip("Redis is not running: install redis-server and start it on 127.0.0.1:6379")
    return f"redis://127.0.0.1:6379/{random.randint(12, 15)}"


@pytest.fixture
def rabbitmq_url() -> str:
    if not can_connect(5672):
        pytest.skip("RabbitMQ is not running: install rabbitmq-server and start it on 127.0.0.1:5672")
    return "amqp://guest:guest@127.0.0.1:5672//"


@pytest.fixture
def private_redis(tmp_path: Path) -> Iterator[tuple[str, subprocess.Popen[bytes]]]:
    """URL and process of a Redis that a test may stop."""
    binary = shutil.which("redis-server")
    if binary is None:
        pytest.skip("redis-server is not there: install redis-server")
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        port = int(sock.getsockname()[1])
    command = [binary, "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--dir", str(tmp_path)]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    deadline = time.monotonic() + 10
    while not can_connect(port):
        assert time.monotonic() < deadline
        time.sleep(0.02)
    yield f"redis://127.0.0.1:{port}/0", process
    process.kill()
    process.wait()


def can_connect(port: int) -> bool:
    with socket.socket() as sock:
        sock.settimeout(0.5)
        return sock.connect_ex(("127.0.0.1", port)) == 0
