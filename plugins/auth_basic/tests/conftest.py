"""Hashes that are quick to make, and a file of users."""

from __future__ import annotations

import base64
import hashlib
import os
from pathlib import Path

import argon2
import bcrypt
import pytest


class UserFiles:
    """Writes password files the way other programs do: to a new file that takes the place of the old one."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "users"

    def write(self, *lines: str, mode: int = 0o600) -> Path:
        fresh = self.path.with_suffix(".new")
        fresh.write_text("\n".join(lines) + "\n", encoding="utf-8")
        fresh.chmod(mode)
        os.replace(fresh, self.path)
        return self.path

    @staticmethod
    def bcrypt(password: str, cost: int = 4) -> str:
        return bcrypt.hashpw(password.encode(), bcrypt.gensalt(cost)).decode()

    @staticmethod
    def argon2(password: str) -> str:
        return argon2.PasswordHasher(time_cost=1, memory_cost=8 * 1024, parallelism=1).hash(password)

    @staticmethod
    def scrypt(password: str, rounds: int = 13) -> str:
        salt = os.urandom(16)
        made = hashlib.scrypt(password.encode(), salt=salt, n=1 << rounds, r=8, p=1, dklen=32)
        salted, hashed = (base64.b64encode(raw).decode().rstrip("=") for raw in (salt, made))
        return f"$scrypt$ln={rounds},r=8,p=1${salted}${hashed}"


@pytest.fixture(name="files")
def _files(tmp_path: Path) -> UserFiles:
    return UserFiles(tmp_path)
