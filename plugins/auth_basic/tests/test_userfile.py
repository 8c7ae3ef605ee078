"""The password file from its first reading to its last change."""

from __future__ import annotations

import asyncio
import logging
from pathlib import Path
from typing import Any

import pytest

from flower_auth_basic.userfile import UserFile
from flower_plugins import ConfigurationError

log = logging.getLogger("flower.basic")


class Clock:
    """Time that passes when told to."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture(name="clock")
def _clock() -> Clock:
    return Clock()


def opened(path: Path, clock: Clock) -> UserFile:
    return UserFile(str(path), log, where="FLOWER_BASIC_AUTH_FILE in the environment", clock=clock)


def knows(file: UserFile, clock: Clock, user: str, password: str = "x") -> bool:
    clock.now += 1.0
    return asyncio.run(file.users()).verify(user, password.encode())


def test_users_names_may_be_of_any_letters_and_comments_are_passed_over(files: Any, clock: Clock) -> None:
    """S32"""
    file = opened(files.write("# people", "", f"jürgen:{files.bcrypt('größe')}", f"bob:{files.scrypt('x')} "), clock)
    assert knows(file, clock, "jürgen", "größe")
    assert knows(file, clock, "bob")
    assert not knows(file, clock, "bob", "größe")
    assert not knows(file, clock, "nobody", "größe")
    assert not knows(file, clock, "# people")


def test_a_stranger_is_measured_by_the_hash_of_one_of_the_users(files: Any, clock: Clock) -> None:
    """A name that nobody has costs a hash as well, and is let in by nobody's password."""
    file = opened(files.write(f"ann:{files.bcrypt('x', 8)}"), clock)
    users = asyncio.run(file.users())
    asked: list[bytes] = []
    whole = users._found["ann"]
    users._found["ann"] = type(whole)(lambda password: asked.append(password) is None)
    assert not users.verify("nobody", b"x")
    assert asked == [b"x"]
    assert users.verify("ann", b"x")


@pytest.mark.parametrize(
    ("lines", "words"),
    [
        ([], ["names no user", "htpasswd -nBC 12 NAME"]),
        (["# none"], ["names no user"]),
        (["{good}", "canary"], ["line 2", "user:hash", "python -m flower_auth_basic NAME"]),
        (["{good}", "", "bob:canary"], ["line 3", "plain text", "htpasswd"]),
        (["bob:$apr1$canary$x"], ["line 1", "MD5", "htpasswd"]),
        (["bob:{{SHA}}canary"], ["line 1", "SHA-1"]),
        (["{good}", "{good}"], ["line 2", "earlier line"]),
        ([":canary"], ["line 1"]),
    ],
)
def test_a_file_that_cannot_be_used_stops_the_start_and_names_line_and_mend(
    files: Any, clock: Clock, lines: list[str], words: list[str]
) -> None:
    """S34"""
    good = f"ann:{files.bcrypt('x')}"
    files.write(*(line.format(good=good) for line in lines))
    with pytest.raises(ConfigurationError) as caught:
        opened(files.path, clock)
    for word in [str(files.path), "FLOWER_BASIC_AUTH_FILE", *words]:
        assert word in caught.value.message
    assert "canary" not in caught.value.message


def test_no_file_a_folder_other_bytes_and_too_many_stop_the_start(files: Any, clock: Clock, tmp_path: Path) -> None:
    other, large = tmp_path / "other", tmp_path / "large"
    other.write_bytes(b"ann:\xff")
    large.write_bytes(b"#" * 2_000_000)
    for path, word in [
        (tmp_path / "none", "No such file"),
        (tmp_path, "not a file"),
        (other, "UTF-8"),
        (large, "bytes at most"),
    ]:
        with pytest.raises(ConfigurationError, match=word):
            opened(path, clock)


def test_a_change_counts_a_second_later(files: Any, clock: Clock) -> None:
    """S34"""
    file = opened(files.write(f"ann:{files.bcrypt('x')}"), clock)
    files.write(f"bob:{files.bcrypt('x')}")
    assert asyncio.run(file.users()).verify("ann", b"x")
    assert knows(file, clock, "bob")
    assert not knows(file, clock, "ann")


def test_a_broken_change_is_said_once_and_the_users_stay(
    files: Any, clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    """S34"""
    file = opened(files.write(f"ann:{files.bcrypt('x', 10)}"), clock)
    files.write("ann:canary")
    assert all(knows(file, clock, "ann") for _ in range(3))
    (record,) = caplog.records
    assert "line 1" in record.getMessage()
    assert "stay as before" in record.getMessage()
    assert "canary" not in record.getMessage()
    files.path.unlink()
    assert all(knows(file, clock, "ann") for _ in range(3))
    assert len(caplog.records) == 2
    files.write(f"bob:{files.bcrypt('x', 10)}")
    assert knows(file, clock, "bob")
    assert not knows(file, clock, "ann")


@pytest.mark.parametrize(("mode", "warned"), [(0o600, False), (0o640, False), (0o644, True)])
def test_a_file_for_everybody_to_read_is_warned_of(
    files: Any, clock: Clock, caplog: pytest.LogCaptureFixture, mode: int, warned: bool
) -> None:
    """S34"""
    opened(files.write(f"ann:{files.bcrypt('x', 10)}", mode=mode), clock)
    assert [("every user of this machine" in record.getMessage()) for record in caplog.records] == [True] * warned


def test_a_quick_hash_is_warned_of_with_its_line(files: Any, clock: Clock, caplog: pytest.LogCaptureFixture) -> None:
    opened(files.write(f"ann:{files.bcrypt('x', 5)}"), clock)
    (record,) = caplog.records
    assert "line 1: bcrypt cost 5 is quick to guess" in record.getMessage()
