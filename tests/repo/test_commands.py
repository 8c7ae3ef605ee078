"""Every command, file and link that the documentation names is there."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

import pytest
from dists import ROOT

PAGES = ("*.md", "docs/**/*.md", "flower_plugins/*.md", "plugins/*/*.md", "examples/**/*.md")
TARGETS = {"install", "demo", "test", "ci", "lint", "types", "wheels", "docs", "soak", "clean"}


def make_targets(makefile: str) -> set[str]:
    return set(re.findall(r"^([a-z][\w-]*):", makefile, re.MULTILINE))


def faults(root: Path) -> list[str]:
    """Return every `make` target, relative link and installed folder that a page names and that is not there."""
    targets = make_targets((root / "Makefile").read_text(encoding="utf-8"))
    found = []
    for page in sorted(file for pattern in PAGES for file in root.glob(pattern)):
        text = page.read_text(encoding="utf-8")
        where = page.relative_to(root)
        named = re.findall(r"(?:`|^ *(?:\$ )?)make ([a-z]+)", text, re.MULTILINE)
        found += [f"{where}: make {name}" for name in sorted(set(named) - targets)]
        links = re.findall(r"\]\(([^)\s#:]+)(?:#[^)]*)?\)", text)
        found += [f"{where}: {link}" for link in links if not (page.parent / link).exists()]
        for line in re.findall(r"^ *(?:\$ )?pip install (.+)$", text, re.MULTILINE):
            folders = [word for word in line.split() if word.startswith("./")]
            found += [f"{where}: {word}" for word in folders if not any(root.glob(word.removeprefix("./")))]
    return found


def test_every_command_and_link_leads_somewhere() -> None:
    found = faults(ROOT)
    assert not found, "\n".join(found)


def code_faults(root: Path) -> list[str]:
    """Return every Python example of a page that is not Python."""
    found = []
    for page in sorted(file for pattern in PAGES for file in root.glob(pattern)):
        blocks = re.findall(r"^```python\n(.*?)^```", page.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)
        found += [f"{page.relative_to(root)}: {fault}" for block in blocks if (fault := syntax_fault(block))]
    return found


def syntax_fault(code: str) -> str:
    try:
        compile(code, "example", "exec")
    except SyntaxError as error:
        return error.msg
    return ""


def test_every_example_is_python() -> None:
    found = code_faults(ROOT)
    assert not found, "\n".join(found)


def test_an_example_that_is_not_python_is_found(tmp_path: Path) -> None:
    (tmp_path / "README.md").write_text("```python\nx = \n```\n")
    assert code_faults(tmp_path) == ["README.md: invalid syntax"]


def test_the_makefile_has_every_target_of_the_house() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    assert make_targets(makefile) >= TARGETS
    (phony,) = re.findall(r"^\.PHONY: (.+)$", makefile, re.MULTILINE)
    assert set(phony.split()) == make_targets(makefile)
    helped = set(re.findall(r'@echo "make (\w+) ', makefile))
    assert helped == make_targets(makefile) - {"help"}


def test_the_readme_begins_with_the_two_commands() -> None:
    head = (ROOT / "README.md").read_text(encoding="utf-8").split("\n## ")[0]
    assert head.index("make demo") < head.index("make test")


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("Run `make soup`.", "README.md: make soup"),
        ("    make soup\n", "README.md: make soup"),
        ("[guide](docs/none.md#part)", "README.md: docs/none.md"),
        ("pip install . ./none/*", "README.md: ./none/*"),
    ],
)
def test_what_leads_nowhere_is_found(tmp_path: Path, text: str, complaint: str) -> None:
    (tmp_path / "Makefile").write_text("test:\n")
    (tmp_path / "README.md").write_text(text)
    assert faults(tmp_path) == [complaint]


def test_what_leads_somewhere_passes(tmp_path: Path) -> None:
    (tmp_path / "Makefile").write_text("test:\n")
    (tmp_path / "README.md").write_text("`make test` makes [sense](Makefile), see [there](https://example.org/x)")
    assert faults(tmp_path) == []


@pytest.fixture
def old_python(tmp_path: Path) -> Path:
    """A stand-in for an interpreter that is too old: it runs the Makefile's check with another version."""
    fake = tmp_path / "python-of-old"
    real = shutil.which("python3")
    fake.write_text(f'#!/bin/sh\nexec {real} -c "import sys; sys.version_info = (3, 9, 1); exec(sys.argv[1])" "$2"\n')
    fake.chmod(0o755)
    return fake


def run_make(words: Sequence[str], folder: Path) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "MAKEFLAGS": ""}
    return subprocess.run(
        ["make", *words], cwd=folder, env=environment, capture_output=True, text=True, timeout=60, check=False
    )


def test_an_old_python_is_refused_in_one_sentence(tmp_path: Path, old_python: Path) -> None:
    (tmp_path / "tools").mkdir()
    for name in ("Makefile", "tools/install.py", "pyproject.toml"):
        shutil.copy(ROOT / name, tmp_path / name)
    (tmp_path / "flower_plugins").mkdir()
    shutil.copy(ROOT / "flower_plugins" / "pyproject.toml", tmp_path / "flower_plugins")
    done = run_make(["install", f"PYTHON={old_python}"], tmp_path)
    assert done.returncode != 0
    assert "Flower needs Python 3.10 or later" in done.stderr
    assert "Traceback" not in done.stderr
    assert not (tmp_path / ".venv").exists()
