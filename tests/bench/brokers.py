"""Private brokers: nothing of anybody else in them, gone afterwards."""

from __future__ import annotations

import os
import secrets
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from tests.system.support import rabbitmqctl, until

__all__ = ["Missing", "broker", "free_port"]

_RUNNING_RABBITMQ = 5672


class Missing(Exception):
    """A program that a measurement needs is not there."""


def free_port() -> int:
    """Return a port on which nobody listens."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@contextmanager
def broker(name: str, *, borrow: bool = False) -> Iterator[str]:
    """Start "redis" or "rabbitmq" and return its URL.

    With `borrow` a RabbitMQ that already runs lends a virtual host, which saves ten seconds.
    """
    start = _redis
    if name == "rabbitmq":
        start = _borrowed_rabbitmq if borrow and _can_borrow() else _rabbitmq
    with start() as url:
        yield url


@contextmanager
def _redis() -> Iterator[str]:
    program = _program("redis-server", "valkey-server")
    port = free_port()
    with tempfile.TemporaryDirectory(prefix="flower-bench-") as folder:
        options = {"port": str(port), "bind": "127.0.0.1", "save": "", "appendonly": "no", "dir": folder}
        words = [word for name, value in options.items() for word in (f"--{name}", value)]
        process = subprocess.Popen([program, *words], stdout=subprocess.DEVNULL)
        try:
            until(lambda: _answers(port), "Redis listens")
            yield f"redis://127.0.0.1:{port}/0"
        finally:
            process.kill()
            process.wait(10)


@contextmanager
def _rabbitmq() -> Iterator[str]:
    """Start a node with a name, folders and an epmd of its own."""
    program = _program("rabbitmq-server", "/usr/sbin/rabbitmq-server")
    port, names = free_port(), free_port()
    with tempfile.TemporaryDirectory(prefix="flower-bench-") as folder, ExitStack() as stack:
        # The start script gives up root for an account of its own, which must be able to write here.
        Path(folder).chmod(0o777)
        config = Path(folder, "rabbitmq.conf")
        config.write_text(f"listeners.tcp.1 = 127.0.0.1:{port}\n")
        plugins = Path(folder, "enabled_plugins")
        plugins.write_text("[].\n")
        environment = {
            "RABBITMQ_NODENAME": f"flower-bench-{secrets.token_hex(4)}@localhost",
            "RABBITMQ_CONFIG_FILE": str(config),
            "RABBITMQ_MNESIA_BASE": f"{folder}/data",
            "RABBITMQ_LOG_BASE": f"{folder}/log",
            "RABBITMQ_ENABLED_PLUGINS_FILE": str(plugins),
            "RABBITMQ_PID_FILE": f"{folder}/pid",
            "RABBITMQ_DIST_PORT": str(free_port()),
            "ERL_EPMD_PORT": str(names),
            "ERL_EPMD_ADDRESS": "127.0.0.1",
        }
        words = {**os.environ, **environment}
        subprocess.run([program, "-detached"], env=words, check=True, capture_output=True, timeout=60)
        stack.callback(subprocess.run, ["epmd", "-kill"], env=words, capture_output=True, timeout=30)
        stack.callback(
            subprocess.run, ["rabbitmqctl", "stop", f"{folder}/pid"], env=words, capture_output=True, timeout=60
        )
        until(lambda: _answers(port), "RabbitMQ listens", 60)
        until(lambda: _greets(port), "RabbitMQ is ready", 60)
        yield f"amqp://guest:guest@127.0.0.1:{port}//"


@contextmanager
def _borrowed_rabbitmq() -> Iterator[str]:
    vhost = f"flower-bench-{secrets.token_hex(4)}"
    rabbitmqctl("add_vhost", vhost)
    try:
        rabbitmqctl("set_permissions", "-p", vhost, "guest", ".*", ".*", ".*")
        yield f"amqp://guest:guest@127.0.0.1:{_RUNNING_RABBITMQ}/{vhost}"
    finally:
        rabbitmqctl("delete_vhost", vhost)


def _can_borrow() -> bool:
    if not _answers(_RUNNING_RABBITMQ) or not shutil.which("rabbitmqctl"):
        return False
    asked = subprocess.run(["rabbitmqctl", "-q", "list_vhosts"], check=False, capture_output=True, timeout=60)
    return asked.returncode == 0


def _program(*names: str) -> str:
    found = next((path for name in names if (path := shutil.which(name))), None)
    if found is None:
        raise Missing(f"{names[0]} is not installed")
    return found


def _answers(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), 1).close()
    except OSError:
        return False
    return True


def _greets(port: int) -> bool:
    """Tell whether the node gets as far as its own first AMQP method, connection.start."""
    with socket.create_connection(("127.0.0.1", port), 5) as client:
        client.sendall(b"AMQP\x00\x00\x09\x01")
        return client.recv(8)[:1] == b"\x01"
