"""The overview: what is wrong, four numbers with their trend, one chart, and where to look next."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from heapq import nsmallest

from msgspec import Struct

from flower_dashboard.charts import Chart, bars, lines, spark
from flower_dashboard.events import ENDED, series_look, type_look
from flower_dashboard.formats import rough, text, whole
from flower_dashboard.params import MEASURES, SPANS, SPLITS
from flower_dashboard.views.queues import QueueCard, queue_cards
from flower_dashboard.views.spans import telling_span
from flower_dashboard.views.worker_row import WorkerRow, worker_row
from flower_plugins import Host, Problem, QueueReport, Series, Worker
from flower_plugins.rollups import FailureGroup

__all__ = ["OverviewView", "main_chart", "overview_view"]


_NOW = 300.0
_BEFORE = 3600.0
_CARDS = 8
_FAILURES = 8
_SHOWN = 6
_NOTICED = 0.05
_BASELINE = 20


class Tile(Struct, frozen=True):
    """A number with its trend: `change` in words against the hour, `tone` says whether that is good."""

    name: str
    icon: str
    value: str
    unit: str
    href: str
    spark: str
    width: int
    change: str
    tone: str
    note: str


class Choice(Struct, frozen=True):
    """One of several ways to look at the chart."""

    label: str
    href: str
    chosen: bool


class Failure(Struct, frozen=True):
    """A group of failures and where to find its tasks."""

    group: FailureGroup
    href: str


class OverviewView(Struct, frozen=True):
    """What the page shows."""

    problems: Sequence[Problem]
    tiles: Sequence[Tile]
    chart: Chart
    title: str
    measures: Sequence[Choice]
    splits: Sequence[Choice]
    spans: Sequence[Choice]
    queues: Sequence[QueueCard]
    queue_note: str
    workers: Sequence[WorkerRow]
    workers_online: int
    workers_total: int
    failures: Sequence[Failure]
    announcement: str


def overview_view(host: Host, report: QueueReport, *, measure: str, split: str, span: str) -> OverviewView:
    """Return the page; `report` is what is known of the queues. Without a `span` what is known decides it."""
    everyone = host.workers.all()
    up = [worker.online is True for worker in everyone]
    worst = nsmallest(_CARDS, zip(up, everyone, strict=True), key=_worst_first)
    problems = host.problems()

    def link(chosen_measure: str = measure, chosen_split: str = split, chosen_span: str = span) -> str:
        return host.url("/", measure=chosen_measure, by=chosen_split, span=chosen_span or None)

    shown = span or telling_span(host)
    online = sum(up)
    return OverviewView(
        problems=sorted(problems, key=lambda problem: ("error", "warning", "info").index(problem.severity)),
        tiles=_tiles(host),
        chart=main_chart(host, measure=measure, split=split, span=SPANS[shown][1]),
        title=f"{MEASURES[measure]} by {SPLITS[split]}" if measure == "count" else f"{MEASURES[measure]} of tasks",
        measures=[Choice(words, link(chosen_measure=slug), slug == measure) for slug, words in MEASURES.items()],
        splits=[
            Choice(f"By {words}", link(chosen_split=slug), slug == split)
            for slug, words in SPLITS.items()
            if measure == "count" or slug in ("state", "task")
        ],
        spans=[Choice(words, link(chosen_span=slug), slug == shown) for slug, (words, _) in SPANS.items()],
        queues=queue_cards(host, report)[:_CARDS],
        queue_note=report.error if report.stale or not report.queues else "",
        workers=[worker_row(worker) for _, worker in worst],
        workers_online=online,
        workers_total=len(everyone),
        failures=[
            Failure(group, host.url("/tasks", search=_search(group))) for group in host.rollups.failures(_FAILURES)
        ],
        announcement=f"{len(problems)} problems; {online} of {len(everyone)} workers online",
    )


def main_chart(host: Host, *, measure: str, split: str, span: float) -> Chart:
    """Return the wide chart: stacked counts, or percentiles as lines."""
    rollups = host.rollups
    if measure in ("runtime", "wait"):
        of = "runtime" if measure == "runtime" else "wait"
        if split == "task":
            series = rollups.percentiles(of, span, (0.95,), by="task", limit=_SHOWN)  # type: ignore[arg-type]
            return lines(series, series_look(list(series.labels)).__getitem__)
        series = rollups.percentiles(of, span)  # type: ignore[arg-type]
        tones = {"p50": ("Half of them (p50)", "ok"), "p95": ("p95", "warn"), "p99": ("p99", "bad")}
        return lines(series, tones.__getitem__)
    if split == "state":
        series = rollups.counts(span, types=ENDED)
        ordered = {kind: series.values[kind] for kind in ENDED if kind in series.values}
        return bars(Series(series.start, series.step, ordered, series.incomplete), type_look)
    series = rollups.counts(span, by=split, types=ENDED, limit=_SHOWN)  # type: ignore[arg-type]
    return bars(series, series_look(list(series.labels)).__getitem__)


def _tiles(host: Host) -> list[Tile]:
    rollups = host.rollups
    now, before = rollups.overall(_NOW), rollups.overall(_BEFORE)
    waiting = max(
        (row for row in rollups.summary(_NOW) if row.wait.p95 is not None),
        key=lambda row: row.wait.p95 or 0.0,
        default=None,
    )
    done = rollups.counts(_NOW, types=("task-succeeded", "task-failed"))
    failed = rollups.counts(_NOW, types=("task-failed",))
    rate, rate_unit = _rate(now.rate)
    return [
        Tile(
            "Throughput",
            "pulse",
            rate,
            rate_unit,
            host.url("/tasks"),
            *_spark(done),
            *_change(now.rate, before.rate, better=0, earlier=before.ended - now.ended),
            "",
        ),
        Tile(
            "Failure rate",
            "cross",
            "" if now.failure_rate is None else f"{now.failure_rate * 100:.3g}",
            "%",
            host.url("/tasks", state="FAILURE"),
            *_spark(failed),
            *_change(now.failure_rate, before.failure_rate, better=-1, earlier=before.ended - now.ended),
            f"{whole(now.counts.get('task-failed'))} of {now.ended}",
        ),
        Tile(
            "Runtime, p95",
            "play",
            *_seconds(now.runtime.p95),
            host.url("/task-types", sort_by="-runtime"),
            *_line(rollups.percentiles("runtime", _NOW, (0.95,))),
            *_change(now.runtime.p95, before.runtime.p95, better=-1, earlier=before.runtime.count - now.runtime.count),
            "",
        ),
        Tile(
            "Worst wait, p95",
            "clock",
            *_seconds(None if waiting is None else waiting.wait.p95),
            host.url("/task-types", sort_by="-wait"),
            *_line(rollups.percentiles("wait", _NOW, (0.95,))),
            *_change(now.wait.p95, before.wait.p95, better=-1, earlier=before.wait.count - now.wait.count),
            "" if waiting is None else waiting.name,
        ),
    ]


def _rate(rate: float) -> tuple[str, str]:
    """Return a rate a second, or a minute where that is the more readable number."""
    if rate >= 1 or rate == 0:
        return f"{rate:,.3g}" if rate < 1000 else f"{rate:,.0f}", "tasks/s"
    return f"{rate * 60:.3g}", "tasks/min"


def _seconds(value: float | None) -> tuple[str, str]:
    if value is None:
        return "", ""
    amount, _, unit = rough(value).partition(" ")
    return (amount, unit) if unit in ("ms", "s") else (rough(value), "")


def _change(now: float | None, before: float | None, *, better: int, earlier: int) -> tuple[str, str]:
    """Return the change against the hour in words, and its tone; nothing where it holds too little from before."""
    if now is None or before is None or not before or earlier < _BASELINE:
        return "", ""
    ratio = now / before - 1
    if abs(ratio) < _NOTICED:
        return "as in the last hour", "idle"
    words = f"{abs(ratio) * 100:.0f} % {'above' if ratio > 0 else 'below'} the last hour"
    if ratio > 9:
        words = f"{now / before:.0f} times the last hour"
    if not better:
        return words, "idle"
    return words, "ok" if math.copysign(1, ratio) == better else "bad"


def _spark(series: Series) -> tuple[str, int]:
    sums = [sum(value or 0.0 for value in column) for column in zip(*series.values.values(), strict=True)]
    return _few(sums, sum)


def _line(series: Series) -> tuple[str, int]:
    (values,) = list(series.values.values())[:1] or [[]]
    return _few([value or 0.0 for value in values], max)


def _few(values: Sequence[float], merge: Callable[[Sequence[float]], float]) -> tuple[str, int]:
    """Draw thirty bars at most."""
    size = max(1, math.ceil(len(values) / 30))
    merged = [float(merge(values[at : at + size])) for at in range(0, len(values), size)]
    return spark(merged), max(len(merged), 1)


def _worst_first(each: tuple[bool, Worker]) -> tuple[bool, int, int, str]:
    online, worker = each
    failed = whole(worker.counts.get("task-failed"))
    return online, -failed, -whole(worker.active), text(worker.hostname).casefold()


def _search(group: FailureGroup) -> str:
    """Return the search that finds a group's tasks: those of that task type which failed with that exception."""
    words: Mapping[str, str] = {"state": "FAILURE", "exception": group.exception}
    return " ".join(f"{field}:{_quoted(word)}" for field, word in words.items() if word)


def _quoted(word: str) -> str:
    return '"' + word.replace("\\", "\\\\").replace('"', '\\"') + '"' if not word.isidentifier() else word
