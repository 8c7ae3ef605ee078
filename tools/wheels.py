"""Build every distribution as a wheel, install it alone in a fresh environment, and run its own tests there.

Usage: tools/wheels.py [DIST ...] [--changed-since REVISION]
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import time
import zipfile
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from email.parser import Parser
from pathlib import Path

from dists import ROOT, Dist, find_dists

__all__ = ["Workshop", "affected", "main", "wheel_faults"]

OLDER_FLOWER = "flower==2.2.0"
EVERYTHING = ("tools/wheels.py", "tools/dists.py", "LICENSE")
"""A change of one of these concerns every wheel."""

AT_ONCE = 2
"""Checks that run side by side."""

IMPORT_ALL = """
import importlib, pkgutil, sys
package = importlib.import_module(sys.argv[1])
kit = sys.argv[2] == "kit"
for found in pkgutil.walk_packages(package.__path__, package.__name__ + "."):
    if found.name.rpartition(".")[2] != "__main__" and (".testing" in found.name) == kit:
        importlib.import_module(found.name)
"""
NO_CORE = "import importlib.util, sys; sys.exit(importlib.util.find_spec('flower') is not None and 'flower is there')"


class CheckError(Exception):
    """A check that did not hold; the text says which."""


def main(words: Sequence[str] | None = None) -> int:
    """Check the distributions asked for and print a line for each; return the number of failures."""
    parser = argparse.ArgumentParser(description="Build, install alone and test the distributions.")
    parser.add_argument("dists", nargs="*", metavar="DIST", help="names such as flower-api; all by default")
    parser.add_argument("--changed-since", metavar="REVISION", help="only those that differ from a git revision")
    wanted = parser.parse_args(words)
    dists = find_dists()
    unknown = set(wanted.dists) - {dist.name for dist in dists}
    if unknown:
        parser.error(f"no such distribution: {', '.join(sorted(unknown))}")
    chosen = [dist for dist in dists if not wanted.dists or dist.name in wanted.dists]
    if wanted.changed_since:
        names = affected(changed_files(wanted.changed_since), dists)
        chosen = [dist for dist in chosen if dist.name in names]
        print(f"changed since {wanted.changed_since}: {', '.join(sorted(names)) or 'nothing'}")
    with tempfile.TemporaryDirectory(prefix="flower-wheels-") as place:
        return Workshop(Path(place), dists).check(chosen)


def changed_files(revision: str) -> Sequence[str]:
    """Return the paths that differ between a revision and the working tree, new files included."""
    commands = (["diff", "--name-only", revision, "--"], ["ls-files", "--others", "--exclude-standard"])
    answers = [
        subprocess.run(["git", *words], cwd=ROOT, check=True, capture_output=True, text=True) for words in commands
    ]
    return [line for answer in answers for line in answer.stdout.splitlines()]


def affected(paths: Iterable[str], dists: Sequence[Dist]) -> set[str]:
    """Return the names of the distributions that a change of these paths may break."""
    names: set[str] = set()
    for path in paths:
        if path in EVERYTHING or path.startswith("flower_plugins/"):
            return {dist.name for dist in dists}
        if path.startswith("core/") or path == "pyproject.toml":
            names.add("flower")
        names.update(dist.name for dist in dists if dist.is_plugin and path.startswith(f"plugins/{dist.folder.name}/"))
    return names


def wheel_faults(wheel: Path, dist: Dist) -> Sequence[str]:
    """Return what is wrong with a wheel's contents."""
    package = dist.package.name
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
        info = next(name for name in names if name.endswith(".dist-info/METADATA"))
        metadata = Parser().parsestr(archive.read(info).decode())
    faults = []
    if f"{package}/py.typed" not in names:
        faults.append("no py.typed")
    if not any(".dist-info/" in name and name.endswith("LICENSE") for name in names):
        faults.append("no licence")
    if (metadata["Name"], metadata["Version"]) != (dist.name, dist.version):
        faults.append(f"calls itself {metadata['Name']} {metadata['Version']}")
    for name in names:
        top, *rest = name.split("/")
        if top != package and not top.endswith(".dist-info"):
            faults.append(f"holds {name}")
        if "tests" in rest or (rest and rest[-1].startswith("test_")):
            faults.append(f"holds a test: {name}")
    own = [text for text in metadata.get_all("Requires-Dist", []) if text.startswith("flower-")]
    faults.extend(f"does not pin {text}" for text in own if f"=={dist.version}" not in text)
    return faults


