"""What no longer counts though its signature is good: ended sessions."""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from flower_plugins import ConfigurationError

__all__ = ["Revocations"]

_FILE = "revoked"
_ALL = "*"
_LOOK_SECONDS = 1.0
_COMPACT_BYTES = 1024 * 1024


class Revocations:
    """A list of names, each until a time, in memory and, with a folder, in a file that is appended to.

    A line is a name and the seconds since the epoch until which it stands; the name `*` stands for all
    that was issued up to that time. Processes that share the folder see each other's lines within a second.
    """

    def __init__(self, folder: Path | None, clock: Callable[[], float] = time.time) -> None:
        """Raise ConfigurationError when the folder's file cannot be read or written."""
        self._clock = clock
        self._until: dict[str, float] = {}
        self._before = 0.0
        self._path = None if folder is None else folder / _FILE
        self._place: tuple[int, int] = (0, 0)
        self._looked = float("-inf")
        self._sweep_at = 1000
        self._compact_at = _COMPACT_BYTES
        if self._path is not None:
            try:
                self._open(self._path)
            except OSError as error:
                raise ConfigurationError(
                    f"ended sessions cannot be kept in {self._path}: {error.strerror or error}",
                    where="data_dir",
                    mend="Name a folder that this user may write with --data_dir",
                ) from None

    def add(self, name: str, until: float) -> None:
        """Let a name, without blanks, no longer count until a time after which nothing accepts it anyway."""
        self._note(name, until)
        self._append(f"{name} {until:.3f}\n")

    def add_all(self) -> None:
        """Let nothing count that was issued up to now."""
        self._before = self._clock()
        self._append(f"{_ALL} {self._before:.3f}\n")

    def stands(self, name: str, issued: float) -> bool:
        """Tell whether a name, issued at that time, is revoked."""
        self._follow()
        return issued <= self._before or name in self._until

    def __len__(self) -> int:
        return len(self._until)

    def _note(self, name: str, until: float) -> None:
        if name == _ALL:
            self._before = max(self._before, until)
            return
        self._until[name] = until
        if len(self._until) > self._sweep_at:
            now = self._clock()
            self._until = {name: until for name, until in self._until.items() if until > now}
            self._sweep_at = max(1000, 2 * len(self._until))

    def _open(self, path: Path) -> None:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with _locked(path):
            descriptor = os.open(path, os.O_CREAT | os.O_APPEND | os.O_WRONLY | os.O_NOFOLLOW, 0o600)
            os.close(descriptor)
            path.chmod(0o600)
            self._read(path)
            self._compact(path)

    def _follow(self) -> None:
        """Take over what other processes have written, at most once a second."""
        now = time.monotonic()
        if self._path is None or now - self._looked < _LOOK_SECONDS:
            return
        self._looked = now
        try:
            self._read(self._path)
        except OSError:
            return  # what is known here still stands

    def _read(self, path: Path) -> None:
        found = path.stat()
        inode, offset = self._place
        if (inode, offset) == (found.st_ino, found.st_size):
            return
        start = offset if inode == found.st_ino and offset <= found.st_size else 0
        with path.open("rb") as file:
            file.seek(start)
            data = file.read()
        whole = data[: data.rfind(b"\n") + 1]  # a line that is being written is for the next time
        now = self._clock()
        for line in whole.decode("ascii", "replace").splitlines():
            name, _, until = line.partition(" ")
            try:
                seconds = float(until)
            except ValueError:
                continue
            if name == _ALL or seconds > now:
                self._note(name, seconds)
        self._place = (found.st_ino, start + len(whole))

    def _append(self, line: str) -> None:
        if self._path is None:
            return
        with _locked(self._path):
            descriptor = os.open(self._path, os.O_CREAT | os.O_APPEND | os.O_WRONLY | os.O_NOFOLLOW, 0o600)
            with os.fdopen(descriptor, "ab") as file:
                file.write(line.encode("ascii"))
            self._compact(self._path)

    def _compact(self, path: Path) -> None:
        """Write what still stands anew when the file has grown large; the caller holds the lock."""
        if path.stat().st_size <= self._compact_at:
            return
        self._read(path)
        now = self._clock()
        new = path.with_name(f"{path.name}.new")
        new.unlink(missing_ok=True)
        descriptor = os.open(new, os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_NOFOLLOW, 0o600)
        with os.fdopen(descriptor, "w", encoding="ascii") as file:
            file.write(f"{_ALL} {self._before:.3f}\n")
            file.writelines(f"{name} {until:.3f}\n" for name, until in self._until.items() if until > now)
        new.replace(path)
        found = path.stat()
        self._place = (found.st_ino, found.st_size)
        self._compact_at = max(_COMPACT_BYTES, 2 * found.st_size)


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    """Keep other processes from writing meanwhile."""
    descriptor = os.open(path.with_name(f"{path.name}.lock"), os.O_CREAT | os.O_RDWR | os.O_NOFOLLOW, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)
