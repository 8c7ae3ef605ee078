"""The one shape of an event behind the gateway: known fields typed and checked, the rest in `extra`."""

from __future__ import annotations

from typing import Any

import msgspec

__all__ = ["Event"]


class Event(msgspec.Struct, gc=False):
    """One Celery event, free of surprises: every field has the type it states, numbers are finite,
    texts hold no lone surrogates and are cut at 64 KB.

    `timestamp` is when the sender made it, `received_at` when it arrived here, both seconds since the
    epoch. `clock` is the sender's Lamport clock, 0 when it sent none. `invalid` names known fields
    that were left out because their value made no sense. `extra` holds what Celery does not define.
    """

    type: str
    hostname: str
    timestamp: float
    received_at: float = 0.0
    uuid: str = ""
    clock: int = 0
    pid: int | None = None
    name: str | None = None
    args: str | None = None
    kwargs: str | None = None
    result: str | None = None
    runtime: float | None = None
    exception: str | None = None
    traceback: str | None = None
    retries: int | None = None
    eta: str | None = None
    expires: str | None = None
    root_id: str | None = None
    parent_id: str | None = None
    queue: str | None = None
    exchange: str | None = None
    routing_key: str | None = None
    freq: float | None = None
    active: int | None = None
    processed: int | None = None
    loadavg: tuple[float, ...] | None = None
    sw_ident: str | None = None
    sw_ver: str | None = None
    sw_sys: str | None = None
    invalid: tuple[str, ...] = ()
    extra: dict[str, Any] | None = None