@dataclass
class Environment:
    """A virtual environment outside the repository."""

    folder: Path
    wheels: Path
    uv: str | None

    @property
    def python(self) -> Path:
        return self.folder / "bin" / "python"

    def create(self) -> None:
        """Make it, empty."""
        if self.uv:
            run([self.uv, "venv", "--quiet", "--python", sys.executable, self.folder])
        else:
            run([sys.executable, "-m", "venv", self.folder])

    def install(self, *requirements: str) -> None:
        """Install from the built wheels and the registry."""
        tool = (
            [self.uv, "pip", "install", "--python", self.python] if self.uv else [self.python, "-m", "pip", "install"]
        )
        run([*tool, "--quiet", "--find-links", self.wheels, *requirements])

    def remove(self, name: str) -> None:
        """Uninstall one distribution and leave the rest as it is."""
        if self.uv:
            run([self.uv, "pip", "uninstall", "--quiet", "--python", self.python, name])
        else:
            run([self.python, "-m", "pip", "uninstall", "--quiet", "--yes", name])

    def run_python(self, *words: str, cwd: Path | None = None) -> str:
        """Run its Python, away from the repository."""
        return run([self.python, *words], cwd=cwd or self.folder)

    def flower_plugins(self) -> str:
        """Return what `celery flower --plugins` prints."""
        return run([self.folder / "bin" / "celery", "flower", "--plugins"], cwd=self.folder)


