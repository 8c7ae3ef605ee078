"""Merges events into task records, by Celery's rules, so that the order of arrival does not matter.

Of the newest event of each kind the one of the highest precedence sets the state. A retry ends an
attempt: an event older than the newest `task-retried` belongs to an earlier attempt and no longer
counts for the state, but still fills in its time and fields. Nothing of an earlier attempt is
erased, as in Celery: times, exception and traceback stay until a newer event of their kind comes.
What defines a task (name, args, eta …) comes from `task-received`; other events only fill gaps.
Unlike in Celery, a custom state gives way to REVOKED: a task that told its progress can be revoked.

One event is older than another when its Lamport clock is smaller and its time is not later. Where
clocks are missing, or disagree with the times because hosts do not hear each other, the order of
arrival decides, as in Celery.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple

from flower.events.event import Event
from flower.state.tasks import TaskRecord

__all__ = ["is_client", "reduce"]

_CLIENT = re.compile(r"gen\d+@")
_MAX_STATE = 64


class _Kind(NamedTuple):
    """What one type of event means: `rank` 0 is the highest precedence, `time` and `clock` are record fields."""

    state: str
    rank: int
    time: str
    clock: str


_CUSTOM = _Kind("", 3, "custom", "custom_clock")
_RETRIED = _Kind("RETRY", 7, "retried", "retried_clock")
_KINDS = {
    "task-succeeded": _Kind("SUCCESS", 0, "succeeded", "succeeded_clock"),
    "task-failed": _Kind("FAILURE", 1, "failed", "failed_clock"),
    "task-revoked": _Kind("REVOKED", 2, "revoked", "revoked_clock"),
    "task-started": _Kind("STARTED", 4, "started", "started_clock"),
    "task-received": _Kind("RECEIVED", 5, "received", "received_clock"),
    "task-rejected": _Kind("REJECTED", 6, "rejected", "rejected_clock"),
    "task-retried": _RETRIED,
}
_RANKS = {"PENDING": 8, **{kind.state: kind.rank for kind in _KINDS.values()}}
_ENDING_RETRY = sorted(
    (*(kind for kind in _KINDS.values() if kind is not _RETRIED), _CUSTOM), key=lambda kind: kind.rank
)
_DEFINING = (
    "name",
    "args",
    "kwargs",
    "root_id",
    "parent_id",
    "retries",
    "eta",
    "expires",
    "queue",
    "exchange",
    "routing_key",
)
_RESULT = ("result", "runtime")
_ERROR = ("exception", "traceback")


def reduce(record: TaskRecord, event: Event) -> bool:
    """Merge a `task-*` event into the record. Return False for a duplicate, which changes nothing."""
    if event.type == "task-sent":
        return _reduce_sent(record, event)
    kind = _KINDS.get(event.type, _CUSTOM)
    at, clock = getattr(record, kind.time), getattr(record, kind.clock)
    if event.clock and clock == event.clock and at == event.timestamp:
        return False
    newest = not _older(event, clock, at)
    if newest:
        setattr(record, kind.time, event.timestamp)
        setattr(record, kind.clock, event.clock)
        if kind is _CUSTOM:
            record.custom_state = event.type.partition("-")[2].upper()[:_MAX_STATE]
        _settle(record, event, kind)
    _locate(record, event)
    _take(record, event, _DEFINING, kind.time == "received" and newest)
    _conclude(record, event, kind, newest)
    if event.extra:
        record.add_extra(event.extra, replace=newest)
    return True


def is_client(hostname: str) -> bool:
    """Tell whether a name is one that Celery makes up for a process that is no worker: `gen<pid>@host`."""
    return hostname.startswith("gen") and _CLIENT.match(hostname) is not None


def _older(event: Event, clock: int, at: float | None) -> bool:
    return at is not None and 0 < event.clock < clock and event.timestamp <= at


def _reduce_sent(record: TaskRecord, event: Event) -> bool:
    """Clocks of clients are not comparable with those of workers, nor with each other: the time decides."""
    if record.sent == event.timestamp and record.client == event.hostname:
        return False
    newest = record.sent is None or event.timestamp >= record.sent
    if newest:
        record.sent = event.timestamp
        record.client = event.hostname
        if record.state == "PENDING":
            record.timestamp = event.timestamp
    _take(record, event, _DEFINING, newest and record.received is None)
    if event.extra:
        record.add_extra(event.extra, replace=newest)
    return True


def _settle(record: TaskRecord, event: Event, kind: _Kind) -> None:
    """Set state and timestamp if this event, the newest of its kind, is the one that counts."""
    if kind is _RETRIED:
        for other in _ENDING_RETRY:
            at = getattr(record, other.time)
            if _older(event, getattr(record, other.clock), at):
                _set_state(record, other, at)
                return
    elif kind.rank > _RANKS.get(record.state, _CUSTOM.rank) or _older(event, record.retried_clock, record.retried):
        return
    _set_state(record, kind, event.timestamp)


def _set_state(record: TaskRecord, kind: _Kind, at: float) -> None:
    record.state = kind.state or record.custom_state or "UNKNOWN"
    record.timestamp = at


def _locate(record: TaskRecord, event: Event) -> None:
    """Take worker and clock from the newest event that a worker sent."""
    if is_client(event.hostname) or _older(event, record.clock, record.heard):
        return
    record.worker = event.hostname
    if event.clock:
        record.clock = event.clock
        record.heard = event.timestamp


def _conclude(record: TaskRecord, event: Event, kind: _Kind, newest: bool) -> None:
    """Take what the attempt ended with from the events that own it; custom events may fill gaps."""
    if kind.time == "succeeded":
        _take(record, event, _RESULT, newest)
    elif kind.time == "failed":
        _take(record, event, _ERROR, newest and not _older(event, record.retried_clock, record.retried))
    elif kind is _RETRIED:
        _take(record, event, _ERROR, newest and not _older(event, record.failed_clock, record.failed))
    elif kind is _CUSTOM:
        _take(record, event, _RESULT, newest and record.succeeded is None)
        _take(record, event, _ERROR, False)


def _take(record: TaskRecord, event: Event, fields: Sequence[str], replace: bool) -> None:
    for field in fields:
        value = getattr(event, field)
        if value is not None and (replace or getattr(record, field) is None):
            setattr(record, field, value)
