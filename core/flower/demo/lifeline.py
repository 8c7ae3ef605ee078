"""How the demo's processes learn that their parent is gone, whatever ended it, even SIGKILL.

The parent alone holds the writing end of a pipe; the others wait for its end of file.
"""

from __future__ import annotations

import os
import select
import signal
import threading
import time

__all__ = ["Lifeline"]

_GRACE = 8.0
"""Seconds a member lives on for the keeper to stop it in good order; more than the keeper takes."""


class Lifeline:
    """The reading end of the parent's pipe."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor

    def wait(self, seconds: float | None) -> bool:
        """Wait up to that long, None for ever; tell whether the parent is gone."""
        readable, _, _ = select.select([self._descriptor], [], [], seconds)
        return bool(readable)

    def guard_process_group(self) -> None:
        """Start a thread that kills this process and its children some seconds after the parent is gone."""
        threading.Thread(target=self._kill_process_group, name="lifeline", daemon=True).start()

    def _kill_process_group(self) -> None:
        self.wait(None)
        time.sleep(_GRACE)
        os.killpg(0, signal.SIGKILL)
