"""What comparing tests ask for: real processes as in the system tests, and the program of Flower 2.2.0."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from tests.system.conftest import launch, launch_once, quiet_room
from tests.system.peer import PEER_VERSION, peer_environment

__all__ = ["launch", "launch_once", "peer_program", "quiet_room"]


@pytest.fixture(scope="session")
def peer_program() -> Path:
    """Return the `celery` of the environment that Flower 2.2.0 is in."""
    try:
        return peer_environment() / "bin" / "celery"
    except (OSError, RuntimeError, subprocess.TimeoutExpired) as error:
        pytest.skip(f"needs flower=={PEER_VERSION} from the package registry: {error}")
