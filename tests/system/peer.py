"""Flower 2.2.0 in an environment of its own, to be compared with."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path

__all__ = ["PEER_VERSION", "environment", "peer_environment"]

PEER_VERSION = "2.2.0"

_SAME = ("kombu", "redis", "amqp", "tornado", "prometheus-client")


def peer_environment() -> Path:
    """Return the virtual environment of the peer; make it on first use, with our versions of what both build on."""
    return environment(f"flower-{PEER_VERSION}", [f"flower=={PEER_VERSION}"])


def environment(name: str, packages: Sequence[str]) -> Path:
    """Return a virtual environment with these packages, and with the versions that we use of what Flowers build on."""
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "flower-bench"
    folder = cache / f"{name}-python{sys.version_info[0]}.{sys.version_info[1]}-celery{version('celery')}"
    if (folder / ".complete").exists():
        return folder
    shutil.rmtree(folder, ignore_errors=True)
    folder.parent.mkdir(parents=True, exist_ok=True)
    packages = [*packages, f"celery[redis]=={version('celery')}", *(f"{each}=={version(each)}" for each in _SAME)]
    uv = shutil.which("uv")
    interpreter = str(folder / "bin" / "python")
    if uv:
        _run(uv, "venv", "--python", sys.executable, str(folder))
        _run(uv, "pip", "install", "--compile-bytecode", "--python", interpreter, *packages)
    else:
        _run(sys.executable, "-m", "venv", str(folder))
        _run(interpreter, "-m", "pip", "install", "--quiet", *packages)
    (folder / ".complete").touch()
    return folder


def _run(*words: str) -> None:
    done = subprocess.run(words, check=False, capture_output=True, text=True, timeout=600)
    if done.returncode:
        raise RuntimeError(f"{words[0]} failed: {done.stderr[-500:]}")
