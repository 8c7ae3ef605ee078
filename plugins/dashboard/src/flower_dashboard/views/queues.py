"""Queues: what the broker says of each now, and how long each was."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import Struct

from flower_dashboard.charts import Chart, coarse, lines, spark
from flower_dashboard.events import series_look
from flower_dashboard.formats import count, text, whole
from flower_plugins import Host, QueueReport, QueueStats

__all__ = ["BrokerView", "QueueCard", "broker_view", "consumers", "queue_cards"]

_HOUR = 3600.0
_ALL = 1000
"""More queues than have a history."""


class QueueCard(Struct, frozen=True):
    """One queue; None is what this broker cannot tell. `tone` and `word` say what is wrong, "" for nothing."""

    name: str
    messages: int | None
    ready: int | None
    unacknowledged: int | None
    consumers: int | None
    idle_since: str
    workers: Sequence[str]
    spark: str
    width: int
    tone: str
    word: str


class BrokerView(Struct, frozen=True):
    """What the broker page shows. `missing` names the columns that this broker cannot fill."""

    url: str
    queues: Sequence[QueueCard]
    chart: Chart
    spans: Sequence[tuple[str, str, bool]]
    missing: Sequence[str]
    report: QueueReport
    asked: float
    totals: tuple[str, str]


def queue_cards(host: Host, report: QueueReport) -> list[QueueCard]:
    """Return the queues, those in trouble first, then the longest."""
    consumed = consumers(host)
    history = coarse(host.rollups.queue_lengths(_HOUR, limit=_ALL), max).values
    cards = [_card(queue, consumed, history.get(queue.name, ())) for queue in report.queues]
    return sorted(cards, key=lambda card: (not card.tone, -(card.messages or 0), card.name.casefold()))


def broker_view(
    host: Host, report: QueueReport, *, span: float, now: float, spans: Sequence[tuple[str, str, bool]]
) -> BrokerView:
    """Return the broker page."""
    cards = queue_cards(host, report)
    series = host.rollups.queue_lengths(span)
    told = {
        "Unacked": any(card.unacknowledged is not None for card in cards),
        "Ready": any(card.ready is not None for card in cards),
        "Consumers": any(card.consumers is not None for card in cards),
        "Idle since": any(card.idle_since for card in cards),
    }
    return BrokerView(
        url=host.broker.safe_url,
        queues=cards,
        chart=lines(series, series_look(list(series.labels)).__getitem__, count, sampled=True),
        spans=spans,
        missing=[name for name, known in told.items() if not known] if cards else [],
        report=report,
        asked=now - report.age,
        totals=(
            count(sum(card.messages or 0 for card in cards)),
            count(sum(card.unacknowledged or 0 for card in cards)),
        ),
    )


def _card(queue: QueueStats, consumed: dict[str, list[str]], lengths: Sequence[float | None]) -> QueueCard:
    name = text(queue.name)
    workers = consumed.get(name, [])
    tone, word = _trouble(queue, workers, bool(consumed))
    return QueueCard(
        name=name,
        messages=_number(queue.messages),
        ready=_number(queue.ready),
        unacknowledged=_number(queue.unacknowledged),
        consumers=_number(queue.consumers) if queue.consumers is not None else (len(workers) if consumed else None),
        idle_since=text(queue.idle_since),
        workers=workers,
        spark=spark(lengths),
        width=max(len(lengths), 1),
        tone=tone,
        word=word,
    )


def _trouble(queue: QueueStats, workers: Sequence[str], asked: bool) -> tuple[str, str]:
    nobody = queue.consumers == 0 or (queue.consumers is None and asked and not workers)
    if nobody and whole(queue.messages):
        return "bad", "No consumer"
    return ("warn", "No consumer") if nobody else ("", "")


def consumers(host: Host) -> dict[str, list[str]]:
    """Return the online workers by the queue they say that they consume from."""
    found: dict[str, list[str]] = {}
    for hostname, info in host.inspect.snapshot().items():
        worker = host.workers.get(hostname)
        if worker is not None and not worker.online:
            continue
        for queue in info.get("active_queues") or ():
            if isinstance(queue, dict) and queue.get("name") is not None:
                found.setdefault(text(queue["name"]), []).append(text(hostname))
    return found


def _number(value: object) -> int | None:
    return None if value is None else whole(value)
