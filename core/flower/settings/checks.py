"""Checks of single values: each returns the value to keep or raises ValueError with a sentence."""

from __future__ import annotations

import ipaddress
import math
import os
import re
from collections.abc import Callable
from typing import Any

__all__ = [
    "at_least",
    "function",
    "network",
    "octal_mode",
    "path",
    "positive",
    "prefix",
    "rotation",
    "tcp_port",
    "token",
]

_ROTATION = re.compile(r"[smhd]|w[0-6]|midnight", re.IGNORECASE)


def at_least(least: int) -> Callable[[Any], Any]:
    """Return a check that refuses numbers below `least`."""

    def check(value: Any) -> Any:
        if value < least:
            raise ValueError(f"{value} is too small, it must be at least {least}")
        return value

    return check


def positive(value: float) -> float:
    """Accept finite numbers above zero."""
    if not math.isfinite(value) or value <= 0:
        raise ValueError(f"{value:g} must be a number above 0")
    return value


def tcp_port(value: int) -> int:
    """Accept port numbers; 0 asks the system for a free one."""
    if not 0 <= value <= 65535:
        raise ValueError(f"{value} is not a port, ports go from 0 to 65535")
    return value


def network(value: str) -> str:
    """Accept IP addresses and networks."""
    try:
        ipaddress.ip_network(value, strict=False)
    except ValueError:
        raise ValueError(f"'{value}' is neither an IP address nor a network like 10.0.0.0/8") from None
    return value


def octal_mode(value: str) -> str:
    """Accept file permissions in octal digits."""
    if not re.fullmatch(r"(0o?)?[0-7]{3}", value):
        raise ValueError(f"'{value}' is not a file mode in octal digits, like 0660")
    return f"0{value[-3:]}"


def path(value: str) -> str:
    """Expand `~` and make the path absolute.

    A relative path is tried in the directory the shell was in, which `celery --workdir` leaves, then
    in the current one.
    """
    expanded = os.path.expanduser(value)
    if not expanded or os.path.isabs(expanded):
        return expanded
    beside_shell = os.path.join(os.environ.get("PWD", ""), expanded)
    return beside_shell if os.path.exists(beside_shell) else os.path.abspath(expanded)


def prefix(value: str) -> str:
    """Accept what can stand in a URL's path."""
    if re.search(r"[\s?#%\\\"'<>]|://|^//|(^|/)\.\.?(/|$)", value):
        raise ValueError(f"'{value}' cannot be a path in a URL, it should look like flower or /a/b")
    return value


def rotation(value: str) -> str:
    """Accept the intervals of Python's timed log rotation."""
    if not _ROTATION.fullmatch(value):
        raise ValueError(f"'{value}' is not one of S, M, H, D, W0 to W6, midnight")
    return value


def function(value: Any) -> Any:
    """Accept functions."""
    if not callable(value):
        raise ValueError(f"it must be a function, not {type(value).__name__}")
    return value


def token(value: str) -> str:
    """Accept what can stand in a header and takes long to guess."""
    if not re.fullmatch(r"[!-~]{16,}", value):
        raise ValueError("a token has at least 16 characters: letters, digits and ASCII punctuation, no blanks")
    return value
