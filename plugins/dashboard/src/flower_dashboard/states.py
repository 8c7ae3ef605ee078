"""How a task's state looks: always an icon and a colour beside Celery's own word."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from flower_dashboard.formats import text

__all__ = ["ACTIONS", "CHIPS", "Look", "look"]


@dataclass(frozen=True, slots=True)
class Look:
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

ACTIONS = {"STARTED": "terminate", "RECEIVED": "revoke", "RETRY": "revoke", "PENDING": "revoke"}
"""What can be done about a task in a state; finished tasks are beyond it."""


def look(state: Any) -> Look:
    """Return how a state looks; states of custom events look neutral."""
    word = text(state)
    tone, icon = _LOOKS.get(word, ("idle", "dot"))
    return Look(word, tone, icon)
