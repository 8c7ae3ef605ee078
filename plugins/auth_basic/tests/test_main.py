"""The command that makes a line for the password file."""

from __future__ import annotations

import io
import sys

import pytest

from flower_auth_basic import hashes
from flower_auth_basic.__main__ import main


def run(monkeypatch: pytest.MonkeyPatch, typed: str, *words: str) -> int:
    monkeypatch.setattr(sys, "argv", ["flower_auth_basic", *words])
    monkeypatch.setattr(sys, "stdin", io.StringIO(typed))
    return main()


def test_the_line_lets_that_user_in(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(monkeypatch, "größe x\nmore\n", "jürgen") == 0
    user, _, hashed = capsys.readouterr().out.strip().partition(":")
    assert user == "jürgen"
    assert hashes.read(hashed).verify("größe x".encode())


@pytest.mark.parametrize(("typed", "words"), [("x", []), ("x", ["a:b"]), ("x", ["a", "b"]), ("x", ["-h"]), ("", ["a"])])
def test_what_makes_no_line_is_explained(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], typed: str, words: list[str]
) -> None:
    assert run(monkeypatch, typed, *words) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err
