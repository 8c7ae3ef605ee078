"""The demo's temporary folder: broker, results and logs, and nothing else anywhere."""

from __future__ import annotations

import shutil
import tempfile
import time
from pathlib import Path

__all__ = ["DemoFolder"]

_REMOVE_SECONDS = 6.0
"""How long others may go on writing: on a busy machine what was killed takes its time to end."""


class DemoFolder:
    """Names the places inside one demo's folder."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.messages = path / "messages"
        self.exchanges = path / "exchanges"
        self.work = path / "work"
        self.results = path / "results"
        self.logs = path / "logs"
        self.temporary = path / "tmp"

    @classmethod
    def create(cls) -> DemoFolder:
        """Make a new folder that only this user can enter."""
        folder = cls(Path(tempfile.mkdtemp(prefix="flower-demo-")))
        for place in (folder.messages, folder.exchanges, folder.work, folder.results, folder.logs, folder.temporary):
            place.mkdir()
        return folder

    def remove(self) -> None:
        """Delete it, also while somebody still writes into it."""
        deadline = time.monotonic() + _REMOVE_SECONDS
        while True:
            shutil.rmtree(self.path, ignore_errors=True)
            if not self.path.exists() or time.monotonic() > deadline:
                return
            time.sleep(0.05)
