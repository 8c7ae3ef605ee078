"""The files on disk: private, never through a symbolic link, never overwritten when damaged."""

from __future__ import annotations

import os
import secrets
import shlex
import shutil
import stat
import time
from pathlib import Path

from flower_plugins import ConfigurationError

__all__ = ["create", "is_foreign", "quarantine", "refuse_missing_folder", "refuse_odd_files", "scratch", "sidecar"]

_WHERE = "--db"


def sidecar(path: Path, suffix: str) -> Path:
    """Return the path of a file that SQLite keeps beside the database: "-wal" or "-journal"."""
    return path.with_name(path.name + suffix)


def refuse_missing_folder(path: Path) -> None:
    """Raise ConfigurationError where the folder of the database does not exist: a mistyped one is not made."""
    folder = path.parent
    if not folder.exists():
        raise ConfigurationError(
            f"there is no folder {folder}", where=_WHERE, mend=f"mkdir -p {shlex.quote(str(folder))}, or correct --db."
        )


def refuse_odd_files(path: Path) -> None:
    """Raise ConfigurationError where the database or a file beside it is a link or no regular file."""
    for each in (path, sidecar(path, "-wal"), sidecar(path, "-shm"), sidecar(path, "-journal")):
        try:
            mode = os.lstat(each).st_mode
        except FileNotFoundError:
            continue
        if not stat.S_ISREG(mode):
            kind = "a symbolic link" if stat.S_ISLNK(mode) else "not a regular file"
            raise ConfigurationError(f"{each} is {kind}", where=_WHERE, mend="Remove it or choose another --db.")


def is_foreign(path: Path, application: int) -> bool:
    """Tell whether the file is a sound SQLite database that another program made."""
    with path.open("rb") as file:
        header = file.read(100)
    return header.startswith(b"SQLite format 3\0") and header[68:72] != application.to_bytes(4, "big")


def create(path: Path) -> None:
    """Create the file with mode 0600 if it is missing, and take other people's access away if it is not."""
    flags = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | getattr(os, "O_NOFOLLOW", 0)
    descriptor = os.open(path, flags, 0o600)
    try:
        if stat.S_IMODE(os.fstat(descriptor).st_mode) != 0o600:
            os.fchmod(descriptor, 0o600)
    finally:
        os.close(descriptor)


def scratch(path: Path) -> Path:
    """Create an empty private file beside `path` and return its path."""
    while True:
        candidate = path.with_name(f".{path.name}.{secrets.token_hex(4)}.new")
        try:
            os.close(os.open(candidate, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600))
        except FileExistsError:
            continue
        return candidate


def quarantine(path: Path) -> Path:
    """Keep a damaged database under a name of its own and return that; `path` itself stays in place.

    Its write-ahead log is moved away, because SQLite would apply it to the file that comes next.
    """
    stamp = time.strftime("%Y%m%dT%H%M%S", time.gmtime())
    kept = path.with_name(f"{path.name}.damaged-{stamp}-{secrets.token_hex(4)}")
    try:
        os.link(path, kept)
    except OSError:  # file systems without hard links
        shutil.copy2(path, kept)
    for suffix in ("-wal", "-journal"):
        if sidecar(path, suffix).exists():
            os.replace(sidecar(path, suffix), sidecar(kept, suffix))
    return kept