class Workshop:
    """Builds into one temporary folder and checks from there."""

    def __init__(self, place: Path, dists: Sequence[Dist]) -> None:
        self.place, self.dists = place, dists
        self.wheels = place / "wheels"
        beside = Path(sys.executable).parent / "uv"
        self.uv = (
            None if os.environ.get("FLOWER_WITHOUT_UV") else str(beside) if beside.exists() else shutil.which("uv")
        )

    def check(self, chosen: Sequence[Dist]) -> int:
        """Build what is needed, check each of `chosen`, return the number of failures."""
        needed = self.closure(chosen)
        failures = 0
        for dist in self.dists:
            if dist.name in needed:
                failures += report(f"build {dist.name}", lambda dist=dist: self.build(dist))  # type: ignore[misc]
        if failures:
            return failures
        checks: list[tuple[str, Callable[[], str]]] = []
        for dist in chosen:
            checks.append((f"{dist.name} alone", lambda dist=dist: self.alone(dist)))  # type: ignore[misc]
            if dist.is_core:
                checks.append(("flower without its dashboard", self.without_dashboard))
                checks.append((f"flower over {OLDER_FLOWER}, by pip", self.upgrade))
        # Core's tests, which come first, take as long as those of all the plugins.
        with ThreadPoolExecutor(AT_ONCE) as pool:
            return sum(pool.map(lambda check: report(*check), checks))

    def closure(self, chosen: Sequence[Dist]) -> set[str]:
        """Return the names of `chosen` and of all they and their tests depend on here."""
        by_name = {dist.name: dist for dist in self.dists}
        names: set[str] = set()
        waiting = [name for dist in chosen for name in (dist.name, *dist.tested_with)]
        while waiting:
            name = waiting.pop()
            if name not in names:
                names.add(name)
                waiting.extend(by_name[name].own_dependencies)
        return names

    def build(self, dist: Dist) -> str:
        """Build one wheel and look into it."""
        out = ["--out-dir", self.wheels] if self.uv else ["--wheel-dir", self.wheels]
        tool = (
            [self.uv, "build", "--quiet", "--wheel"]
            if self.uv
            else [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps"]
        )
        run([*tool, *out, dist.folder])
        wheel = self.wheel(dist)
        faults = wheel_faults(wheel, dist)
        if faults:
            raise CheckError("; ".join(faults))
        return f"{wheel.stat().st_size / 1024:.0f} KB"

    def wheel(self, dist: Dist) -> Path:
        """Return the wheel that was built."""
        (found,) = self.wheels.glob(f"{dist.name.replace('-', '_')}-{dist.version}-*.whl")
        return found

    def alone(self, dist: Dist) -> str:
        """Install a wheel with nothing but what it asks for, import all of it, run its tests."""
        place = self.environment(f"alone-{dist.name}")
        place.install(str(self.wheel(dist)))
        if not dist.is_core:
            place.run_python("-I", "-c", NO_CORE)
        place.run_python("-I", "-c", IMPORT_ALL, dist.package.name, "rest")
        place.install(f"{self.wheel(dist)}[test]")
        place.run_python("-I", "-c", IMPORT_ALL, dist.package.name, "kit")
        if not any(dist.tests.rglob("test_*.py")):
            raise CheckError("has no tests")
        answer = place.run_python("-m", "pytest", "-q", "-p", "no:cacheprovider", cwd=self.copy_tests(dist))
        return answer.strip().splitlines()[-1]

    def copy_tests(self, dist: Dist) -> Path:
        """Copy a distribution's tests away from its sources, core's with the pages and examples they read."""
        place = self.place / f"tests-{dist.name}"
        copies = {dist.tests: "core/tests" if dist.is_core else "tests"}
        if dist.is_core:
            copies.update({ROOT / name: name for name in ("docs", "examples") if (ROOT / name).is_dir()})
        for source, target in copies.items():
            shutil.copytree(source, place / target, ignore=shutil.ignore_patterns("__pycache__"))
        (place / "pytest.ini").write_text(PYTEST_INI)
        return place

    def without_dashboard(self) -> str:
        """Flower lists its plugins with all of them, and with the pages taken away."""
        place = self.environment("whole")
        place.install(str(self.wheel(self.dists[0])))
        listed = place.flower_plugins()
        if "dashboard" not in listed:
            raise CheckError(f"--plugins does not list the dashboard: {listed}")
        place.remove("flower-dashboard")
        listed = place.flower_plugins()
        if "dashboard" in listed or "api" not in listed:
            raise CheckError(f"--plugins after flower-dashboard was removed: {listed}")
        return "works"

    def upgrade(self) -> str:
        """Upgrade an older Flower with pip itself, since the two dists share a name and a package."""
        place = Environment(self.place / "upgraded", self.wheels, None)
        place.create()
        place.install(OLDER_FLOWER)
        place.install("--upgrade", str(self.wheel(self.dists[0])))
        version = place.run_python("-I", "-c", "import flower; print(flower.__version__)").strip()
        if version != self.dists[0].version:
            raise CheckError(f"the version afterwards is {version}")
        place.run_python("-I", "-c", IMPORT_ALL, "flower", "rest")
        if "api" not in place.flower_plugins():
            raise CheckError("--plugins does not list the API")
        return "works"

    def environment(self, name: str) -> Environment:
        """Return a fresh environment."""
        place = Environment(self.place / name, self.wheels, self.uv)
        place.create()
        return place


PYTEST_INI = """[pytest]
testpaths = core/tests tests
addopts = --import-mode=importlib --strict-markers -m "not system and not browser and not bench"
filterwarnings = error
markers =
    system: starts real processes
    browser: drives a real Chromium
    bench: measures
"""


def report(title: str, check: Callable[[], str]) -> int:
    """Run one check and print its line; return 1 if it failed."""
    began = time.monotonic()
    try:
        verdict, failed = check(), 0
    except CheckError as failure:
        verdict, failed = f"FAILED: {failure}", 1
    print(f"{time.monotonic() - began:6.1f} s  {title}: {verdict}", flush=True)
    return failed


def run(command: Sequence[object], cwd: Path = ROOT) -> str:
    """Run a command without the variables that would let it see this repository; return its output."""
    hidden = ("PYTHONPATH", "VIRTUAL_ENV", "PYTHONHOME", "FLOWER_REQUIRE_SERVICES")
    environment = {name: value for name, value in os.environ.items() if name not in hidden}
    words = [str(word) for word in command]
    try:
        done = subprocess.run(words, cwd=cwd, env=environment, capture_output=True, text=True, timeout=600, check=False)
    except subprocess.TimeoutExpired:
        raise CheckError(f"{' '.join(words)} took more than ten minutes") from None
    if done.returncode != 0:
        raise CheckError(f"{' '.join(words)} ended with {done.returncode}\n{done.stdout}{done.stderr}")
    return done.stdout


if __name__ == "__main__":
    sys.exit(min(main(), 1))
