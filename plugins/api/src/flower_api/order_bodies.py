"""The JSON bodies of orders to several workers and tasks."""

from __future__ import annotations

from typing import Annotated

import msgspec
from msgspec import Meta

from flower_api.bodies import Name
from flower_plugins.bounds import MAX_PROCESSES, MAX_SECONDS, MAX_STAMPS, MAX_TARGETS

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

_Size = Annotated[int, Meta(ge=0, le=MAX_PROCESSES)]
_Seconds = Annotated[float, Meta(ge=0, le=MAX_SECONDS)]
_Stamps = Annotated[list[Name], Meta(min_length=1, max_length=MAX_TARGETS)]


class WorkersBody(msgspec.Struct, forbid_unknown_fields=True):
    """The workers that an order is for."""

    workers: Annotated[list[Name], Meta(min_length=1, max_length=100)]


class PoolBody(WorkersBody, forbid_unknown_fields=True):
    """By how many processes pools grow or shrink."""

    n: Annotated[int, Meta(ge=1, le=MAX_PROCESSES)] = 1


class AutoscaleBody(WorkersBody, forbid_unknown_fields=True):
    """The sizes between which pools keep."""

    min: _Size
    max: _Size


class ConsumerBody(WorkersBody, forbid_unknown_fields=True):
    """A queue."""

    queue: Name


class TimeoutBody(WorkersBody, forbid_unknown_fields=True):
    """A task and how many seconds it may run."""

    task: Name
    soft: _Seconds | None = None
    hard: _Seconds | None = None


class RateLimitBody(WorkersBody, forbid_unknown_fields=True):
    """A task and how often it may run."""

    task: Name
    ratelimit: Name


class RevokeBody(msgspec.Struct, forbid_unknown_fields=True):
    """The tasks to revoke, and whether to kill the processes that run them."""

    ids: Annotated[list[str], Meta(min_length=1, max_length=MAX_TARGETS)]
    terminate: bool = False
    signal: str = "SIGTERM"


class StampsBody(msgspec.Struct, forbid_unknown_fields=True):
    """The stamped headers by which to revoke tasks, each with the values that are meant."""

    stamps: Annotated[dict[Name, _Stamps], Meta(min_length=1, max_length=MAX_STAMPS)]
    terminate: bool = False
    signal: str = "SIGTERM"
