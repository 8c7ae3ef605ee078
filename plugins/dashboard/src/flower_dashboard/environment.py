"""The badge that says which cluster one is looking at, in a colour that warns where it should."""

from __future__ import annotations

import re
from typing import NamedTuple

__all__ = ["Badge", "badge"]

_LONGEST = 24
_TONES = (
    ("bad", re.compile(r"prod|live", re.IGNORECASE)),
    ("warn", re.compile(r"stag|preprod|uat|qa|accept", re.IGNORECASE)),
    ("ok", re.compile(r"dev|local|test|sandbox", re.IGNORECASE)),
)


class Badge(NamedTuple):
    """The name as it was given, and one of the tones bad, warn, ok, idle."""

    name: str
    tone: str


def badge(name: str) -> Badge | None:
    """Return the badge of an environment, its name cut short; None for no name."""
    name = name.strip()[:_LONGEST]
    if not name:
        return None
    calm = re.search(r"non-?prod|pre-?prod", name, re.IGNORECASE)
    tones = _TONES[1:] if calm else _TONES
    return Badge(name, next((tone for tone, words in tones if words.search(name)), "warn" if calm else "idle"))
