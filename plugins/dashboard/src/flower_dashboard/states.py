"""How a task's state looks: always an icon and a colour beside Celery's own word."""

from __future__ import annotations

import re
import signal
from collections.abc import Mapping
from typing import Any

from msgspec import Struct

from flower_dashboard.formats import number, text
from flower_plugins import Task

__all__ = ["CHIPS", "Look", "action", "ending", "is_finished", "look"]


class Look(Struct, frozen=True):
    """`tone` is one of ok, bad, run, warn, idle; `icon` is a symbol of icons.svg."""

    word: str
    tone: str
    icon: str


_LOOKS = {
    "SUCCESS": ("ok", "check"),
    "FAILURE": ("bad", "cross"),
    "REJECTED": ("bad", "ban"),
    "STARTED": ("run", "play"),
    "RETRY": ("warn", "retry"),
    "RECEIVED": ("idle", "inbox"),
    "PENDING": ("idle", "clock"),
    "REVOKED": ("idle", "ban"),
}

CHIPS = (
    ("STARTED", "Started"),
    ("SUCCESS", "Succeeded"),
    ("FAILURE", "Failed"),
    ("RETRY", "Retried"),
    ("RECEIVED", "Received"),
    ("PENDING", "Pending"),
    ("REVOKED", "Revoked"),
)
"""States with a filter of their own on the tasks page, and the word on it."""

_ACTIONS = {"STARTED": "terminate", "RECEIVED": "revoke", "RETRY": "revoke", "PENDING": "revoke"}
_FINISHED = frozenset(("SUCCESS", "FAILURE", "REVOKED", "REJECTED"))
_ENDINGS = ("succeeded", "failed", "revoked", "rejected")


def action(task: Task) -> str:
    """Return what can be done about a task: "terminate", "revoke" or ""."""
    known = _ACTIONS.get(text(task.state))
    if known is not None:
        return known
    return "terminate" if number(task.started) is not None and not is_finished(task) else ""


def is_finished(task: Task) -> bool:
    """Tell whether a task is beyond revoking; in a state of custom events its times decide."""
    word = text(task.state)
    if word in _ACTIONS:
        return False
    return word in _FINISHED or any(number(getattr(task, ending)) is not None for ending in _ENDINGS)


def ending(task: Task) -> str:
    """Return how a revoked task ended, in words: killed, or too old to begin; "" when it was merely dropped."""
    extra = task.extra
    if text(task.state) != "REVOKED" or not isinstance(extra, Mapping):
        return ""
    if extra.get("terminated") is True:
        name = _signal(extra.get("signum"))
        return f"Terminated by {name}" if name else "Terminated"
    return "Expired" if extra.get("expired") is True else ""


def look(state: Any) -> Look:
    """Return how a state looks; states of custom events look neutral."""
    word = text(state)
    tone, icon = _LOOKS.get(word, ("idle", "dot"))
    return Look(word, tone, icon)


def _signal(value: Any) -> str:
    """Return the name of a signal that Celery sent by number, as text, negative or by name."""
    word = text(value)
    if re.fullmatch(r"SIG[A-Z0-9]{2,10}", word):
        return word
    if not re.fullmatch(r"-?[0-9]{1,3}", word):
        return ""
    code = abs(int(word))
    try:
        return signal.Signals(code).name
    except ValueError:
        return f"signal {code}" if code else ""
