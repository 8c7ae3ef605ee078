"""The entry of the demo's own processes: `python -m flower.demo.member FOLDER LIFELINE worker|traffic …`."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

from flower.demo.folder import DemoFolder
from flower.demo.lifeline import Lifeline
from flower.demo.spool import spool_app
from flower.demo.traffic import Traffic

__all__ = ["main"]


def main(arguments: Sequence[str]) -> None:
    """Run one worker or the traffic until told to stop, or until the demo's parent is gone."""
    folder, descriptor, role, *rest = arguments
    app = spool_app(DemoFolder(Path(folder)))
    lifeline = Lifeline(int(descriptor))
    if role == "traffic":
        Traffic(app).run(lifeline.wait)
    else:
        lifeline.guard_process_group()
        app.worker_main([role, *rest])


if __name__ == "__main__":
    main(sys.argv[1:])
