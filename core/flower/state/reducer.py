"""Merges events into task records, by Celery's rules, so that the order of arrival does not matter.

Of the newest event of each kind the one of the highest precedence sets the state. A retry ends an
attempt: an event older than the newest `task-retried` belongs to an earlier attempt and no longer
counts for the state, but still fills in its time and fields. Nothing of an earlier attempt is
erased, as in Celery: times, exception and traceback stay until a newer event of their kind comes.
What defines a task (name, args, eta …) comes from `task-received`; other events only fill gaps.

Lamport clocks and times are compared between events of one host only, because hosts need not hear
each other and their clocks differ. There, an event is late when its Lamport clock is smaller than
that of the newest one and its time is not later. Between hosts the `retries` that `task-received`
carries tells which attempt is the later one: a host that an earlier attempt ran on can no longer
take the task back to it. Where nothing is known, the order of arrival decides, as in Celery.

What differs from Celery while events arrive in order, each for one reason:
- a custom state gives way to REVOKED, for a task that told its progress can be revoked;
- `task-sent` never takes a task back to PENDING, because clients announce a retry before the worker does;
- a `task-received` that does not set the state still moves `timestamp` and `clock`, because they are
  those of the newest event in whatever order the others came.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from flower.events.event import Event
from flower.state.tasks import TaskRecord

__all__ = ["is_client", "reduce"]

_CLIENT = re.compile(r"gen\d+@")
_MAX_STATE = 64
_MAX_PASSED = 32
_MAX_FORMER = 8

# How an event stands to those that came before it.
_DUPLICATE, _NEW, _LATE, _PAST, _OLD = range(5)

# Celery's precedence (celery.states), 0 is the highest; whatever is not here is a custom state.
_RANKS = {
    "SUCCESS": 0,
    "FAILURE": 1,
    "REVOKED": 2,
    "STARTED": 4,
    "RECEIVED": 5,
    "REJECTED": 6,
    "RETRY": 7,
    "PENDING": 8,
}
_CUSTOM = 3

_ENDINGS = frozenset(("task-succeeded", "task-failed", "task-revoked"))
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
    return _REDUCERS.get(event.type, _reduce_custom)(record, event)


def is_client(hostname: str) -> bool:
    """Tell whether a name is one that Celery makes up for a process that is no worker: `gen<pid>@host`."""
    return hostname.startswith("gen") and _CLIENT.match(hostname) is not None


# One function for each type of event, with plain attribute access: the `reduce` scenario of tests/bench
# pays for the repetition.


def _reduce_sent(record: TaskRecord, event: Event) -> bool:
    """Clocks of clients are not comparable with those of workers, nor with each other: the time decides."""
    at, time = record.sent, event.timestamp
    if at is None:
        newest = True
    elif (at == time and record.client == event.hostname) or ("sent", time) in record.passed:
        return False
    else:
        newest = time >= at
        _pass(record, "sent", at if newest else time)
    if newest:
        record.sent = time
        record.client = event.hostname
        if record.worker is None:
            record.clock = event.clock
            if record.state == "PENDING":
                record.timestamp = time
    _define(record, event, newest and record.received is None)
    if event.extra:
        record.add_extra(event.extra, replace=newest)
    return True


def _reduce_received(record: TaskRecord, event: Event) -> bool:
    at = record.received
    stands = _stand(record, event) if at is None else _stand_again(record, event, "received", at)
    if stands == _DUPLICATE:
        return False
    if stands != _OLD:
        record.received = event.timestamp
        _settle(record, event, stands, "RECEIVED", 5)
    _define(record, event, stands in (_NEW, _LATE))
    if event.extra:
        record.add_extra(event.extra, replace=stands != _OLD)
    return True


def _reduce_started(record: TaskRecord, event: Event) -> bool:
    at = record.started
    stands = _stand(record, event) if at is None else _stand_again(record, event, "started", at)
    if stands == _DUPLICATE:
        return False
    if stands != _OLD:
        record.started = event.timestamp
        _settle(record, event, stands, "STARTED", 4)
    _fill(record, event, stands)
    return True


def _reduce_succeeded(record: TaskRecord, event: Event) -> bool:
    at = record.succeeded
    stands = _stand(record, event) if at is None else _stand_again(record, event, "succeeded", at)
    if stands == _DUPLICATE:
        return False
    if stands != _OLD:
        record.succeeded = event.timestamp
        _settle(record, event, stands, "SUCCESS", 0)
    if stands != _OLD:
        if event.result is not None:
            record.result = event.result
        if event.runtime is not None:
            record.runtime = event.runtime
    else:
        _take(record, event, _RESULT, replace=False)
    _fill(record, event, stands)
    return True


def _reduce_failed(record: TaskRecord, event: Event) -> bool:
    at = record.failed
    stands = _stand(record, event) if at is None else _stand_again(record, event, "failed", at)
    if stands == _DUPLICATE:
        return False
    if stands != _OLD:
        record.failed = event.timestamp
        _settle(record, event, stands, "FAILURE", 1)
    _take(record, event, _ERROR, replace=_newer_error(event, stands, record.retried))
    _fill(record, event, stands)
    return True


def _reduce_retried(record: TaskRecord, event: Event) -> bool:
    at = record.retried
    stands = _stand(record, event) if at is None else _stand_again(record, event, "retried", at)
    if stands == _DUPLICATE:
        return False
    if stands != _OLD:
        record.retried = event.timestamp
        if stands == _NEW:
            record.attempt_after = event.timestamp
            record.state = "RETRY"
        elif stands == _LATE:
            record.attempt_after = event.timestamp
            record.state = _state_after(record, event.timestamp)
    _take(record, event, _ERROR, replace=_newer_error(event, stands, record.failed))
    _fill(record, event, stands)
    return True


def _reduce_revoked(record: TaskRecord, event: Event) -> bool:
    at = record.revoked
    stands = _stand(record, event) if at is None else _stand_again(record, event, "revoked", at)
    if stands == _DUPLICATE:
        return False
    if stands != _OLD:
        record.revoked = event.timestamp
        _settle(record, event, stands, "REVOKED", 2)
    _fill(record, event, stands)
    return True


def _reduce_rejected(record: TaskRecord, event: Event) -> bool:
    at = record.rejected
    stands = _stand(record, event) if at is None else _stand_again(record, event, "rejected", at)
    if stands == _DUPLICATE:
        return False
    if stands != _OLD:
        record.rejected = event.timestamp
        _settle(record, event, stands, "REJECTED", 6)
    _fill(record, event, stands)
    return True


def _reduce_custom(record: TaskRecord, event: Event) -> bool:
    """Of all custom events the newest gives the state its name; they may also fill gaps in the outcome."""
    state = event.type.partition("-")[2].upper()[:_MAX_STATE] or "UNKNOWN"
    at, known = record.custom, record.custom_state or state
    if at is None:
        stands = _stand(record, event)
    elif known == state:
        stands = _stand_again(record, event, state, at)
    else:
        stands = _stand_again(record, event, state, at, known)
    if stands == _DUPLICATE:
        return False
    if stands != _OLD:
        record.custom = event.timestamp
        record.custom_state = state
        _settle(record, event, stands, state, _CUSTOM)
    _take(record, event, _RESULT, replace=stands != _OLD and record.succeeded is None)
    _take(record, event, _ERROR, replace=False)
    _fill(record, event, stands)
    return True


_REDUCERS: dict[str, Callable[[TaskRecord, Event], bool]] = {
    "task-sent": _reduce_sent,
    "task-received": _reduce_received,
    "task-started": _reduce_started,
    "task-succeeded": _reduce_succeeded,
    "task-failed": _reduce_failed,
    "task-retried": _reduce_retried,
    "task-revoked": _reduce_revoked,
    "task-rejected": _reduce_rejected,
}


def _stand(record: TaskRecord, event: Event) -> int:
    """Return how a worker's event stands to what is known; the newest gives worker, clock and time."""
    worker, clock, time = record.worker, event.clock, event.timestamp
    if event.hostname == worker:
        if clock:
            if clock < record.clock and time <= record.heard:
                return _LATE
            record.clock = clock
        elif time < record.heard:
            return _NEW
        record.heard = record.timestamp = time
        return _NEW
    if event.hostname[:3] == "gen" and is_client(event.hostname):
        if time > record.timestamp or worker is None:
            record.timestamp = time
        return _NEW
    if worker is not None and _is_past(record, event, worker):
        return _PAST
    record.worker = event.hostname
    record.clock = clock
    record.heard = record.timestamp = time
    record.attempt_after = None
    return _NEW


