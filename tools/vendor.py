"""Refresh the front-end files that the dashboard carries from npm, and write down what they are.

python tools/vendor.py            check that the files are those of the manifest
python tools/vendor.py --refresh  fetch the newest versions and rewrite the manifest
"""

from __future__ import annotations

import argparse
import hashlib
import json
import subprocess
import sys
import tarfile
import tempfile
from dataclasses import dataclass
from pathlib import Path

FOLDER = Path(__file__).parents[1] / "plugins/dashboard/src/flower_dashboard/static/vendor"
MANIFEST = FOLDER / "manifest.json"


@dataclass(frozen=True)
class Source:
    """A file inside an npm package, and the licence text that goes with it."""

    package: str
    member: str
    file: str
    licence: str


SOURCES = [Source("idiomorph", "package/dist/idiomorph.min.js", "idiomorph.min.js", "package/LICENSE")]


def main() -> int:
    """Check or refresh, and return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--refresh", action="store_true", help="fetch the newest versions from npm")
    if parser.parse_args().refresh:
        entries = [_fetch(source) for source in SOURCES]
        MANIFEST.write_text(json.dumps({"files": entries}, indent=2) + "\n")
    return _check()


def _fetch(source: Source) -> dict[str, str]:
    with tempfile.TemporaryDirectory() as folder:
        packed = subprocess.run(
            ["npm", "pack", "--json", source.package], cwd=folder, check=True, capture_output=True, text=True
        )
        answer = json.loads(packed.stdout)
        about = answer[0] if isinstance(answer, list) else next(iter(answer.values()))
        with tarfile.open(Path(folder) / about["filename"]) as archive:
            content = _read(archive, source.member)
            package = json.loads(_read(archive, "package/package.json"))
            (FOLDER / f"{source.package}.LICENSE.txt").write_bytes(_read(archive, source.licence))
    (FOLDER / source.file).write_bytes(content)
    return {
        "file": source.file,
        "name": source.package,
        "version": package["version"],
        "licence": package["license"],
        "sha256": hashlib.sha256(content).hexdigest(),
        "source": f"npm:{source.package}@{package['version']}/{source.member.removeprefix('package/')}",
    }


def _read(archive: tarfile.TarFile, member: str) -> bytes:
    file = archive.extractfile(member)
    if file is None:
        raise SystemExit(f"{member} is no file")
    return file.read()


def _check() -> int:
    wrong = 0
    for entry in json.loads(MANIFEST.read_text())["files"]:
        found = hashlib.sha256((FOLDER / entry["file"]).read_bytes()).hexdigest()
        good = found == entry["sha256"]
        wrong += not good
        print(f"{'ok ' if good else 'BAD'} {entry['file']} {entry['name']} {entry['version']} {entry['licence']}")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
