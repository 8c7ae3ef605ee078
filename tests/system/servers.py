"""Brokers of one's own, to be killed, hung and started again."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import socket
import subprocess
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType

from tests.system.support import Launcher, Process, Room, until

_NONE: Mapping[str, str] = MappingProxyType({})
RABBITMQ = Path("/usr/lib/rabbitmq/bin/rabbitmq-server")


def free_port() -> int:
    """Return a port that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Server(ABC):
    """A broker that listens on one loopback port whenever it runs."""

    seconds = 10.0
    """How long a start may take."""
    options: Sequence[str] = ()
    """What Flower has to be told beside the URL."""

    def __init__(self, launcher: Launcher, folder: Path) -> None:
        self._launcher, self._folder = launcher, folder
        self.port = free_port()
        self._process: Process | None = None

    @staticmethod
    @abstractmethod
    def missing() -> str:
        """Say what to install before one can be started, "" when nothing is missing."""

    @property
    @abstractmethod
    def room(self) -> Room:
        """Where to find it."""

    @abstractmethod
    def _words(self) -> list[str]:
        """Return the command that starts it."""

    def _environment(self) -> dict[str, str]:
        return {}

    def start(self) -> None:
        """Start it and wait until it listens."""
        process = self._process = self._launcher.start(self._words(), self._environment(), cwd=self._folder)

        def listens() -> bool:
            assert process.popen.poll() is None, process.output()
            return answers(self.port)

        until(listens, "the broker listens", self.seconds)

    def kill(self) -> None:
        """End it at once, without a farewell to anybody."""
        self._signal(signal.SIGKILL)
        assert self._process is not None
        self._process.popen.wait(10)
        until(lambda: not answers(self.port), "the broker is gone", 10)

    def close(self) -> None:
        """End whatever still runs of it."""

    def hang(self) -> None:
        """Keep its connections open and answer nothing."""
        self._signal(signal.SIGSTOP)

    def resume(self) -> None:
        """End the hanging."""
        self._signal(signal.SIGCONT)

    def _signal(self, number: int) -> None:
        assert self._process is not None
        os.killpg(self._process.popen.pid, number)


class RedisServer(Server):
    """A Redis that keeps nothing."""

    def __init__(self, launcher: Launcher, folder: Path, password: str = "") -> None:
        super().__init__(launcher, folder)
        self._password = password

    @staticmethod
    def missing() -> str:
        return "" if shutil.which("redis-server") else "needs redis: apt-get install redis-server"

    @property
    def room(self) -> Room:
        user = f":{self._password}@" if self._password else ""
        url = f"redis://{user}127.0.0.1:{self.port}/0"
        return Room(url, url)

    def _words(self) -> list[str]:
        words = ["redis-server", "--port", str(self.port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"]
        return [*words, *(["--requirepass", self._password] if self._password else [])]


class RabbitServer(Server):
    """A RabbitMQ node with a port mapper of its own, so that it meets no other node."""

    seconds = 60.0

    def __init__(
        self, launcher: Launcher, folder: Path, plugins: str = "", settings: Mapping[str, str] = _NONE
    ) -> None:
        """`plugins` between commas, `settings` as in rabbitmq.conf."""
        super().__init__(launcher, folder)
        self._mapper = str(free_port())
        self._distribution = str(free_port())
        settings = {"listeners.tcp.local": f"127.0.0.1:{self.port}", **settings}
        (folder / "rabbitmq.conf").write_text("".join(f"{name} = {value}\n" for name, value in settings.items()))
        (folder / "rabbitmq-env.conf").write_text("")
        (folder / "enabled_plugins").write_text(f"[{plugins}].\n")

    @staticmethod
    def missing() -> str:
        found = RABBITMQ.exists() and shutil.which("epmd")
        return "" if found else "needs rabbitmq: apt-get install rabbitmq-server"

    @property
    def room(self) -> Room:
        return Room(f"amqp://guest:guest@127.0.0.1:{self.port}//", "rpc://")

    def close(self) -> None:
        """End the node and its port mapper."""
        with contextlib.suppress(ProcessLookupError):
            self.kill()
        mapper = {**os.environ, "ERL_EPMD_PORT": self._mapper}

        def ended() -> bool:
            words = ["epmd", "-kill"]
            return subprocess.run(words, env=mapper, capture_output=True, check=False).stdout.startswith(b"Killed")

        until(ended, "the port mapper has noticed that the node is gone", 10)

    def _words(self) -> list[str]:
        return [str(RABBITMQ)]

    def _environment(self) -> dict[str, str]:
        folder = self._folder
        return {
            "HOME": str(folder),
            "RABBITMQ_NODENAME": "drill@localhost",
            "RABBITMQ_CONFIG_FILE": str(folder / "rabbitmq.conf"),
            "RABBITMQ_CONF_ENV_FILE": str(folder / "rabbitmq-env.conf"),
            "RABBITMQ_ENABLED_PLUGINS_FILE": str(folder / "enabled_plugins"),
            "RABBITMQ_MNESIA_BASE": str(folder / "mnesia"),
            "RABBITMQ_LOG_BASE": str(folder / "log"),
            "RABBITMQ_PID_FILE": str(folder / "node.pid"),
            "RABBITMQ_DIST_PORT": self._distribution,
            "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": "-kernel inet_dist_use_interface {127,0,0,1}",
            "ERL_EPMD_PORT": self._mapper,
            "ERL_EPMD_ADDRESS": "127.0.0.1",
        }


class ManagedRabbitServer(RabbitServer):
    """One whose management API listens on a port of its own."""

    def __init__(self, launcher: Launcher, folder: Path) -> None:
        self.api = free_port()
        settings = {"management.tcp.ip": "127.0.0.1", "management.tcp.port": str(self.api)}
        super().__init__(launcher, folder, "rabbitmq_management", settings)
        self.options = [f"--broker-api=http://guest:guest@127.0.0.1:{self.api}/api/"]

    def start(self) -> None:
        """Start it and wait until the management API listens, too."""
        super().start()
        until(lambda: answers(self.api), "the management API listens", self.seconds)


def answers(port: int) -> bool:
    """Tell whether somebody accepts connections on a loopback port."""
    try:
        socket.create_connection(("127.0.0.1", port), 1).close()
    except OSError:
        return False
    return True
