"""Flower 2.2.0 in an environment of its own, to be compared with."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

__all__ = ["PEER_VERSION", "peer_environment"]

PEER_VERSION = "2.2.0"

_SAME = ("kombu", "redis", "amqp", "tornado", "prometheus-client")


def peer_environment() -> Path:
    """Return the virtual environment of the peer; make it on first use, with our versions of what both build on."""
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "flower-bench"
    folder = (
        cache / f"flower-{PEER_VERSION}-python{sys.version_info[0]}.{sys.version_info[1]}-celery{version('celery')}"
    )
    if (folder / ".complete").exists():
        return folder
    shutil.rmtree(folder, ignore_errors=True)
    folder.parent.mkdir(parents=True, exist_ok=True)
    packages = [f"flower=={PEER_VERSION}", f"celery[redis]=={version('celery')}"]
    packages += (f"{name}=={version(name)}" for name in _SAME)
    uv = shutil.which("uv")
    interpreter = str(folder / "bin" / "python")
    if uv:
        _run(uv, "venv", "--python", sys.executable, str(folder))
        _run(uv, "pip", "install", "--python", interpreter, *packages)
    else:
        _run(sys.executable, "-m", "venv", str(folder))
        _run(interpreter, "-m", "pip", "install", "--quiet", *packages)
    (folder / ".complete").touch()
    return folder


def _run(*words: str) -> None:
    done = subprocess.run(words, check=False, capture_output=True, text=True, timeout=600)
    if done.returncode:
        raise RuntimeError(f"{words[0]} failed: {done.stderr[-500:]}")
