"""What samples of a soak say: how much memory grew for the churn that went by, and whether all else stayed flat.

The rule is for a day: with 10,000 worker names and 1,000,000 tasks memory grows by at most 0.5 MB an
hour after the warm-up, file descriptors and threads not at all. A leak grows with events, not with
hours, so the proxies send the same churn faster, and growth is held against the churn that went by:
a day's 12 MB allow 1,258 bytes a worker name, or 12.6 bytes a task. The smaller share of a day's
names and tasks counts. Twenty minutes send most of a day's tasks and several days' names. Three
minutes send less than a tenth of the tasks once warm, for which 1 MB would be allowed; that is less
than the measure sways. Never less than `NOISE` is allowed, so that the short run finds somewhat
more than a kilobyte lost per name, or some 40 bytes per task, and leaves finer leaks to the long run.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

__all__ = ["DAY_BYTES", "DAY_TASKS", "DAY_WORKERS", "NOISE", "Finding", "Sample", "judge", "slope", "troughs"]

DAY_WORKERS, DAY_TASKS = 10_000, 1_000_000
DAY_BYTES = 24 * 2**20 // 2
NOISE = 3 * 2**20

_WINDOWS = 20
_FILES, _THREADS = 4, 2
_PART = 20
_LATENCY, _LATENCY_NOISE = 2.0, 0.010


@dataclass(frozen=True)
class Sample:
    """What was seen at a moment, `at` in seconds: of the process, of `/metrics` in bytes, and of the churn so far."""

    at: float
    memory: int
    files: int
    threads: int
    series: int
    metrics: int
    latency: float
    workers: int
    tasks: int


@dataclass(frozen=True)
class Finding:
    """One line of the report; `kept` is False where the bound was broken."""

    name: str
    text: str
    kept: bool


def judge(samples: Sequence[Sample]) -> list[Finding]:
    """Hold the samples after the warm-up against all bounds."""
    first, last = samples[0], samples[-1]
    return [
        _memory(samples),
        _flat("file descriptors", [each.files for each in samples], _FILES),
        _flat("threads", [each.threads for each in samples], _THREADS),
        _flat("series of /metrics", [each.series for each in samples], first.series // _PART),
        _flat("bytes of /metrics", [each.metrics for each in samples], first.metrics // _PART),
        _latency(samples),
        Finding(
            "churn meanwhile",
            f"{last.workers - first.workers:,} workers and {last.tasks - first.tasks:,} tasks"
            f" in {last.at - first.at:.0f} s",
            last.tasks > first.tasks,
        ),
    ]


def slope(points: Sequence[tuple[float, float]]) -> float:
    """Return the median of the slopes between any two points (Theil and Sen), which a few outliers do not move."""
    slopes = [(y2 - y1) / (x2 - x1) for i, (x1, y1) in enumerate(points) for x2, y2 in points[i + 1 :] if x2 > x1]
    return median(slopes)


def troughs(samples: Sequence[Sample]) -> list[tuple[float, float]]:
    """Return time and memory of the least sample of each twentieth: what is left when answers have let go of theirs."""
    size = max(1, len(samples) // _WINDOWS)
    windows = [samples[first : first + size] for first in range(0, len(samples) - size + 1, size)]
    lowest = [min(window, key=lambda each: each.memory) for window in windows]
    return [(each.at, each.memory) for each in lowest]


def _memory(samples: Sequence[Sample]) -> Finding:
    first, last = samples[0], samples[-1]
    workers, tasks = last.workers - first.workers, last.tasks - first.tasks
    share = min(workers / DAY_WORKERS, tasks / DAY_TASKS)
    allowed = max(NOISE, DAY_BYTES * share)
    grown = slope(troughs(samples)) * (last.at - first.at)
    text = (
        f"{grown / 2**20:+.2f} MB, at most {allowed / 2**20:.2f}: {grown / max(1, workers):+,.0f} bytes a worker or "
        f"{grown / max(1, tasks):+,.1f} a task; {median(each.memory for each in samples) / 2**20:.1f} MB in the middle"
    )
    return Finding("memory", text, grown <= allowed)


def _flat(name: str, values: Sequence[int], slack: int) -> Finding:
    """Compare the highest of the last half with the highest of the first half."""
    half = len(values) // 2
    before, after = max(values[:half]), max(values[half:])
    return Finding(name, f"at most {before:,}, later {after:,}; {slack:,} more would pass", after <= before + slack)


def _latency(samples: Sequence[Sample]) -> Finding:
    third = max(1, len(samples) // 3)
    before = median(each.latency for each in samples[:third])
    after = median(each.latency for each in samples[-third:])
    worst = max(each.latency for each in samples)
    text = f"{before * 1000:.1f} ms, later {after * 1000:.1f}, {worst * 1000:.0f} once"
    return Finding("answer to /healthcheck", text, after <= before * _LATENCY + _LATENCY_NOISE)
