"""What is known of the event stream itself: is it up, since when not, what was lost on the way."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from types import MappingProxyType

from msgspec.structs import replace

from flower_plugins import Gap, MetricFamily, MetricSource, Sample

__all__ = ["NOT_YET", "StreamMetrics", "StreamStatus"]

NOT_YET = "not connected yet"
"""The reason while the first try is still under way."""

_MAX_GAPS = 100


class StreamStatus:
    """The Host's `status`. Its writers run on the event loop, except `drop` and `backlog`: any thread, one at a time.

    `rejected` is the gateway's live count of rejections by reason.
    """

    def __init__(self, *, rejected: Mapping[str, int] | None = None, now: Callable[[], float] = time.time) -> None:
        self._now = now
        self._rejected = rejected if rejected is not None else {}
        self._dropped: dict[str, int] = {}
        self._gaps: deque[Gap] = deque(maxlen=_MAX_GAPS)
        self.up = False
        self.reason = NOT_YET
        self.detail: Mapping[str, str] = {}
        self.last_event: float | None = None
        self.events = 0
        self.backlog = 0
        self.gaps_total = 0

    @property
    def dropped(self) -> Mapping[str, int]:
        """Messages dropped, by reason."""
        return MappingProxyType(self._dropped)

    @property
    def rejected(self) -> Mapping[str, int]:
        """Events rejected as malformed, by reason."""
        return MappingProxyType(dict(self._rejected))

    @property
    def last_event_age(self) -> float | None:
        """Seconds since the last event was applied, None before the first."""
        return None if self.last_event is None else max(self._now() - self.last_event, 0.0)

    def gaps(self) -> Sequence[Gap]:
        """Return the last 100 gaps, oldest first."""
        return tuple(self._gaps)

    def connected(self, detail: Mapping[str, str] | None = None) -> None:
        """Note that events flow from now on; closes the gap, if one is open."""
        self.up, self.reason, self.detail = True, "", dict(detail or {})
        if self._gaps and self._gaps[-1].end is None:
            gap = self._gaps[-1]
            self._gaps[-1] = replace(gap, end=max(self._now(), gap.start))

    def lost(self, reason: str) -> None:
        """Note that events stopped; opens a gap if they had been flowing. A first connection has nothing to lose."""
        if self.up:
            self._gaps.append(Gap(start=self._now(), end=None, reason=reason))
            self.gaps_total += 1
        self.up, self.reason = False, reason

    def applied(self, number: int) -> None:
        """Note that `number` events reached the state."""
        self.events += number
        self.last_event = self._now()

    def drop(self, reason: str, number: int) -> None:
        """Note that `number` messages were thrown away."""
        self._dropped[reason] = self._dropped.get(reason, 0) + number


class StreamMetrics(MetricSource):
    """Publishes the status of the event stream."""

    def __init__(self, status: StreamStatus) -> None:
        self._status = status

    def families(self) -> Iterable[MetricFamily]:
        """Return six families; the age is left out until a first event arrives."""
        status = self._status
        age = status.last_event_age
        return (
            _gauge("flower_event_stream_up", "1 while the event stream is connected, else 0", float(status.up)),
            _gauge("flower_last_event_age_seconds", "Seconds since the last event was applied", age),
            _by_reason("flower_events_dropped", "Event messages dropped before they were read", status.dropped),
            _by_reason("flower_events_invalid", "Events rejected as malformed", status.rejected),
            MetricFamily(
                "flower_event_gaps",
                "Times the event stream broke off",
                "counter",
                samples=(Sample((), float(status.gaps_total)),),
            ),
            _gauge("flower_event_backlog_bytes", "Bytes received and not yet applied", float(status.backlog)),
        )


def _gauge(name: str, help_: str, value: float | None) -> MetricFamily:
    return MetricFamily(name, help_, "gauge", samples=() if value is None else (Sample((), value),))


def _by_reason(name: str, help_: str, counts: Mapping[str, int]) -> MetricFamily:
    samples = tuple(Sample((reason,), float(number)) for reason, number in sorted(counts.items()))
    return MetricFamily(name, help_, "counter", ("reason",), samples)
