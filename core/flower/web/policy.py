"""May they? One function of who asks, what for, and how this server stands."""

from __future__ import annotations

from typing import NamedTuple

from flower.web.posture import Posture
from flower_plugins import Access, Identity, Surface

__all__ = ["Denial", "Visitor", "judge"]

API_CLOSED = "FLOWER_UNAUTHENTICATED_API environment variable is required to enable API without authentication"
READ_ONLY = "Read only mode is enabled"
LOOK_ONLY = (
    "Actions are switched off because nobody has to log in and this address can be reached from other machines. "
    "Start Flower with --basic_auth=user:password to switch them on."
)


class Visitor(NamedTuple):
    """What is known about the sender: `local` means on this machine, with no proxy in between."""

    identity: Identity | None
    local: bool


class Denial(NamedTuple):
    """Why not, and the HTTP status that says so."""

    status: int
    reason: str


def judge(visitor: Visitor, access: Access, surface: Surface, posture: Posture) -> Denial | None:
    """Return why the visitor may not use routes of that access and surface, None when they may."""
    if access == "public":
        return None
    if posture.authenticated:
        if visitor.identity is None:
            return Denial(401, "Access denied")
    elif surface == "api" and not posture.open_api:
        return Denial(401, API_CLOSED)
    elif access != "read" and not posture.open_api and not (posture.loopback_only and visitor.local):
        return Denial(403, LOOK_ONLY)
    if access != "read" and posture.read_only:
        return Denial(403, READ_ONLY)
    return None
