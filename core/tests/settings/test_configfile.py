"""flowerconfig.py: what is executed, what is refused (S42)."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from flower.settings.configfile import ConfigFile, execute
from flower_plugins import ConfigurationError


def _execute(conf: str, cwd: Path, *, explicit: bool = True) -> ConfigFile:
    return execute(conf, explicit=explicit, where="command line", cwd=str(cwd))


def test_all_globals_come_back(tmp_path: Path) -> None:
    (tmp_path / "c.py").write_text("import os\nport = 1\ndef format_task(task): return here\nhere = __file__\n")
    file = _execute("c.py", tmp_path)
    assert file.path == str(tmp_path / "c.py")
    assert file.globals["port"] == 1
    assert file.globals["format_task"](None) == file.path
    assert "__builtins__" not in file.globals
    assert dict(file.plain()) == {"port": 1, "here": file.path}


def test_no_compiled_file_is_left_behind(tmp_path: Path) -> None:
    (tmp_path / "c.py").write_text("port = 1")
    _execute("c.py", tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["c.py"]


def test_the_file_declares_its_own_encoding(tmp_path: Path) -> None:
    (tmp_path / "c.py").write_bytes("# -*- coding: latin-1 -*-\nenvironment = 'ü'".encode("latin-1"))
    assert _execute("c.py", tmp_path).globals["environment"] == "ü"


def test_a_default_file_may_be_missing(tmp_path: Path) -> None:
    assert _execute("flowerconfig.py", tmp_path, explicit=False) == ConfigFile()


@pytest.mark.parametrize("content", ["", "# nothing\n"])
def test_an_empty_file_is_fine(tmp_path: Path, content: str) -> None:
    (tmp_path / "c.py").write_text(content)
    assert dict(_execute("c.py", tmp_path).plain()) == {}


def test_dev_null_is_fine(tmp_path: Path) -> None:
    assert dict(_execute(os.devnull, tmp_path).plain()) == {}


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("port = = 1", r"^{path} is not Python: invalid syntax \(line 1\)$"),
        ("\nport = undefined", r"^{path} raised NameError: name 'undefined' is not defined \(line 2\)$"),
        ("import sys\nsys.exit(3)", r"^{path} raised SystemExit: 3 \(line 2\)$"),
        ("raise ValueError('a\\nb')", r"^{path} raised ValueError: a b \(line 1\)$"),
        ("assert False", r"^{path} raised AssertionError \(line 1\)$"),
    ],
)
def test_a_file_that_cannot_run_is_one_line_of_error(tmp_path: Path, content: str, message: str) -> None:
    path = tmp_path / "c.py"
    path.write_text(content)
    with pytest.raises(ConfigurationError, match=message.replace("{path}", str(path))):
        _execute("c.py", tmp_path)


def test_a_missing_explicit_file_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"^there is no file /.*/flowerconfig.py \(command line\)\. Correct"):
        _execute("flowerconfig.py", tmp_path)


def test_an_empty_name_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"^conf names no file \(command line\)\."):
        _execute("", tmp_path)


def test_a_folder_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"^cannot read /.*: Is a directory \(command line\)$"):
        _execute(".", tmp_path, explicit=False)


def test_a_world_writable_file_is_not_executed(tmp_path: Path) -> None:
    (tmp_path / "c.py").write_text("raise SystemExit")
    (tmp_path / "c.py").chmod(0o646)
    with pytest.raises(
        ConfigurationError, match=r"^refusing to execute /.*/c\.py, which everybody can write to\. chmod"
    ):
        _execute("c.py", tmp_path, explicit=False)


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() != 0, reason="only root can give files away")
def test_a_foreign_owner_is_warned_of(tmp_path: Path) -> None:
    (tmp_path / "c.py").write_text("port = 1")
    os.chown(tmp_path / "c.py", 12345, -1)
    file = _execute("c.py", tmp_path)
    assert file.globals["port"] == 1
    assert file.warnings == (f"{file.path} belongs to another user (uid 12345), who decides what Flower executes",)


def test_one_s_own_file_is_not_warned_of(tmp_path: Path) -> None:
    (tmp_path / "c.py").write_text("port = 1")
    assert _execute("c.py", tmp_path).warnings == ()
