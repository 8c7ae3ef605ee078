"""How much `Host.control` takes at once: what asks for more is refused, wherever it comes from."""

from __future__ import annotations

__all__ = ["MAX_NAME", "MAX_PROCESSES", "MAX_SECONDS", "MAX_STAMPS", "MAX_TARGETS"]

MAX_NAME = 255
"""The longest name of a task, queue or worker, and the longest id, in characters (in AMQP, bytes)."""

MAX_PROCESSES = 1000
"""The largest pool, and the largest step by which one grows or shrinks."""

MAX_SECONDS = 10 * 366 * 86_400
"""The longest time, in seconds: ten years."""

MAX_STAMPS = 20
"""The most stamped headers in one order."""

MAX_TARGETS = 1000
"""The most tasks, or values of stamps, in one order."""
