"""Product photos."""

from __future__ import annotations

import random
import time
from typing import Any

from celery.app.task import Task

__all__ = ["TRUNCATED", "contact_sheet", "preview", "remove_background", "resize"]

TRUNCATED = "IMG_0404.jpg"


class BrokenImageError(Exception):
    """The file is no picture."""


def resize(photo: str, width: int) -> dict[str, Any]:
    """Return the name and size of a smaller copy."""
    time.sleep(random.uniform(0.1, 0.6))
    _decode(photo)
    return {"file": f"{photo.removesuffix('.jpg')}-{width}.webp", "bytes": width * random.randint(90, 140)}


def contact_sheet(copies: list[dict[str, Any]], photo: str) -> dict[str, Any]:
    """Put all copies of a photo on one page; the body of a chord."""
    time.sleep(random.uniform(0.2, 0.5))
    return {"photo": photo, "copies": len(copies), "bytes": sum(copy["bytes"] for copy in copies)}


def remove_background(task: Task, photo: str, tiles: int) -> str:
    """Cut out a product tile by tile, reporting progress."""
    for done in range(1, tiles + 1):
        time.sleep(random.uniform(0.7, 1.2))
        task.send_event("task-progress", done=done, total=tiles)
    return f"{photo.removesuffix('.jpg')}-cutout.png"


def preview(photo: str) -> str:
    """Render a preview for somebody who is waiting; worthless when late, so it expires."""
    time.sleep(random.uniform(0.1, 0.3))
    return f"preview of {photo}"


def _decode(photo: str) -> None:
    try:
        _read_markers(photo)
    except EOFError as error:
        raise BrokenImageError(f"cannot decode {photo}") from error


def _read_markers(photo: str) -> None:
    if photo == TRUNCATED:
        raise EOFError("JPEG ends before marker EOI (0xffd9)")
