"""Rollups: what happened lately, in buckets of time, kept in memory and bounded."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal, Protocol

from msgspec import Struct, field

__all__ = ["OTHER", "FailureGroup", "Problem", "Quantiles", "Rollups", "Series", "TaskSummary"]

OTHER = "__other__"
"""The label of everything that has no series of its own."""


class Series(Struct, frozen=True):
    """Values over time, by label; all labels have one value per bucket, oldest first.

    Bucket number i begins at `start + i * step`, seconds since the epoch, a multiple of `step`. None means that
    nothing is known: Flower did not run or events did not arrive, or there was nothing to measure. `incomplete` says
    that the last bucket is still filling, so that a chart draws it dashed, or not at all.
    """

    start: float
    step: int
    values: Mapping[str, Sequence[float | None]]
    incomplete: bool = True

    @property
    def labels(self) -> Sequence[str]:
        """The labels in the order to draw them."""
        return tuple(self.values)

    def __len__(self) -> int:
        """Return how many buckets there are; 0 when there is no label."""
        return len(next(iter(self.values.values()), ()))

    def total(self, label: str) -> float:
        """Return the sum of a label's values, 0 for a label that is not there."""
        return sum(value for value in self.values.get(label, ()) if value is not None)


class Quantiles(Struct, frozen=True):
    """How long it took, in seconds, within about 5 %; None where nothing was measured."""

    count: int = 0
    p50: float | None = None
    p95: float | None = None
    p99: float | None = None


class TaskSummary(Struct, frozen=True):
    """One task name over a stretch of `seconds`.

    `counts` is events by type ("task-succeeded" …), `rate` tasks per second that succeeded or failed, in the time of
    which anything is known. `last_failure` is seconds since the epoch, None when none is remembered. `sparkline` is
    tasks that succeeded or failed by bucket of equal width, oldest first; None as in `Series`.
    """

    name: str
    seconds: float
    counts: Mapping[str, int] = field(default_factory=dict)
    rate: float = 0.0
    runtime: Quantiles = field(default_factory=Quantiles)
    wait: Quantiles = field(default_factory=Quantiles)
    last_failure: float | None = None
    sparkline: Sequence[float | None] = ()

    @property
    def ended(self) -> int:
        """How many tasks succeeded or failed."""
        return self.counts.get("task-succeeded", 0) + self.counts.get("task-failed", 0)

    @property
    def failure_rate(self) -> float | None:
        """The part of the ended tasks that failed, 0 to 1; None when none ended."""
        return self.counts.get("task-failed", 0) / self.ended if self.ended else None


class FailureGroup(Struct, frozen=True):
    """Failures of one exception type with one shape of message, in which what varies is replaced by "…".

    `task` and `uuid` are those of the newest one; times are seconds since the epoch.
    """

    exception: str
    message: str
    count: int
    first_seen: float
    last_seen: float
    task: str | None
    uuid: str


class Problem(Struct, frozen=True):
    """Something a person should look at, as a sentence.

    `kind` names the sort ("worker-offline", "queue-without-consumer" …), `severity` is "error", "warning" or "info",
    and `link` the path of the page that shows the evidence, for `Host.url`; "" when there is none. A path may carry
    its own query string.
    """

    kind: str
    severity: Literal["error", "warning", "info"]
    sentence: str
    link: str = ""


class Rollups(Protocol):
    """What happened lately, kept in memory from the start of Flower on; a restart forgets it.

    A span is in seconds, up to a day, and ends now. It chooses the resolution: up to 5 minutes 1 s, up to an
    hour 10 s, beyond it 1 min. By task, worker or queue the finest is 10 s; percentiles of one task come by minute up
    to an hour, and by 10 minutes beyond. About 200 task names, 200 queues and 500 workers have series of their own, the
    others share `OTHER`. Every call takes a few milliseconds at most. Raises QueryError for what is not kept.
    """

    def counts(
        self,
        span: float,
        *,
        by: Literal["type", "task", "worker", "queue"] = "type",
        task: str | None = None,
        worker: str | None = None,
        queue: str | None = None,
        types: Sequence[str] | None = None,
        limit: int = 10,
    ) -> Series:
        """Return how many events came per bucket.

        By type, of everything or of one `task`, `worker` or `queue`: labels are event types such as
        "task-failed", those that Celery does not define together `OTHER`. By task, worker or queue: the `limit`
        busiest, then the rest as `OTHER`. `types` counts only these types. The queue is known of tasks whose
        `task-sent` event was seen.
        """

    def percentiles(
        self,
        of: Literal["runtime", "wait"],
        span: float,
        quantiles: Sequence[float] = (0.5, 0.95, 0.99),
        *,
        by: Literal["task"] | None = None,
        task: str | None = None,
        limit: int = 10,
    ) -> Series:
        """Return how long tasks ran, or waited before that, in seconds within about 5 %; 1 ms to 7 days.

        Labels are "p50", "p95" and so on; with `by="task"`, which takes one quantile, the busiest task names.
        The wait counts from the client's `task-sent` where that was seen, else from `task-received`; tasks with an
        ETA are left out.
        """

    def summary(self, span: float, *, task: str | None = None) -> Sequence[TaskSummary]:
        """Return a row per task name seen in the last 5 minutes, hour or day, sorted by name; with `task` that one's.

        It is the shortest of these that holds the span; each row says which. A row takes some 50 µs: ask for the one
        that is needed.
        """

    def overall(self, span: float) -> TaskSummary:
        """Return one such row for all tasks together; its name is ""."""

    def queue_lengths(self, span: float, queue: str | None = None, *, limit: int = 20) -> Series:
        """Return the messages in one queue, or in the `limit` that were longest when last seen, sorted by name.

        A value is the most of its bucket of 10 s or 1 min. Empty where the broker cannot tell, or history was turned
        off (`queue_history`).
        """

    def failures(self, limit: int = 20) -> Sequence[FailureGroup]:
        """Return failures by exception type and shape of message, the last one first. Newest 200 groups are kept."""