def _is_past(record: TaskRecord, event: Event, worker: str) -> bool:
    """Tell whether an event of another host belongs to an earlier attempt than the one that is known.

    After a retry, or where the event ends a task, a host may be back with an attempt whose
    `task-received` was lost.
    """
    hostname = event.hostname
    if event.type == "task-received" and None not in (event.retries, record.retries, record.received):
        attempt, known = event.retries or 0, record.retries or 0
        if attempt < known:
            if hostname not in record.former:
                record.former = (*record.former[1 - _MAX_FORMER :], hostname)
            return True
        if attempt > known:
            others = tuple(name for name in record.former if name not in (hostname, worker))
            record.former = (*others[1 - _MAX_FORMER :], worker)
            record.state = "PENDING"
        return False
    return hostname in record.former and record.state != "RETRY" and event.type not in _ENDINGS


def _stand_again(record: TaskRecord, event: Event, kind: str, at: float, known: str = "") -> int:
    """Do the same for an event of a kind that was there before, at a time `at`, and note the older of both.

    `known` is the kind of the one before where that is another, which happens among custom states.
    """
    time = event.timestamp
    if event.clock:
        same = event.hostname == record.worker
        if time == at and not known and not (same and event.clock > record.clock):
            return _DUPLICATE
        if record.passed and (kind, time) in record.passed and not (same and event.clock > record.clock):
            return _DUPLICATE
    stands = _stand(record, event)
    newest = stands == _NEW or (stands == _LATE and time > at)
    if newest:
        _pass(record, known or kind, at)
        return stands
    _pass(record, kind, time)
    return _OLD


