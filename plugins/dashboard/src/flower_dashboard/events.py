"""How event types look in charts: the words and tones of the states they lead to."""

from __future__ import annotations

from flower_plugins.rollups import OTHER

__all__ = ["ENDED", "any_look", "series_look", "type_look"]

ENDED = ("task-succeeded", "task-failed", "task-retried", "task-revoked", "task-rejected")
"""The types that end an attempt, in the order in which they are stacked."""

_LOOKS = {
    "task-succeeded": ("Succeeded", "ok"),
    "task-failed": ("Failed", "bad"),
    "task-retried": ("Retried", "warn"),
    "task-revoked": ("Revoked", "idle"),
    "task-rejected": ("Rejected", "series-7"),
    "task-received": ("Received", "idle"),
    "task-started": ("Started", "run"),
    "task-sent": ("Sent", "idle"),
}
_TONES = 8


def type_look(label: str) -> tuple[str, str]:
    """Return the words and the tone of an event type."""
    if label == OTHER:
        return "Other", "idle"
    return _LOOKS.get(label) or (label.removeprefix("task-").capitalize(), "idle")


def any_look(labels: list[str]) -> dict[str, tuple[str, str]]:
    """Return words and tones of labels that may be event types or names: how charts of plugins look."""
    return {label: _LOOKS.get(label, look) for label, look in series_look(labels).items()}


def series_look(labels: list[str]) -> dict[str, tuple[str, str]]:
    """Return words and tones of names, each a tone of its own as long as there are any."""
    return {
        label: ("All others", "idle") if label == OTHER else (label or "no name", f"series-{place % _TONES + 1}")
        for place, label in enumerate(labels)
    }
