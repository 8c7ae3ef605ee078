"""The JSON bodies of orders to several workers and tasks."""

from __future__ import annotations

from typing import Annotated

import msgspec
from msgspec import Meta

__all__ = [
    "AutoscaleBody",
    "ConsumerBody",
    "PoolBody",
    "RateLimitBody",
    "RevokeBody",
    "StampsBody",
    "TimeoutBody",
    "WorkersBody",
]

_Name = Annotated[str, Meta(min_length=1, max_length=255)]
_Size = Annotated[int, Meta(ge=0, le=1000)]
_Seconds = Annotated[float, Meta(ge=0, le=316_224_000)]
_Text = Annotated[str, Meta(min_length=1, max_length=255)]
_Stamps = Annotated[list[_Text], Meta(min_length=1, max_length=1000)]


class WorkersBody(msgspec.Struct, forbid_unknown_fields=True):
    """The workers that an order is for."""

    workers: Annotated[list[_Name], Meta(min_length=1, max_length=100)]


class PoolBody(WorkersBody, forbid_unknown_fields=True):
    """By how many processes pools grow or shrink."""

    n: Annotated[int, Meta(ge=1, le=1000)] = 1


class AutoscaleBody(WorkersBody, forbid_unknown_fields=True):
    """The sizes between which pools keep."""

    min: _Size
    max: _Size


class ConsumerBody(WorkersBody, forbid_unknown_fields=True):
    """A queue."""

    queue: _Name


class TimeoutBody(WorkersBody, forbid_unknown_fields=True):
    """A task and how many seconds it may run."""

    task: _Name
    soft: _Seconds | None = None
    hard: _Seconds | None = None


class RateLimitBody(WorkersBody, forbid_unknown_fields=True):
    """A task and how often it may run."""

    task: _Name
    ratelimit: _Name


class RevokeBody(msgspec.Struct, forbid_unknown_fields=True):
    """The tasks to revoke, and whether to kill the processes that run them."""

    ids: Annotated[list[str], Meta(min_length=1, max_length=1000)]
    terminate: bool = False
    signal: str = "SIGTERM"


class StampsBody(msgspec.Struct, forbid_unknown_fields=True):
    """The stamped headers by which to revoke tasks, each with the values that are meant."""

    stamps: Annotated[dict[_Text, _Stamps], Meta(min_length=1, max_length=20)]
    terminate: bool = False
    signal: str = "SIGTERM"
