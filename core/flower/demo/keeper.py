"""The process that owns the demo's folder, workers and traffic, and is the only one to clean up.

Started by the cluster as `python -m flower.demo.keeper LIFELINE`. It prints the folder's name once
all is started, and stops everything when the cluster closes its pipe or dies.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
from types import FrameType

from flower.demo.folder import DemoFolder
from flower.demo.lifeline import Lifeline

__all__ = ["main"]

_STOP_SECONDS = 3.0
"""How long workers may take to end in good order before they are killed."""

_MEMBERS = {
    "orders": ("worker", "-n", "orders@shop", "-Q", "orders,celery", "-c", "3"),
    "media": ("worker", "-n", "media@shop", "-Q", "emails,images", "-c", "4"),
    "reports": ("worker", "-n", "reports@shop", "-Q", "reports", "-c", "2"),
    "traffic": ("traffic",),
}
# Gossip and mingle let workers watch each other, at the price of a copy of every event for each.
_WORKER_OPTIONS = ("-E", "-l", "WARNING", "--without-gossip", "--without-mingle")


class _Member:
    """One process, the leader of its own process group."""

    def __init__(self, name: str, words: tuple[str, ...], folder: DemoFolder, descriptor: int) -> None:
        self.name = name
        self.log = folder.logs / f"{name}.log"
        options = _WORKER_OPTIONS if words[0] == "worker" else ()
        command = [sys.executable, "-m", "flower.demo.member", str(folder.path), str(descriptor), *words, *options]
        with self.log.open("wb") as log:
            self._process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd=folder.path,
                env=_environment(folder),
                pass_fds=(descriptor,),
                start_new_session=True,
            )

    def ended(self) -> bool:
        """Tell whether the leader has ended, and end what it may have left of its group."""
        if self._process.poll() is None:
            return False
        self.kill()
        return True

    def complaint(self) -> str:
        """Say why it ended, or nothing when it was asked to."""
        status = self._process.returncode
        if status in (0, -signal.SIGTERM):
            return ""
        last = self.log.read_text(encoding="utf-8", errors="replace").strip().splitlines()[-12:]
        return "\n".join((f"The demo's {self.name} process ended with status {status}:", *last)) + "\n"

    def terminate(self) -> None:
        self._process.terminate()

    def kill(self) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()


def main(arguments: list[str]) -> int:
    """Keep a cluster alive until the lifeline ends or a signal asks for the end."""
    descriptor = int(arguments[0])
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _leave)
    folder: DemoFolder | None = None
    members: list[_Member] = []
    try:
        folder = DemoFolder.create()
        for name, words in _MEMBERS.items():
            members.append(_Member(name, words, folder, descriptor))
        print(folder.path, flush=True)  # noqa: T201 (the cluster reads it)
        _watch(members, Lifeline(descriptor))
    except SystemExit:
        pass
    finally:
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, signal.SIG_IGN)
        _stop(members)
        if folder is not None:
            folder.remove()
    return 0


def _leave(_number: int, _frame: FrameType | None) -> None:
    sys.exit()


def _watch(members: list[_Member], lifeline: Lifeline) -> None:
    while not lifeline.wait(0.5):
        for member in [member for member in members if member.ended()]:
            members.remove(member)
            sys.stderr.write(member.complaint())


def _stop(members: list[_Member]) -> None:
    for member in members:
        member.terminate()
    deadline = time.monotonic() + _STOP_SECONDS
    while members and time.monotonic() < deadline:
        members = [member for member in members if not member.ended()]
        time.sleep(0.05)
    for member in members:
        member.kill()


def _environment(folder: DemoFolder) -> dict[str, str]:
    # Celery reads CELERY_BROKER_URL before its own settings: a demo must never reach a real broker.
    kept = {name: value for name, value in os.environ.items() if not name.startswith("CELERY")}
    return {**kept, "TMPDIR": str(folder.temporary)}


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