def _pass(record: TaskRecord, kind: str, at: float) -> None:
    """Remember an event that is no longer, or never was, the newest of its kind, to know it when it comes again."""
    entry = kind, at
    if entry not in record.passed:
        # Ordered by time, so that records do not depend on the order of arrival.
        passed = sorted((*record.passed, entry), key=lambda known: (known[1], known[0]))
        record.passed = tuple(passed[-_MAX_PASSED:])


def _settle(record: TaskRecord, event: Event, stands: int, state: str, rank: int) -> None:
    """Set the state if this event, the newest of its kind, is the one that counts."""
    if stands == _LATE:
        if record.attempt_after is not None and event.timestamp <= record.attempt_after:
            return
    elif stands == _PAST:
        return
    if rank <= _RANKS.get(record.state, _CUSTOM):
        record.state = state


def _state_after(record: TaskRecord, retried: float) -> str:
    """Return the state that the events after a retry make, which came before it."""
    times = (
        (record.succeeded, "SUCCESS"),
        (record.failed, "FAILURE"),
        (record.revoked, "REVOKED"),
        (record.custom, record.custom_state or "UNKNOWN"),
        (record.started, "STARTED"),
        (record.received, "RECEIVED"),
        (record.rejected, "REJECTED"),
    )
    return next((state for at, state in times if at is not None and at > retried), "RETRY")


def _newer_error(event: Event, stands: int, other: float | None) -> bool:
    """Tell whether the exception of this attempt is newer than the one of the `other` kind of ending."""
    return stands == _NEW or (stands == _LATE and (other is None or event.timestamp > other))


def _define(record: TaskRecord, event: Event, replace: bool) -> None:
    """Take what defines a task. Without a loop: nearly all of these events bring nearly all of it."""
    if event.name is not None and (replace or record.name is None):
        record.name = event.name
    if event.args is not None and (replace or record.args is None):
        record.args = event.args
    if event.kwargs is not None and (replace or record.kwargs is None):
        record.kwargs = event.kwargs
    if event.root_id is not None and (replace or record.root_id is None):
        # Most tasks are their own root: one text for both.
        record.root_id = record.uuid if event.root_id == record.uuid else event.root_id
    if event.retries is not None and (replace or record.retries is None):
        record.retries = event.retries
    if event.parent_id is not None and (replace or record.parent_id is None):
        record.parent_id = event.parent_id
    if event.eta is not None and (replace or record.eta is None):
        record.eta = event.eta
    if event.expires is not None and (replace or record.expires is None):
        record.expires = event.expires
    if event.queue is not None and (replace or record.queue is None):
        record.queue = event.queue
    if event.exchange is not None and (replace or record.exchange is None):
        record.exchange = event.exchange
    if event.routing_key is not None and (replace or record.routing_key is None):
        record.routing_key = event.routing_key


def _fill(record: TaskRecord, event: Event, stands: int) -> None:
    """Fill gaps from an event that seldom brings any of what defines a task."""
    if (
        event.name is not None
        or event.args is not None
        or event.kwargs is not None
        or event.root_id is not None
        or event.parent_id is not None
        or event.retries is not None
        or event.eta is not None
        or event.expires is not None
        or event.queue is not None
        or event.exchange is not None
        or event.routing_key is not None
    ):
        _take(record, event, _DEFINING, replace=False)
    if event.extra:
        record.add_extra(event.extra, replace=stands != _OLD)


def _take(record: TaskRecord, event: Event, fields: Sequence[str], *, replace: bool) -> None:
    for field in fields:
        value = getattr(event, field)
        if value is not None and (replace or getattr(record, field) is None):
            setattr(record, field, value)
