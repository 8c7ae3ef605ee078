"""What no file of the repository holds: secrets, notes to self, one machine's paths, download addresses, bulk."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterable, Sequence
from pathlib import Path

import pytest
from dists import ROOT

MEGABYTE = 1024 * 1024
LOCK_FILES = {
    "uv.lock",
    "pylock.toml",
    "poetry.lock",
    "pdm.lock",
    "Pipfile.lock",
    "package-lock.json",
    "yarn.lock",
    "pnpm-lock.yaml",
}
# Character classes of one letter keep these patterns from finding themselves.
RULES = {
    "a path of one machine": r"(?<![\w.:/-])/(?:[h]ome|[U]sers|[w]ork|[r]oot)/[\w.]+",
    "a registry's address": r"[p]ypi\.org|[p]ythonhosted\.org|[r]egistry\.npmjs|[r]egistry\.yarnpkg|index-[u]rl",
    "a note to self": r"\b(?:[T]ODO|[F]IXME)\b",
    "a private key": r"-----BEGIN [A-Z ]*[P]RIVATE KEY-----",
    "a secret": "|".join(
        (
            r"\b[A]KIA[0-9A-Z]{16}\b",
            r"\b[g]h[pousr]_[A-Za-z0-9]{36}",
            r"\b[g]ithub_pat_\w{22}",
            r"\b[g]lpat-[\w-]{20}",
            r"\b[x]ox[abprs]-[\w-]{10}",
            r"\b[A]Iza[\w-]{35}",
            r"\b[s]k_live_\w{16}",
            r"\b[e]yJ[\w-]{16,}\.[e]yJ[\w-]{16,}\.",
        )
    ),
}
NOT_OUR_WORDS = {"a note to self"}
"""Rules that vendored files need not follow."""


def tracked(root: Path) -> Sequence[str]:
    """Return the files git knows or would add."""
    words = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    answer = subprocess.run(words, cwd=root, check=True, capture_output=True).stdout.decode()
    return sorted(name for name in answer.split("\0") if name and (root / name).is_file())


def faults(root: Path, names: Iterable[str]) -> list[str]:
    """Return every file that breaks a rule, with the line."""
    found = []
    for name in names:
        content = (root / name).read_bytes()
        if Path(name).name in LOCK_FILES:
            found.append(f"{name}: a lock file")
        if len(content) > MEGABYTE:
            found.append(f"{name}: {len(content) / MEGABYTE:.1f} MB")
        if b"\0" not in content[:8000]:
            found += [f"{name}:{line}: {rule}" for line, rule in text_faults(name, content.decode("utf-8", "replace"))]
    return found


def text_faults(name: str, text: str) -> Iterable[tuple[int, str]]:
    for rule, pattern in RULES.items():
        if "/vendor/" in name and rule in NOT_OUR_WORDS:
            continue
        for match in re.finditer(pattern, text):
            yield text.count("\n", 0, match.start()) + 1, rule


def test_the_repository_holds_nothing_it_should_not() -> None:
    names = tracked(ROOT)
    assert "pyproject.toml" in names
    found = faults(ROOT, names)
    assert not found, "\n".join(found)


@pytest.mark.parametrize(
    ("name", "text", "rule"),
    [
        ("a.py", 'PATH = "/{}/me/project"'.format("home"), "a path of one machine"),
        ("a.md", "in /{}/project".format("work"), "a path of one machine"),
        ("a.toml", 'url = "https://{}.org/simple"'.format("pypi"), "a registry's address"),
        ("a.json", '"resolved": "https://{}.npmjs.org/x"'.format("registry"), "a registry's address"),
        ("a.py", "# {}DO: later".format("TO"), "a note to self"),
        ("a.py", "# {}ME later".format("FIX"), "a note to self"),
        ("a.pem", "-----BEGIN RSA {} KEY-----".format("PRIVATE"), "a private key"),
        ("a.py", "key = '{}{}'".format("AKIA", "A" * 16), "a secret"),
        ("a.py", "key = '{}_{}'".format("ghp", "a" * 36), "a secret"),
        ("uv.lock", "", "a lock file"),
        ("web/package-lock.json", "{}", "a lock file"),
        ("a.bin", "\0" * (MEGABYTE + 1), "1.0 MB"),
    ],
)
def test_what_should_not_be_there_is_found(tmp_path: Path, name: str, text: str, rule: str) -> None:
    (tmp_path / name).parent.mkdir(exist_ok=True)
    (tmp_path / name).write_text("first\n" + text if text.isprintable() else text)
    (found,) = faults(tmp_path, [name])
    assert found.endswith(f": {rule}")
    assert ":2: " in found or not text.isprintable() or name.endswith((".lock", "lock.json"))


@pytest.mark.parametrize(
    "text", ["/homepage", "GET /tasks/root/x", "https://example.org/home/me", "todo list", "/tmp/x"]
)
def test_what_only_looks_alike_passes(tmp_path: Path, text: str) -> None:
    (tmp_path / "a.md").write_text(text)
    assert faults(tmp_path, ["a.md"]) == []


def test_a_vendored_file_may_hold_its_authors_notes(tmp_path: Path) -> None:
    (tmp_path / "vendor").mkdir()
    (tmp_path / "vendor" / "a.js").write_text("// {}DO".format("TO"))
    assert faults(tmp_path, ["vendor/a.js"]) == ["vendor/a.js:1: a note to self"]
    (tmp_path / "static").mkdir()
    (tmp_path / "vendor").rename(tmp_path / "static" / "vendor")
    assert faults(tmp_path, ["static/vendor/a.js"]) == []
