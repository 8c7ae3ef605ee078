"""What a plugin may do wrong, and how it is put into words."""

from __future__ import annotations

import difflib
import traceback
from collections.abc import Iterable
from pathlib import PurePath

__all__ = ["FAULTS", "PluginError", "describe", "place_of", "suggestion"]

FAULTS = (Exception, SystemExit)
"""What is caught around foreign code: everything but KeyboardInterrupt and its like."""

_LONGEST = 500


class PluginError(Exception):
    """What is wrong with one plugin, in words fit for its report."""


def describe(error: BaseException) -> str:
    """Return one printable line for `error`, whatever a plugin put into it."""
    if isinstance(error, PluginError):
        return _line(error)
    if isinstance(error, SystemExit):
        return f"sys.exit({_line(error)})"
    text = _line(error)
    name = type(error).__name__
    return f"{name}: {text}" if text else name


def place_of(error: BaseException) -> str:
    """Return " (file.py:12)", where an error was raised; "" where that is not known."""
    frames = traceback.extract_tb(error.__traceback__)
    return f" ({PurePath(frames[-1].filename).name}:{frames[-1].lineno})" if frames else ""


def suggestion(name: str, known: Iterable[str], *, at_least: float = 0.6) -> str:
    """Return "Did you mean 'x'?" for the closest of `known`, "" when none is as close as `at_least`."""
    close = difflib.get_close_matches(name, list(known), n=1, cutoff=at_least)
    return f"Did you mean {close[0]!r}?" if close else ""


def _line(error: BaseException) -> str:
    try:
        text = " ".join(str(error).split())
    except Exception:  # the plugin boundary: an exception class may have a __str__ of its own
        return "unprintable"
    return "".join(c if c.isprintable() else repr(c)[1:-1] for c in text[:_LONGEST])
