"""Which hashes a password file may hold, and what they are worth."""

from __future__ import annotations

from typing import Any

import bcrypt
import pytest

from flower_auth_basic import hashes


@pytest.mark.parametrize("kind", ["bcrypt", "argon2", "scrypt"])
@pytest.mark.parametrize("password", ["x", "jürgen:größe", "a b c ", "日本" * 12])
def test_the_right_password_and_no_other_is_verified(files: Any, kind: str, password: str) -> None:
    verify = hashes.read(getattr(files, kind)(password)).verify
    assert verify(password.encode())
    assert not verify(password.encode()[1:])
    assert not verify(b"")
    assert not verify(b"\0")


@pytest.mark.parametrize("mark", ["2a", "2b", "2y"])
def test_every_mark_of_bcrypt_is_read(files: Any, mark: str) -> None:
    assert hashes.read(files.bcrypt("x").replace("2b", mark, 1)).verify(b"x")


def test_bcrypt_looks_at_72_bytes_as_htpasswd_does() -> None:
    long = b"a" * 100
    hashed = bcrypt.hashpw(long[:72], bcrypt.gensalt(4)).decode()
    assert hashes.read(hashed).verify(long)


def test_what_the_command_makes_is_argon2id_and_not_weak() -> None:
    made = hashes.make("größe".encode())
    assert made.startswith("$argon2id$")
    read = hashes.read(made)
    assert read.weakness == ""
    assert read.verify("größe".encode())


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("canary", "plain text"),
        ("", "plain text"),
        ("rqXexS6ZhobKA", "crypt"),
        ("{SHA}W6ph5Mm5Pz8GgiULbPgzG37mj9g=", "SHA-1"),
        ("{SSHA}W6ph5Mm5Pz8GgiULbPgzG37mj9g=", "SHA-1"),
        ("$apr1$r31.....$HqJZimcKQFAMYayBlzkrA/", "MD5"),
        ("$1$r31.....$HqJZimcKQFAMYayBlzkrA/", "MD5"),
        ("$5$saltstring$5B8vYYiY.CVt1RlTTf8KbXBH3hsxY", "SHA-crypt"),
        ("$6$saltstring$svn8UoSVapNtMuq1ukKS4tPQd8iKwSMHWjl", "SHA-crypt"),
        ("$2b$04$short", "not complete"),
        ("$2b$31$" + "a" * 53, "between 4 and 15"),
        ("$argon2id$v=19$m=65536", "not complete"),
        ("$argon2id$v=19$m=99999999,t=3,p=4$c2FsdHNhbHQ$aGFzaGhhc2hoYXNoaGFzaA", "256 MiB"),
        ("$scrypt$ln=14,r=8,p=1$salt", r"ln=16"),
        ("$scrypt$ln=25,r=8,p=1$c2FsdHNhbHQ$aGFzaGhhc2hoYXNoaGFzaA", "256 MiB"),
        ("$scrypt$ln=14,r=0,p=1$c2FsdHNhbHQ$aGFzaGhhc2hoYXNoaGFzaA", "out of range"),
        ("$scrypt$ln=16,r=1,p=1$c2FsdHNhbHQ$aGFzaGhhc2hoYXNoaGFzaA", "out of range"),
    ],
)
def test_weak_broken_and_boundless_hashes_are_refused_without_being_quoted(text: str, word: str) -> None:
    with pytest.raises(ValueError, match=word) as caught:
        hashes.read(text)
    assert "canary" not in str(caught.value)


@pytest.mark.parametrize(("kind", "more", "weak"), [("bcrypt", 4, True), ("bcrypt", 10, False), ("scrypt", 10, True)])
def test_hashes_that_are_quick_to_guess_say_so(files: Any, kind: str, more: int, weak: bool) -> None:
    assert bool(hashes.read(getattr(files, kind)("x", more)).weakness) is weak
