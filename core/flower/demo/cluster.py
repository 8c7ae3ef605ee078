"""The demo's cluster as its parent sees it: started, used and gone with a `with` block."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from types import TracebackType
from typing import IO, TYPE_CHECKING, cast

from flower.demo.folder import DemoFolder
from flower_plugins import ConfigurationError

if TYPE_CHECKING:
    from celery import Celery

__all__ = ["DemoCluster"]

_KEEPER_SECONDS = 5.0
"""How long the keeper may take to clean up; more than it gives the workers."""


class DemoCluster:
    """Three workers and their traffic on a throwaway broker in a temporary folder.

    All of it ends with the `with` block, with this process, and with whatever kills this process.
    """

    def __init__(self) -> None:
        self._lifeline: int | None = None
        self._keeper: subprocess.Popen[str] | None = None
        self._folder: DemoFolder | None = None

    @property
    def folder(self) -> Path:
        """Where broker, results and logs are, as long as the cluster runs."""
        if self._folder is None:
            raise RuntimeError("the demo's cluster is not running")
        return self._folder.path

    def app(self) -> Celery:
        """Return a Celery app connected to the cluster."""
        from flower.demo.spool import spool_app  # Celery's import takes longer than starting the workers

        return spool_app(DemoFolder(self.folder))

    def __enter__(self) -> DemoCluster:
        if os.name != "posix":
            raise ConfigurationError(
                "The demo needs Linux or macOS", mend="Try the examples folder with a Redis or RabbitMQ server."
            )
        try:
            self._start()
        except BaseException:
            self._stop()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop()

    def _start(self) -> None:
        far_end, self._lifeline = os.pipe()
        try:
            self._keeper = subprocess.Popen(
                [sys.executable, "-m", "flower.demo.keeper", str(far_end)],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                text=True,
                pass_fds=(far_end,),
                start_new_session=True,  # Ctrl-C in the terminal reaches the parent only
            )
        finally:
            os.close(far_end)
        with cast("IO[str]", self._keeper.stdout) as answer:
            folder = answer.readline().strip()
        if not folder:
            raise ConfigurationError("The demo's processes did not start", mend="The lines above say why.")
        self._folder = DemoFolder(Path(folder))

    def _stop(self) -> None:
        if self._lifeline is not None:
            os.close(self._lifeline)
            self._lifeline = None
        if self._keeper is not None:
            try:
                self._keeper.wait(_KEEPER_SECONDS)
            except subprocess.TimeoutExpired:
                self._keeper.kill()
                self._keeper.wait()
            self._keeper = None
        if self._folder is not None:
            self._folder.remove()  # the keeper did, unless somebody killed it
            self._folder = None
