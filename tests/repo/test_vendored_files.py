"""Vendored front-end files: each with version, licence, origin and hash, none unaccounted for."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest
from dists import ROOT

FIELDS = ("file", "name", "version", "licence", "sha256", "source")


def faults(folder: Path) -> list[str]:
    """Return what the manifest does not account for."""
    manifest = folder / "manifest.json"
    if not manifest.is_file():
        return [f"{folder.name}: no manifest.json"]
    entries = json.loads(manifest.read_text(encoding="utf-8"))["files"]
    found = []
    for entry in entries:
        missing = [name for name in FIELDS if not entry.get(name)]
        file = folder / str(entry.get("file"))
        if missing:
            found.append(f"{file.name}: no {', '.join(missing)}")
        elif not file.is_file():
            found.append(f"{file.name}: not there")
        elif hashlib.sha256(file.read_bytes()).hexdigest() != entry["sha256"]:
            found.append(f"{file.name}: another hash")
    present = {file.relative_to(folder).as_posix() for file in folder.rglob("*") if file.is_file()}
    licences = {f"{entry.get('name')}.LICENSE.txt" for entry in entries}
    found += [f"{name}: not there" for name in sorted(licences - present)]
    unlisted = present - {entry.get("file") for entry in entries} - {"manifest.json"} - licences
    return found + [f"{name}: not in the manifest" for name in sorted(unlisted)]


def test_the_manifests_account_for_every_file() -> None:
    folders = [folder for pattern in ("core/flower", "plugins/*/src") for folder in ROOT.glob(f"{pattern}/**/vendor")]
    assert [fault for folder in folders for fault in faults(folder)] == []


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "a.js").write_text("a")
    (tmp_path / "a.LICENSE.txt").write_text("anything goes")
    write(tmp_path)
    return tmp_path


def write(folder: Path, **changes: Any) -> None:
    good = {
        "file": "a.js",
        "name": "a",
        "version": "1.0",
        "licence": "MIT",
        "sha256": hashlib.sha256(b"a").hexdigest(),
        "source": "npm:a@1.0",
    }
    (folder / "manifest.json").write_text(json.dumps({"files": [{**good, **changes}]}))


def test_a_complete_manifest_passes(folder: Path) -> None:
    assert faults(folder) == []


@pytest.mark.parametrize(
    ("change", "complaint"),
    [({"sha256": "0"}, "another hash"), ({"version": ""}, "no version"), ({"licence": None}, "no licence")],
)
def test_a_wrong_entry_is_found(folder: Path, change: dict[str, Any], complaint: str) -> None:
    write(folder, **change)
    assert faults(folder) == [f"a.js: {complaint}"]


def test_an_unlisted_file_is_found(folder: Path) -> None:
    (folder / "b.js").write_text("b")
    assert faults(folder) == ["b.js: not in the manifest"]


def test_a_listed_file_that_is_gone_is_found(folder: Path) -> None:
    (folder / "a.js").unlink()
    assert faults(folder) == ["a.js: not there"]


def test_a_licence_that_is_gone_is_found(folder: Path) -> None:
    (folder / "a.LICENSE.txt").unlink()
    assert faults(folder) == ["a.LICENSE.txt: not there"]


def test_a_folder_without_manifest_is_found(folder: Path) -> None:
    (folder / "manifest.json").unlink()
    assert faults(folder) == [f"{folder.name}: no manifest.json"]
