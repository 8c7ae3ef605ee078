"""The distributions of this repository, as their pyproject.toml files describe them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import tomli

__all__ = ["ROOT", "Dist", "find_dists"]

ROOT = Path(__file__).resolve().parent.parent


@dataclass(frozen=True)
class Dist:
    """One distribution: `package` is the folder that is imported, `tests` may not exist."""

    name: str
    version: str
    folder: Path
    package: Path
    tests: Path
    project: dict[str, Any]

    @property
    def is_core(self) -> bool:
        """Tell whether this is `flower` itself."""
        return self.name == "flower"

    @property
    def is_plugin(self) -> bool:
        """Tell whether this stands under plugins/."""
        return self.folder.parent.name == "plugins"

    @property
    def own_dependencies(self) -> Sequence[str]:
        """Return the names of this repository's distributions it depends on, without extras."""
        return _own(self.project.get("dependencies", ()))

    @property
    def tested_with(self) -> Sequence[str]:
        """Return the names of this repository's distributions that its tests need besides."""
        return _own(self.project.get("optional-dependencies", {}).get("test", ()))


def find_dists(root: Path = ROOT) -> Sequence[Dist]:
    """Return every distribution, `flower` first, then `flower-plugins`, then the plugins by name."""
    folders = [root, root / "flower_plugins", *sorted(root.glob("plugins/*"))]
    return [_read(folder, core=folder == root) for folder in folders if (folder / "pyproject.toml").is_file()]


def _own(requirements: Sequence[str]) -> Sequence[str]:
    names = [re.split(r"[^A-Za-z0-9._-]", text, maxsplit=1)[0] for text in requirements]
    return [name for name in names if name.startswith("flower-")]


def _read(folder: Path, *, core: bool) -> Dist:
    project = tomli.loads((folder / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    name = project["name"]
    package = folder / "core" / "flower" if core else folder / "src" / name.replace("-", "_")
    tests = folder / "core" / "tests" if core else folder / "tests"
    return Dist(name, project["version"], folder, package, tests, project)
