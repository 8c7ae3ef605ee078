"""Flower of this tree as users have it: in an environment of its own, its modules compiled, without our tools."""

from __future__ import annotations

import hashlib
from pathlib import Path

from tests.system.peer import environment

__all__ = ["own_environment"]

_ROOT = Path(__file__).resolve().parents[2]
_SOURCES = ("pyproject.toml", "core/flower", "flower_plugins", "plugins")


def own_environment() -> Path:
    """Return a virtual environment with the tree as it is; another one for every change of it."""
    parts = [_ROOT, _ROOT / "flower_plugins", *sorted(each.parent for each in _ROOT.glob("plugins/*/pyproject.toml"))]
    return environment(f"flower-{_digest()}", [str(part) for part in parts])


def _digest() -> str:
    found = hashlib.blake2b(digest_size=8)
    for source in _SOURCES:
        place = _ROOT / source
        for file in sorted(place.rglob("*")) if place.is_dir() else [place]:
            if file.is_file() and "__pycache__" not in file.parts and "tests" not in file.parts:
                found.update(str(file.relative_to(_ROOT)).encode() + b"\0" + file.read_bytes())
    return found.hexdigest()
