"""One name predicts everything: folder, distribution, package, entry point and extra; one version for all."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest
from dists import ROOT, Dist, find_dists

SERVICES = ("auth", "broker")
"""Plugins of these kinds are extras named after what they connect to, unless they come with `flower`."""


def faults(root: Path) -> list[str]:
    """Return every broken rule about names, versions and files of the distributions."""
    dists = find_dists(root)
    core, api, *plugins = dists
    found = []
    for dist in dists:
        found += [f"{dist.name}: {fault}" for fault in dist_faults(dist, core)]
    for plugin in plugins:
        found += [f"{plugin.name}: {fault}" for fault in plugin_faults(plugin)]
    extras = core.project["optional-dependencies"]
    required = set(core.own_dependencies)
    for plugin in plugins:
        kind, _, word = plugin.folder.name.partition("_")
        extra = extras.get(word if kind in SERVICES else plugin.folder.name)
        if plugin.name not in required and extra != [f"{plugin.name}=={core.version}"]:
            found.append(f"{plugin.name}: neither a dependency of flower nor its extra")
    names = {plugin.name for plugin in plugins} | {api.name}
    for extra, requirements in extras.items():
        for text in requirements:
            name = re.split(r"[\[=>]", text)[0]
            if name.startswith("flower-") and name not in names:
                found.append(f"flower[{extra}]: no distribution {name}")
    services = sorted(set(extras) - {"all", "test"})
    (whole,) = extras["all"]
    if sorted(re.findall(r"\w+", whole.partition("[")[2].partition("]")[0])) != services:
        found.append(f"flower[all]: {whole} is not all of {', '.join(services)}")
    return found


def dist_faults(dist: Dist, core: Dist) -> list[str]:
    found = []
    if dist.version != core.version:
        found.append(f"version {dist.version}, flower has {core.version}")
    init = (dist.package / "__init__.py").read_text(encoding="utf-8")
    declared = re.search(r'^__version__ = "(.+)"$', init, re.MULTILINE)
    if declared is None or declared[1] != dist.version:
        found.append("__version__ differs from pyproject.toml")
    needed = (dist.package / "py.typed", dist.folder / "README.md", dist.folder / "LICENSE")
    found += [f"no {path.name}" for path in needed if not path.is_file()]
    licence = dist.folder / "LICENSE"
    if licence.is_file() and licence.read_bytes() != (core.folder / "LICENSE").read_bytes():
        found.append("another LICENSE than flower's")
    if dist.project["requires-python"] != core.project["requires-python"]:
        found.append(f"requires Python {dist.project['requires-python']}")
    extras = dist.project.get("optional-dependencies", {})
    texts = [*dist.project["dependencies"], *(text for texts in extras.values() for text in texts)]
    own = [text for text in texts if re.match(r"flower(-|\[)", text)]
    found += [f"does not pin {text}" for text in own if not text.endswith(f"=={core.version}")]
    if "test" not in extras:
        found.append("no extra for its tests")
    return found


def plugin_faults(dist: Dist) -> list[str]:
    name = dist.folder.name
    found = []
    if dist.name != "flower-" + name.replace("_", "-"):
        found.append(f"stands in plugins/{name}")
    if dist.package.name != f"flower_{name}" or not dist.package.is_dir():
        found.append(f"no package flower_{name}")
    points = dist.project.get("entry-points", {}).get("flower_plugins")
    if points != {name: f"flower_{name}.plugin"}:
        found.append(f"entry points {points}")
    if not (dist.package / "plugin.py").is_file():
        found.append("no plugin.py for its entry point")
    if "flower" in [re.split(r"[\[=<>~!; ]", text)[0] for text in dist.project["dependencies"]]:
        found.append("depends on flower")
    return found


def test_names_and_versions_predict_each_other() -> None:
    found = faults(ROOT)
    assert not found, "\n".join(found)


def test_every_distribution_has_tests_of_its_own() -> None:
    assert [dist.name for dist in find_dists() if not any(dist.tests.rglob("test_*.py"))] == []


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """A copy of the parts these rules look at, with nothing wrong."""
    for dist in find_dists():
        target = tmp_path / dist.folder.relative_to(ROOT)
        package = tmp_path / dist.package.relative_to(ROOT)
        package.mkdir(parents=True)
        for name in ("pyproject.toml", "README.md", "LICENSE"):
            shutil.copy(dist.folder / name, target / name)
        for name in ("py.typed", "__init__.py"):
            shutil.copy(dist.package / name, package / name)
        (package / "plugin.py").touch()
    return tmp_path


def test_a_faithful_copy_passes(copy: Path) -> None:
    assert faults(copy) == []


@pytest.mark.parametrize(
    ("path", "old", "new", "complaint"),
    [
        ("plugins/api/pyproject.toml", 'version = "3.0.0"', 'version = "3.0.1"', "flower-api: version 3.0.1"),
        ("plugins/api/src/flower_api/__init__.py", "3.0.0", "3.0.1", "__version__ differs"),
        ("plugins/api/pyproject.toml", "flower-plugins==3.0.0", "flower-plugins>=3", "does not pin"),
        ("plugins/api/pyproject.toml", '"flower-plugins==3.0.0"', '"flower-plugins==3.0.0", "flower"', "depends on"),
        ("plugins/api/pyproject.toml", 'api = "flower_api.plugin"', 'rest = "flower_api.plugin"', "entry points"),
        ("plugins/api/pyproject.toml", ">=3.10", ">=3.11", "requires Python >=3.11"),
        ("plugins/api/LICENSE", "Redistribution", "No redistribution", "another LICENSE"),
        ("pyproject.toml", "redis = [", "reddis = [", "flower-broker-redis: neither"),
        ("pyproject.toml", "okta,rabbitmq,redis]", "okta,rabbitmq]", "flower[all]"),
        ("pyproject.toml", '"flower-api==3.0.0"', '"flower-api"', "does not pin flower-api"),
    ],
)
def test_a_broken_promise_is_found(copy: Path, path: str, old: str, new: str, complaint: str) -> None:
    text = (copy / path).read_text(encoding="utf-8")
    assert old in text
    (copy / path).write_text(text.replace(old, new, 1), encoding="utf-8")
    assert any(complaint in fault for fault in faults(copy))


@pytest.mark.parametrize("name", ["src/flower_api/py.typed", "src/flower_api/plugin.py", "README.md", "LICENSE"])
def test_a_missing_file_is_found(copy: Path, name: str) -> None:
    (copy / "plugins" / "api" / name).unlink()
    (fault,) = faults(copy)
    assert fault.startswith("flower-api: no ")
