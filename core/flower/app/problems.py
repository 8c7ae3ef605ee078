"""What somebody should look at: facts that are at hand anyway, each in a sentence with a link to its evidence."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import islice
from typing import Any
from urllib.parse import quote, urlencode

from flower.brokers import QueueService
from flower.events import NOT_YET
from flower.state import State
from flower.state.losses import open_states
from flower.state.rollups import Comparison
from flower_plugins import OTHER, Problem, Status

__all__ = ["Problems"]

_RECENT_SECONDS = 3600.0
_MAX_LOOKED_AT = 5000
_MAX_SAME = 10
_MIN_FAILURES, _MIN_MORE, _TIMES_MORE = 5, 0.05, 2.0
_BASELINE, _MIN_ENDED, _HALF = 20, 10, 0.5
_MIN_WAITS, _MIN_WAIT_SECONDS, _TIMES_LONGER = 20, 1.0, 3.0
_MAX_AGE = 120.0
_UNHEARD_TASKS = 3
_ALONE_SECONDS = 30.0
_SEVERITIES = ("error", "warning", "info")


class Problems:
    """Makes `Host.problems`, at most once a second however many ask."""

    def __init__(
        self,
        state: State,
        status: Status,
        queues: QueueService,
        *,
        snapshot: Callable[[], Mapping[str, Mapping[str, Any]]],
        is_online: Callable[[str], bool],
        now: Callable[[], float] = time.time,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        """`snapshot` returns what workers said of themselves, `is_online` tells which of them count."""
        self._state, self._status, self._queues = state, status, queues
        self._snapshot, self._is_online = snapshot, is_online
        self._now, self._monotonic = now, monotonic
        self._processed: dict[str, int] = {}
        """How many tasks each worker that is silent about them had executed when it was first looked at."""
        self._found: Sequence[Problem] = ()
        self._at = float("-inf")
        self._began = monotonic()

    def now(self) -> Sequence[Problem]:
        """Return the problems, worst first."""
        if self._monotonic() - self._at >= 1:
            self._at = self._monotonic()
            found = [*self._stream(), *self._losses(), *self._unconsumed(), *self._trends(), *self._silent()]
            self._found = sorted(found, key=lambda problem: _SEVERITIES.index(problem.severity))
        return self._found

    def _stream(self) -> Iterator[Problem]:
        status = self._status
        if not status.up and status.reason != NOT_YET:
            yield Problem("events-missing", "error", f"No events arrive: {status.reason}.", "/workers")
        for gap in status.gaps():
            if gap.end is not None and self._now() - gap.end < _RECENT_SECONDS:
                missing = f"{_seconds(gap.end - gap.start)} until {_clock(gap.end)} UTC"
                sentence = f"Events of {missing} are missing: {gap.reason}."
                yield Problem("event-gap", "warning", sentence, "/workers")
        dropped = sum(status.dropped.values())
        if dropped:
            were = "was" if dropped == 1 else "were"
            sentence = f"{_number(dropped, 'event message')} {were} dropped: more came than Flower could take in."
            yield Problem("events-dropped", "warning", sentence, "/workers")

    def _losses(self) -> Iterator[Problem]:
        """Look at the newest open tasks: the time this takes must not grow with their number."""
        tasks, losses = self._state.tasks, self._state.tasks.losses
        lost = set(losses.workers())
        counts: dict[tuple[str, str], int] = {}
        groups = tasks.by_state.groups
        looked = (task for state in open_states(list(groups)) for task in reversed(groups[state].values()))
        if lost or losses.abandoned():
            for task in islice(looked, _MAX_LOOKED_AT):
                loss = losses.of(task)
                if loss:
                    key = loss, task.worker or ""
                    counts[key] = counts.get(key, 0) + 1
        for (loss, worker), number in sorted(counts.items(), key=lambda item: -item[1])[:_MAX_SAME]:
            evidence = _tasks(search=f'is:lost worker:"{worker}"')
            if loss == "lost":
                sentence = f"Worker {worker} is offline and had not finished {_number(number, 'task')}."
                yield Problem("worker-offline", "error", sentence, evidence)
            else:
                sentence = f"Worker {worker} was restarted and no longer has {_number(number, 'task')} it had begun."
                yield Problem("worker-restarted", "error", sentence, evidence)

    def _unconsumed(self) -> Iterator[Problem]:
        report = self._queues.last()
        if not report.supported or report.age > _MAX_AGE:
            return
        consumed, told = self._consumed()
        found = 0
        for row in report.queues:
            messages = row.ready if row.messages is None else row.messages
            idle = row.consumers == 0 or (row.consumers is None and told and row.name not in consumed)
            if messages and idle and found < _MAX_SAME:
                found += 1
                sentence = f"Queue {row.name} holds {_number(messages, 'message')} and no worker consumes from it."
                yield Problem("queue-without-consumer", "error", sentence, "/broker")

    def _consumed(self) -> tuple[set[str], bool]:
        """Return the queues that online workers consume from, and whether that can be known."""
        snapshot, workers = self._snapshot(), self._state.workers.known()
        told = [(hostname, info["active_queues"]) for hostname, info in snapshot.items() if "active_queues" in info]
        names = {queue["name"] for hostname, queues in told if self._is_online(hostname) for queue in queues or ()}
        # Who has just been started has not heard of all workers yet.
        alone = self._monotonic() - self._began > _ALONE_SECONDS and not any(each.online for each in workers.values())
        return names, bool(told) or alone

    def _trends(self) -> Iterator[Problem]:
        """Compare the last 5 minutes with the hour before."""
        compared = [each for each in self._state.rollups.comparisons() if each.name != OTHER]
        failing = sorted(filter(_fails_more, compared), key=lambda each: -each.now.failed)
        for each in failing[:_MAX_SAME]:
            now, before = each.now, each.before
            rate = f"{now.failed:,} of {now.ended:,} in the last 5 minutes ({_percent(now.rate)})"
            if before.ended < _BASELINE:
                sentence = f"{each.name} mostly fails: {rate}."
            else:
                sentence = (
                    f"{each.name} fails more often than usual: {rate}, {_percent(before.rate)} in the hour before."
                )
            yield Problem("failure-rate", "error", sentence, _tasks(state="FAILURE", name=each.name))
        slow = sorted(filter(_waits_longer, compared), key=lambda each: -(each.wait_now.p50 or 0))
        for each in slow[:_MAX_SAME]:
            wait, usual = _seconds(each.wait_now.p50 or 0), _seconds(each.wait_before.p50 or 0)
            sentence = f"{each.name} waits longer than usual: {wait} in the last 5 minutes, {usual} before (median)."
            yield Problem("long-wait", "warning", sentence, _tasks(name=each.name))

    def _silent(self) -> Iterator[Problem]:
        """Find workers and clients that do not tell of tasks."""
        silent = [worker.hostname for worker in self._state.workers.all() if worker.online and self._hides(worker)]
        for hostname in silent[:_MAX_SAME]:
            sentence = f"Worker {hostname} runs tasks and sends no events of them. Start it with -E."
            yield Problem("events-disabled", "warning", sentence, f"/worker/{quote(hostname)}")
        counts = self._state.rollups.overall(_RECENT_SECONDS).counts
        if counts.get("task-received") and not self._state.rollups.overall(86_400).counts.get("task-sent"):
            sentence = (
                "No task-sent events arrive, so that queues of tasks are not known and waits begin at the worker. "
                "Set task_send_sent_event = True in the Celery app that sends tasks."
            )
            yield Problem("sent-events-off", "info", sentence)

    def _hides(self, worker: Any) -> bool:
        """Tell whether heartbeats count tasks of which no event came."""
        if worker.processed is None or any(kind[:5] == "task-" for kind in worker.counts):
            self._processed.pop(worker.hostname, None)
            return False
        if len(self._processed) > 2 * len(self._state.workers.known()):
            self._processed.clear()
        first = self._processed.setdefault(worker.hostname, worker.processed)
        if worker.processed < first:  # a new process counts from 0
            self._processed[worker.hostname] = first = worker.processed
        return bool(worker.processed - first >= _UNHEARD_TASKS)


def _fails_more(each: Comparison) -> bool:
    now, before = each.now, each.before
    if before.ended < _BASELINE:  # What is usual is not known.
        return now.ended >= _MIN_ENDED and now.rate >= _HALF
    more = now.rate >= before.rate + _MIN_MORE and now.rate >= _TIMES_MORE * before.rate
    return now.failed >= _MIN_FAILURES and more


def _waits_longer(each: Comparison) -> bool:
    now, before = each.wait_now, each.wait_before
    if now.count < _MIN_WAITS or before.count < _MIN_WAITS or now.p50 is None or before.p50 is None:
        return False
    return now.p50 >= _MIN_WAIT_SECONDS and now.p50 >= _TIMES_LONGER * before.p50


def _tasks(**query: str) -> str:
    return f"/tasks?{urlencode(query)}"


def _number(number: int, noun: str) -> str:
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"


def _seconds(seconds: float) -> str:
    if seconds < 120:
        return f"{seconds:.1f} s" if seconds < 10 else f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 7200 else f"{seconds / 3600:.0f} h"


def _clock(moment: float) -> str:
    return time.strftime("%H:%M:%S", time.gmtime(moment))


def _percent(part: float) -> str:
    return f"{100 * part:.0f} %" if part >= 0.1 or part == 0 else f"{100 * part:.1f} %"
