"""What is said at start and on every page: where to find this Flower, what is not safe, what is missing."""

from __future__ import annotations

import logging
import time
from collections.abc import Sequence
from pprint import pformat

from flower.events import NOT_YET
from flower.web.posture import Weakness
from flower_plugins import Banner, Broker, Status

__all__ = ["announce", "stream_banners", "warn", "warn_operator"]

log = logging.getLogger("flower")

_LINES = {"lines": True}
_RULE = "!" * 78
_RECENT_SECONDS = 3600.0


def announce(urls: Sequence[str], unix_socket: str, prefix: str, broker: Broker, tasks: Sequence[str]) -> None:
    """Log the addresses really bound, the broker without its password, and the app's own tasks."""
    if unix_socket:
        log.info("Visit me via unix socket file: %s", unix_socket)
    for url in urls:
        log.info("Visit me at %s%s", url, f"{prefix}/" if prefix else "")
    log.info("Broker: %s", broker.safe_url)
    log.info("Registered tasks: \n%s", pformat(sorted(tasks)), extra=_LINES)


def warn(banners: Sequence[Banner]) -> None:
    """Log what is not safe, so that nobody overlooks it."""
    for banner in banners:
        log.warning("\n%s\n%s\n%s", _RULE, banner.text, _RULE, extra=_LINES)


def warn_operator(weaknesses: Sequence[Weakness]) -> None:
    """Log in one line what else is not safe."""
    reasons = dict.fromkeys(weakness.reason for weakness in weaknesses if not weakness.banner)
    if reasons:
        log.warning("Not safe: %s. celery flower --check says how to mend it.", ", ".join(reasons))


def stream_banners(status: Status, now: float) -> list[Banner]:
    """Return what is missing from the picture: no events now, a gap in the last hour, dropped messages."""
    banners = []
    if not status.up and status.reason != NOT_YET:
        banners.append(Banner("warning", f"No events arrive: {status.reason}. What you see is growing old."))
    for gap in status.gaps():
        if gap.end is not None and now - gap.end < _RECENT_SECONDS:
            text = f"Events are missing from {_clock(gap.start)} to {_clock(gap.end)} UTC: {gap.reason}."
            banners.append(Banner("info", text))
    dropped = sum(status.dropped.values())
    if dropped:
        banners.append(Banner("warning", f"{dropped} event messages were dropped. Counts are incomplete."))
    return banners


def _clock(moment: float) -> str:
    return time.strftime("%H:%M:%S", time.gmtime(moment))
