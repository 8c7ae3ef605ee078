"""A missing service skips a test by name, and fails it where every service has to be there."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from dists import ROOT

TESTS = """
import pytest

def test_needs_what_is_not_here(need_service, monkeypatch):
    monkeypatch.setenv("PATH", "")
    need_service("chromium")

def test_needs_an_identity_provider(need_service, monkeypatch):
    monkeypatch.setenv("PATH", "")
    need_service("idp")

def test_finds_what_is_here(need_service, monkeypatch, tmp_path):
    program = tmp_path / "nginx"
    program.write_text("")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert need_service("nginx") == str(program)

@pytest.mark.xfail
def test_known_to_fail():
    assert False
"""
MODULE = "import pytest\n\npytest.skip('all of it', allow_module_level=True)\n"


def run_pytest(folder: Path, *, strict: str) -> tuple[int, str]:
    environment = {**os.environ, "FLOWER_REQUIRE_SERVICES": strict}
    words = [sys.executable, "-m", "pytest", "-ra", "-p", "no:cacheprovider", "-p", "no:hypothesispytest", "."]
    done = subprocess.run(words, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    return done.returncode, done.stdout


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    shutil.copy(ROOT / "conftest.py", tmp_path)
    (tmp_path / "pytest.ini").write_text("[pytest]\n")
    (tmp_path / "test_services.py").write_text(TESTS)
    return tmp_path


def test_a_missing_service_skips_and_says_what_to_install(folder: Path) -> None:
    code, output = run_pytest(folder, strict="")
    assert code == 0, output
    assert "needs chromium: apt-get install chromium" in output
    assert "needs idp: apt-get install nodejs npm" in output
    assert "1 passed, 2 skipped, 1 xfailed" in output


def test_where_services_are_required_a_skip_fails(folder: Path) -> None:
    code, output = run_pytest(folder, strict="1")
    assert code == 1, output
    assert "2 failed, 1 passed, 1 xfailed" in output
    assert "needs chromium" in output


def test_where_services_are_required_a_skipped_module_fails(folder: Path) -> None:
    (folder / "test_whole.py").write_text(MODULE)
    code, output = run_pytest(folder, strict="1")
    assert code == 2, output
    assert "all of it" in output
