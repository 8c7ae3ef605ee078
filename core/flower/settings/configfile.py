"""flowerconfig.py: a Python file whose globals are settings, Celery's settings or hooks."""

from __future__ import annotations

import os
import stat
from collections.abc import Mapping
from pathlib import Path
from types import FunctionType, ModuleType
from typing import IO, Any

from msgspec import Struct, field

from flower_plugins import ConfigurationError

__all__ = ["ConfigFile", "execute"]


class ConfigFile(Struct, frozen=True):
    """The file that was executed: every global it left, and what is questionable about it."""

    path: str = ""
    globals: Mapping[str, Any] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()

    def where(self, name: str) -> str:
        """Say where a setting of that name stands."""
        return f"{name} in {self.path}"

    def plain(self) -> Mapping[str, Any]:
        """Return the globals that are neither private nor modules, classes or functions."""
        return {
            name: value
            for name, value in self.globals.items()
            if not name.startswith("_") and not isinstance(value, (ModuleType, type, FunctionType))
        }


def execute(conf: str, *, explicit: bool, where: str, cwd: str) -> ConfigFile:
    """Execute the file; one that nobody asked for may be missing.

    Raise ConfigurationError when it is missing, cannot be read or run, or when others could have written it.
    """
    path = Path(cwd, os.path.expanduser(conf))
    if not conf.strip():
        raise ConfigurationError("conf names no file", where=where, mend="Name one or leave the option out")
    try:
        with path.open("rb") as file:
            warnings = _examine(path, file)
            source = file.read()
    except FileNotFoundError:
        if not explicit:
            return ConfigFile()
        raise ConfigurationError(f"there is no file {path}", where=where, mend="Correct the path of conf") from None
    except OSError as error:
        raise ConfigurationError(f"cannot read {path}: {error.strerror}", where=where) from None
    return ConfigFile(str(path), _run(path, source), warnings)


def _examine(path: Path, file: IO[bytes]) -> tuple[str, ...]:
    found = os.fstat(file.fileno())
    # Devices are left alone: /dev/null is world-writable, and a customary way to say "no settings".
    if os.name != "posix" or not stat.S_ISREG(found.st_mode):
        return ()
    if found.st_mode & stat.S_IWOTH:
        raise ConfigurationError(
            f"refusing to execute {path}, which everybody can write to", mend=f"chmod o-w {path} after checking it"
        )
    if found.st_uid not in (0, os.geteuid()):
        return (f"{path} belongs to another user (uid {found.st_uid}), who decides what Flower executes",)
    return ()


def _run(path: Path, source: bytes) -> dict[str, Any]:
    namespace: dict[str, Any] = {"__name__": "flowerconfig", "__file__": str(path)}
    try:
        # Not an import: that would leave, and trust, compiled files beside the source.
        exec(compile(source, str(path), "exec", dont_inherit=True), namespace)  # noqa: S102
    except SyntaxError as error:
        raise ConfigurationError(f"{path} is not Python: {error.msg}", where=f"line {error.lineno}") from error
    except (Exception, SystemExit) as error:  # the file is the user's code and may raise anything
        what = f"{path} raised {type(error).__name__}" + (f": {error}" if str(error) else "")
        raise ConfigurationError(" ".join(what.split()), where=_line(error, path)) from error
    namespace.pop("__builtins__", None)
    return namespace


def _line(error: BaseException, path: Path) -> str:
    line = 0
    trace = error.__traceback__
    while trace is not None:
        if trace.tb_frame.f_code.co_filename == str(path):
            line = trace.tb_lineno
        trace = trace.tb_next
    return f"line {line}" if line else ""
